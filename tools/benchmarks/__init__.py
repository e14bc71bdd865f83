"""The sections of `tools.benchmark`, and the plain implementations to compare with."""
