"""What the candidates of an index lose against exhaustive search."""
