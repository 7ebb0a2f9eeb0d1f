"""The agent: answers questions about an index by searching its pages, looking at them and citing what it saw."""
