"""What else goes into a model's request: the user's prompt and images, tool calls and their replies in order."""
