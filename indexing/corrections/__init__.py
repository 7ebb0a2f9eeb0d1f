"""Words that were read wrongly: where they stand on a page, and its text with what stands there."""
