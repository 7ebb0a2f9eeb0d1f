"""The numbers and dates of texts and pages: their value, their unit, and what they are of."""
