"""Whether a claim and a page say opposite things: a rise or a fall, a gain or a loss, yes or no."""
