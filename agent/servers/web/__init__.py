"""The page to work in: files that were built from `source/` with `make web`, and the way into it."""
