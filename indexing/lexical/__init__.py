"""Words as retrieval counts them: terms, BM25, and what a question says of documents and pages."""
