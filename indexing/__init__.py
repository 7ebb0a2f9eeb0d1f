"""From files to ranked pages. Knows nothing of agents."""
