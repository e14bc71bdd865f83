"""Installs `ptn_semi` and its data set `shapenet_posed_masks`, which pyproject.toml describes."""

import setuptools

setuptools.setup()
