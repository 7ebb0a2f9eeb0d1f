"""Whether the numbers of a claim stand on cited pages, of what the claim says they are of, or follow from others."""
