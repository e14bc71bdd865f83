"""Helpers that every folder may use: errors, files, binvox, seeds, flags, and what commands share.

This folder imports no other folder of the package.
"""
