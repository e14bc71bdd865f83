"""Flagfiles; the header of each gives its command, its time and the score to expect."""
