"""Whether an index is whole, how it becomes so again, and how it goes elsewhere as one file."""
