"""How a page's picture travels to a model."""
