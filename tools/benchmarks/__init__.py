"""Sections of tools.benchmark."""
