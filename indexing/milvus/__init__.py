"""Milvus, in a folder or on a server: the one room that talks to it."""
