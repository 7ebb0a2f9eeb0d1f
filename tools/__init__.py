"""What the reasoner can do: search pages, look at them, list documents; and how a page's picture travels to a model."""
