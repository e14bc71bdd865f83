"""The paper's experiments: what is trained (`matrix`), where it is kept (`jobs`), done (`runner`)
and drawn (`reports`).

Imports point one way: `runner` and `reports` need nothing of each other; `jobs` → `matrix`.
"""
