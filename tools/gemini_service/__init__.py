"""Gemini's service: what it refuses, in pagesight's words."""
