"""Page labels as people and models write them: the names of documents, the words for pages, and one grammar."""
