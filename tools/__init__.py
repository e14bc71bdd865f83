"""Programs beside the package: the experiments, the benchmark, and what only checks."""
