"""Pages read in processes of their own, which may be ended, and encoded: the half of indexing that needs no index."""
