"""The paper's experiments.

Holds the trainings that are needed (`matrix`, `scales`), their place on disk (`jobs`), the code
that runs them (`runner`) and the tables and figures (`reports`).
May import `training`, `evaluation`, `data`, `settings`, `visual`, `models`, `projection` and
`utils`. Within the folder, imports go `runner` → `jobs` → `matrix` → `scales` and `reports` →
`matrix`.
"""
