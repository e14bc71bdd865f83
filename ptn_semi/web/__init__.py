"""The demo page.

Holds the page's layout, its server, and the limits on requests.
May import `inference`, `evaluation`, `data`, `settings`, `visual`, `models`, `projection` and
`utils`.
"""
