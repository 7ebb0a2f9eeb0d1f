"""A sweep: one small question of each document or page, and a table with a cited and checked cell for each."""
