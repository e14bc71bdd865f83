"""The demo page.

Holds the page's layout, its server, the guard that limits requests, and the uploads' folder.
May import `inference`, `evaluation`, `data`, `settings`, `visual`, `models`, `projection` and
`utils`.
"""
