"""A document goes into an index whole or not at all, and what was cut off is completed."""
