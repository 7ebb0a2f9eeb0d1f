"""What may be set, and where from: the environment, groups of settings, the place of an index, what is installed."""
