"""An index's folder and what is in it; the seams behind which Milvus and files keep pages and vectors."""
