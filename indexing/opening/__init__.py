"""An index is opened: in a folder or on a server, to read or to write."""
