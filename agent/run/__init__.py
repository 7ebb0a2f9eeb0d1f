"""One run of the agent as who asks sees it: its steps, the pieces of the answer, the answer."""
