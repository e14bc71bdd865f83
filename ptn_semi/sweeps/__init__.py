"""Sweeps of loss weights and learning rates with KerasTuner.

Holds the search, its worker processes, and the report of its trials.
May import `training`, `evaluation`, `data`, `settings`, `visual`, `models`, `projection` and
`utils`.
"""
