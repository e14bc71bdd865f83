"""Pix3D's protocol, and a download of Pix3D as it is on a user's disk."""

import json

import numpy as np
import pytest
import scipy.io
from PIL import Image

from ptn_semi.evaluation import pix3d
from ptn_semi.utils.errors import UserError


def entry(number=1, **changes):
    return {
        "category": "chair",
        "img": f"img/chair/{number:04d}.jpg",
        "mask": f"mask/chair/{number:04d}.png",
        "voxel": "model/chair/A/voxel.mat",
        "cam_position": [0.0, 1.0, -1.0],  # before the chair, and as high as far
        "inplane_rotation": 0.1,
        "truncated": False,
        "occluded": False,
        "slightly_occluded": False,
    } | changes


@pytest.fixture
def download(tmp_path):
    entries = [
        entry(1),
        entry(2, occluded=True),
        entry(3, truncated=True),
        entry(4, category="bed"),
    ]
    (tmp_path / "pix3d.json").write_text(json.dumps(entries))
    (tmp_path / "mask" / "chair").mkdir(parents=True)
    Image.new("L", (20, 30), 255).save(tmp_path / "mask" / "chair" / "0001.png")
    voxels = np.zeros((128, 128, 128), np.uint8)  # to the left, outward, up
    voxels[30:98, 20:108, 40:60] = 1
    voxels[30:98, 20:30, 60:120] = 1  # the back, away from the viewer
    (tmp_path / "model" / "chair" / "A").mkdir(parents=True)
    scipy.io.savemat(tmp_path / "model" / "chair" / "A" / "voxel.mat", {"voxel": voxels})
    return tmp_path


def test_only_objects_in_full_view_are_listed(download):
    (found,) = pix3d.list_examples(download)
    assert found.mask == download / "mask" / "chair" / "0001.png" and found.mask.exists()
    assert found.elevation == pytest.approx(45) and found.roll == pytest.approx(np.degrees(0.1))
    with pytest.raises(UserError, match="has no sofa that is in full view"):
        pix3d.list_examples(download, "sofa")


def test_shapes_are_turned_to_our_axes(download):
    (example,) = pix3d.list_examples(download)
    voxels = pix3d.read_voxels(example.voxels)
    assert voxels.shape == (32, 32, 32) and voxels.dtype == bool
    x, y, z = (np.flatnonzero(voxels.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    assert (x[0], x[-1], y[0], y[-1], z[0], z[-1]) == (5, 26, 10, 29, 7, 24)
    assert voxels[5, 25].any() and not voxels[20, 25].any()  # the front is at +x


def test_what_is_not_pix3d_is_refused(download):
    (download / "pix3d.json").write_text('[{"mask": 1}]')
    with pytest.raises(UserError, match=r"is not Pix3D's \('category'\): download Pix3D again"):
        pix3d.list_examples(download)
    broken = download / "model" / "chair" / "A" / "voxel.mat"
    broken.write_bytes(b"no matlab file")
    with pytest.raises(UserError, match="cannot be read"):
        pix3d.read_voxels(broken)
    with pytest.raises(UserError, match=r"pix3d\.json"):
        pix3d.list_examples(download / "mask")


def test_place_and_size_do_not_count():
    small, large = np.zeros((32, 32, 32)), np.zeros((64, 64, 64))
    small[4:12, 6:10, 8:12] = 1
    large[8:56, 20:44, 30:54] = 0.3
    scores = pix3d.ious(pix3d.in_box(large), pix3d.in_box(small))
    assert scores.shape == (50,)
    assert scores[:25].min() > 0.9 and not scores[30:].any()
    assert not pix3d.in_box(np.zeros((32, 32, 32))).any()


def test_a_box_is_filled_along_its_longest_side():
    voxels = np.zeros((32, 32, 32))
    voxels[10:26, 3:11, 20:24] = 1
    boxed = pix3d.in_box(voxels) > 0.5
    sides = [np.flatnonzero(boxed.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    assert len(sides[0]) == 32 and abs(len(sides[1]) - 16) <= 2 and abs(len(sides[2]) - 8) <= 2
    for side in sides:
        assert side[0] + side[-1] == 31  # in the middle
