"""Page encoders: one interface, one file per family."""
