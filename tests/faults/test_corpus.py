"""Damaged and hostile files that once were accepted, or ended in something else than a sentence."""

import pathlib

import pytest

from ptn_semi.inference import silhouettes
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import meshes
from shapenet_posed_masks.sources import layouts

CORPUS = pathlib.Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())
READERS = {
    "binvox": lambda path: binvox.read(path.read_bytes(), str(path)),
    "meshes": lambda path: meshes.voxelise(path.read_bytes(), str(path), 8),
    "archives": lambda path: layouts.open_source("shapenet_vox32", str(path)).items(),
    "images": silhouettes.read,
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORPUS)))
def test_each_is_refused_by_name(path):
    with pytest.raises(UserError) as caught:
        READERS[path.parent.name](path)
    assert str(path) in str(caught.value)
    assert not isinstance(caught.value.__cause__, MemoryError)
