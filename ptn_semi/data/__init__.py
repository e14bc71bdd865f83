"""Prepared data sets: found, built, read, and drawn from as batches."""
