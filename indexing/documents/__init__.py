"""From a file to its pages: what it is, each page's picture, its words, what is known of it beside."""
