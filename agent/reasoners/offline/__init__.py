"""Answers without a model: quotations of the cells, rows and sentences that share most of a question's words."""
