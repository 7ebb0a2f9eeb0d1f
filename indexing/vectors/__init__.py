"""Multi-vectors: how they are kept, pooled, stood for by centroids, and compared."""
