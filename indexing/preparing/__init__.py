"""Pages read in processes of their own, which may be ended, and handed over as data alone."""
