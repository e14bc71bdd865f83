"""Sources of shapes, one for each layout; `layouts.open_source` opens them.

Here live the classes that list and read generated shapes, folders and archives. They may import
`formats`, `procedural`, `ptn_semi.settings` and `ptn_semi.utils`, and never TensorFlow.
"""
