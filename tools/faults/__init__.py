"""Tools that only check: kills, hostile files, hostile visitors, mutated code."""
