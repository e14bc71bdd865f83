"""Scores of a model: metrics, and a whole split."""
