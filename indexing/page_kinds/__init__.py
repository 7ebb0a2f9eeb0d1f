"""What kind of page one is: with a table, a chart, a photo, a cover; told by its words' places and a small picture."""
