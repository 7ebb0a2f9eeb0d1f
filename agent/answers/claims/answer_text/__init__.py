"""Reading an answer: its sentences and rows, each with what it cites, and the numbers that they tell."""
