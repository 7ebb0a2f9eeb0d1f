"""Outlines: what a document's parts are called and where they stand, found offline when it is indexed."""
