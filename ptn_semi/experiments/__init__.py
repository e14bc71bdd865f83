"""The paper's experiments: what is trained (`matrix`), where it is kept (`jobs`), how it is done
(`runner`) and drawn (`reports`).

Imports point one way: `jobs` and `reports` → `matrix`; `runner` imports none of the others.
"""
