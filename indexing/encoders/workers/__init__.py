"""Programs that run in an encoder's own environment. They import nothing of pagesight, and pagesight runs them."""
