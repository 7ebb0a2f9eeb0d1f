"""What stands on a page: its words and their boxes, by its text layer or by OCR."""
