"""What people meet in a terminal: each command's work, the chat, and all printing."""
