"""What readers of an index in a folder open: files derived from Milvus Lite's, written once and then only mapped."""
