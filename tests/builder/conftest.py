"""Fixtures that several files here share."""

import pytest

from ptn_semi.utils import binvox
from support.shape_folders import CHAIR, TABLE, grid, put


@pytest.fixture
def vox32(tmp_path):
    root = tmp_path / "ShapeNetVox32"
    for seed, (synset, model) in enumerate([(TABLE, "a"), (CHAIR, "b"), (CHAIR, "a")]):
        put(root / synset / model / "model.binvox", binvox.write(grid(seed)))
    put(root / CHAIR / "notes" / "readme.txt", b"no shape")
    put(root / "taxonomy.json", b"{}")
    return root
