"""Helpers that every folder may use: errors, files, flags, seeds, child processes, commands.

This folder imports no other folder of the package.
"""
