"""Reading and writing binvox files, whole and damaged."""

import io

import numpy as np
import pytest
from trimesh.exchange.binvox import load_binvox

from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError

HEADER = b"#binvox 1\ndim 2 2 2\ntranslate 0 0 0\nscale 1\ndata\n"


def random_grid(n, density=0.3):
    return np.random.default_rng(n).random((n, n, n)) < density


def test_literal_file_runs_y_fastest_then_z_then_x():
    # x = 0: z = 0 has y = 0, 1 -> 0, 1; z = 1 -> 0, 0; x = 1: all but the last are empty.
    data = HEADER + bytes([0, 1, 1, 1, 0, 5, 1, 1])
    voxels = binvox.read(data, "two.binvox")
    assert voxels.dtype == bool
    assert np.argwhere(voxels).tolist() == [[0, 1, 0], [1, 1, 1]]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of trimesh, for one voxel
@pytest.mark.parametrize(("n", "density"), [(1, 1.1), (2, 0.5), (17, 0.02), (32, 0.5), (20, 1.1)])
def test_what_is_written_reads_the_same(n, density):
    voxels = random_grid(n, density)
    data = binvox.write(voxels)
    np.testing.assert_array_equal(binvox.read(data, "a.binvox"), voxels)
    np.testing.assert_array_equal(load_binvox(io.BytesIO(data)).matrix, voxels)  # trimesh's


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is empty"),
        (b"\x00\xffgarbage" * 100, "does not begin with"),
        (b"#binvox 1\ndim 2 2 2\n", "without its 'data' line"),
        (b"#binvox 1\n" + b"comment\n" * 10**6 + b"data\n", "without its 'data' line"),
        (b"#binvox 1\ntranslate 0 0 0\ndata\n\x01\x08", "damaged 'dim'"),
        (b"#binvox 1\ndim 2 2 2\ndim 4 4 4\ndata\n\x01\x08", "damaged 'dim'"),
        (b"#binvox 1\ndim 3_2 3_2 3_2\ndata\n", "damaged 'dim'"),
        (b"#binvox 1\ndim %b\ndata\n" % (b" ".join([b"9" * 300] * 3)), "damaged 'dim'"),
        (b"#binvox 1\ndim 2 2 4\ndata\n\x01\x10", "2×2×4 voxels, which is not cubic"),
        (b"#binvox 1\ndim 0 0 0\ndata\n", "claims 0×0×0"),
        (b"#binvox 1\ndim -2 -2 -2\ndata\n\x01\x08", "claims -2×-2×-2"),
        (b"#binvox 1\ndim 99999 99999 99999\ndata\n\x01\xff", "but a side must be 1 to 512"),
        (b"#binvox 1\ndim 512 512 512\ndata\n\x01\xff", "is truncated"),
        (HEADER, "is truncated"),
        (HEADER + bytes([1, 7]), "is truncated (its runs hold 7 voxels, not 2³ = 8)"),
        (HEADER + bytes([1, 9]), "is damaged (its runs hold 9"),
        (HEADER + bytes([1, 8, 0]), "its last run has no count"),
        (HEADER + bytes([2, 8]), "value 2"),
        (HEADER + bytes([0, 8, 1, 0]), "has no occupied voxel"),
    ],
)
def test_damaged_files_are_named_with_their_fault(data, fault):
    with pytest.raises(UserError) as caught:
        binvox.read(data, "some/model.binvox")
    assert str(caught.value).startswith("some/model.binvox ")
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\ndim", b"\n# made by hand\n# twice\n\ndim", 1),
        lambda data: data.replace(b"8 8 8\n", b"8 8 8 # voxels\n", 1),
        lambda data: data.replace(b"\ndata\n", b"\ndata # runs follow\r\n", 1),
        lambda data: data.replace(b"\ndata\n", b"\ndata \n", 1),
        lambda data: (
            data[: data.index(b"data\n") + 5].replace(b"\n", b"\r\n")
            + data[data.index(b"data\n") + 5 :]
        ),
        lambda data: data + b"\n",
    ],
    ids=["comments", "after dim", "after data", "space after data", "CRLF", "newline at the end"],
)
def test_headers_as_tools_write_them_are_read(change):
    voxels = random_grid(8)
    read = binvox.read(change(binvox.write(voxels)), "other.binvox")
    np.testing.assert_array_equal(read, voxels)
