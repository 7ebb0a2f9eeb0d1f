"""Where on a page a question is answered: boxes, regions, lines, maps, marked pictures."""
