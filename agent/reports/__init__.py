"""A conversation read back, and written as a file."""
