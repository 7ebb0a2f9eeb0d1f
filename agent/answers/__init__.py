"""An answer: its citations, the check against what was shown, and the one correction."""
