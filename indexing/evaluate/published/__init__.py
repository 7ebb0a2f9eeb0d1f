"""Question sets as they are published: each in its own layout, from a local copy or by its name on the hub."""
