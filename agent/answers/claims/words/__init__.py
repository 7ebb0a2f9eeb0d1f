"""Words of cited pages, and whether the quotations, names and months of a claim are among them."""
