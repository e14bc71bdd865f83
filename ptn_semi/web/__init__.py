"""The demo page, and what keeps its server within bounds."""
