"""Voxel grids in binvox and NumPy's files, whole and damaged."""

import gzip
import io

import numpy as np
import pytest

from ptn_semi.inference import shape_files
from ptn_semi.shapes.whole import Shape
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import voxel_files
from shapenet_posed_masks.sources import layouts
from support.shape_folders import grid, ids, put

GRID = grid(0, 8)


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def packed(data):
    return gzip.compress(data, 1)


WHOLE = {
    "packed": ("binvox.gz", packed(binvox.write(GRID))),
    "booleans": ("npy", npy(GRID)),
    "columns first": ("npy", npy(np.asfortranarray(GRID))),
    "bytes up to 255": ("npy", npy(GRID.astype(np.uint8) * 255)),
    "another byte order": ("npy", npy(GRID.astype(">i4"))),
    "probabilities": ("npy", npy(np.where(GRID, 0.6, 0.4).astype(np.float32))),
    "a batch and a channel": ("npy", npy(GRID[None, ..., None])),
    "an archive": ("npz", npz(anything=GRID)),
    "a threshold": ("npz", npz(probabilities=np.where(GRID, 0.3, 0.1), threshold=0.2)),
}


@pytest.mark.parametrize(("ending", "data"), WHOLE.values(), ids=WHOLE)
def test_whole_files(ending, data):
    np.testing.assert_array_equal(voxel_files.read(data, f"a.{ending}"), GRID)


def test_what_reconstruct_writes(tmp_path):
    probabilities = np.where(grid(0, 32), 0.45, 0.1).astype(np.float32)
    for kind in ("npz", "binvox"):
        shape = Shape(probabilities, 0.4)
        shape_files.write(tmp_path / "chair" / f"a.{kind}", shape, probabilities)
    layout = layouts.open_source("voxels", str(tmp_path), [], 32)
    whole, cleaned = (layout.read(item) for item in reversed(layout.items()))
    np.testing.assert_array_equal(whole, grid(0, 32))
    assert not (cleaned & ~whole).any()


class Unpickled:
    def __reduce__(self):
        return print, ("ran",)


BAD = [
    ("binvox.gz", binvox.write(GRID), "is not a gzip file"),
    ("binvox.gz", packed(binvox.write(GRID))[:-9], "truncated|damaged"),
    ("binvox.gz", packed(b"garbage"), "#binvox"),
    ("binvox.gz", packed(bytes(257 << 20)), "unpacks to more than 256 MiB"),
    ("npy", b"", "is damaged"),
    ("npy", npy(np.array([Unpickled()]), allow_pickle=True), "is damaged .*Object arrays"),
    ("npy", npy(np.broadcast_to(True, (2048, 2048, 2048)))[:128], "is damaged"),
    ("npy", npy(np.zeros([3, 5], bool)), "holds 3×5: give a grid of three axes"),
    ("npy", npy(np.ones([513, 1, 1], bool)), "1 to 512 voxels"),
    ("npy", npy(np.zeros([5, 5, 5])), "no occupied voxel"),
    ("npy", npy(GRID * 2.0 - 1), "not from 0 to 1"),
    ("npy", npy(GRID.astype(np.int8) - 1), "numbers under 0"),
    ("npy", npy(GRID.astype(complex)), "type complex128"),
    ("npz", b"PK no archive", "is damaged"),
    ("npz", npz(a=GRID, b=GRID), r"holds 2 arrays \(a, b\): save the grid alone"),
]


@pytest.mark.parametrize(
    ("ending", "data", "said"), BAD, ids=[f"{ending}: {said}" for ending, _, said in BAD]
)
def test_others_are_refused(ending, data, said, capsys):
    with pytest.raises(UserError, match=rf"a.{ending} .*({said})"):
        voxel_files.read(data, f"a.{ending}")
    assert capsys.readouterr().out == ""


def test_folders_of_grids(tmp_path):
    box = np.zeros([16, 8, 4], bool)
    box[2:14, 1:7, 1:3] = True
    written = {
        "Möbel/model/model.binvox.gz": packed(binvox.write(GRID)),
        "chair/train/same.npy": npy(GRID),
        "chair/twice.npy": npy(GRID.repeat(2, 0).repeat(2, 1).repeat(2, 2)),
        "table/box.npz": npz(box=box),
    }
    for name, data in (written | {"table/notes.txt": b""}).items():
        put(tmp_path / name, data)
    source = layouts.open_source("voxels", str(tmp_path), [], 8)
    assert ids(source) == list(written)
    first, same, twice, table = (source.read(item) for item in source.items())
    for each in (first, same, twice):
        np.testing.assert_array_equal(each, GRID)
    expected = np.zeros([8, 8, 8], bool)
    expected[:, 2:6, 3:5] = True  # 12 × 6 × 2 voxels, centred and spanning 8
    np.testing.assert_array_equal(table, expected)
