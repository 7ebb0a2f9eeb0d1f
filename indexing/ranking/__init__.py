"""A question as words, a picture and vectors, and the pages that it finds, ranked."""
