"""The paper's experiments.

Imports go `runner` → `jobs` → `matrix` → `scales`, and `reports` → `matrix`.
"""
