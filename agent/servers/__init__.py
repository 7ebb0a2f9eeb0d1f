"""The agent behind HTTP."""
