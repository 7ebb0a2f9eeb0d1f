"""Claims: an answer's sentences, each checked against the words of the pages and regions that it cites."""
