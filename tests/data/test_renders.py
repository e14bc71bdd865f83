"""Masks of shapes in plain files, and what they say about the camera."""

import json

import numpy as np
import pytest
from PIL import Image

from ptn_semi.data import checks, preparation, renders
from ptn_semi.projection import geometry
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import Projector
from ptn_semi.settings import ShapeSettings
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural
from support import processes
from support.mesh_files import TETRAHEDRON
from support.small_sets import examples, small


@pytest.fixture
def chairs(tmp_path):
    """A folder of voxel files, in the folder of a data set."""
    folder = tmp_path / "shapes" / "chair"
    folder.mkdir(parents=True)
    for index in range(3):
        np.save(folder / f"{index}.npy", procedural.generate("chair", index, 0, 32))
    return folder


SETTINGS = ShapeSettings("voxels", num_views=3, image_size=16)


def render(chosen, path, output):
    return list(renders.write(chosen, *checks.find_shapes(chosen, str(path)), output))


def masks_in(folder):
    return np.stack([np.asarray(Image.open(p)) for p in sorted(folder.glob("mask_*.png"))])


def test_a_shape_is_rendered_as_the_data_set_renders_it(chairs, tmp_path):
    data = small(tmp_path / "data", dataset="voxels", manual_dir=str(chairs.parent))
    expected = examples(preparation.prepare(data))
    for item, folder in render(SETTINGS, chairs, tmp_path / "out"):
        example = expected[item.model_id]
        np.testing.assert_array_equal(masks_in(folder) > 0, example["masks"][..., 0])
        voxels = binvox.read((folder / "voxels.binvox").read_bytes(), "it")
        np.testing.assert_array_equal(voxels, example["voxels"])
        told = json.loads((folder / "viewpoints.json").read_text())
        assert told["category"] == "chair" and told["camera"] == Camera().to_dict()
        viewpoints = [[view["elevation"], view["azimuth"]] for view in told["views"]]
        np.testing.assert_array_equal(np.float32(viewpoints), example["viewpoints"])
        assert (folder / "views.png").exists()
        del expected[item.model_id]
    assert not expected


@pytest.mark.parametrize("camera", [Camera(), Camera(perspective=False)])
def test_matrices_take_voxels_to_the_pixels_that_show_them(camera):
    voxels = procedural.generate("airplane", 0, 0, 32)
    centres = (np.argwhere(voxels) + 0.5) / 32 - 0.5
    projector = Projector(64, camera, pooling="max")
    for viewpoint in ([20, 0], [35, 200]):
        mask = projector([voxels[None].astype(np.float32), np.float32([viewpoint])])[0, ..., 0]
        matrix = geometry.projection_matrix(viewpoint, camera, 64)
        u, v, w = matrix @ np.c_[centres, np.ones(len(centres))].T
        columns, rows = np.floor(u / w).astype(int), np.floor(v / w).astype(int)
        assert (mask.numpy()[rows, columns] > 0).mean() > 0.99
        # They reach as far as the silhouette does, to half a voxel: about a pixel.
        shown = np.argwhere(mask.numpy() > 0)
        np.testing.assert_allclose(shown.min(axis=0), [rows.min(), columns.min()], atol=1.5)
        np.testing.assert_allclose(shown.max(axis=0), [rows.max(), columns.max()], atol=1.5)


def test_fewer_views_leave_no_masks_of_an_earlier_call(chairs, tmp_path):
    render(SETTINGS, chairs / "0.npy", tmp_path / "out")
    fewer = ShapeSettings("voxels", num_views=2)
    (written,) = render(fewer, chairs / "0.npy", tmp_path / "out")
    assert written[1] == tmp_path / "out" / "chair" / "0.npy"
    assert masks_in(written[1]).shape == (2, 32, 32)


@pytest.mark.parametrize(
    ("path", "changes", "said"),
    [
        ("none", {}, "none does not exist"),
        ("0.npy", {"dataset": "meshes"}, "--dataset=meshes cannot read"),
        ("0.npy", {"dataset": "procedural"}, "--dataset=procedural are given"),
        ("0.npy", {"manual_dir": "here"}, "--manual_dir are given"),
        (".", {"categories": ("chair",)}, "leave out --categories"),
    ],
)
def test_shapes_are_found_and_paths_without_any_are_refused(
    chairs, monkeypatch, path, changes, said
):
    for found, count in ((chairs / "1.npy", 1), (chairs, 3), (chairs.parent, 3)):
        _, items = checks.find_shapes(SETTINGS, str(found))
        assert len(items) == count and "chair/1.npy" in [item.model_id for item in items]
    monkeypatch.chdir(chairs)
    with pytest.raises(UserError, match=said):
        checks.find_shapes(ShapeSettings(**{"dataset": "voxels", **changes}), path)


def test_damaged_files_are_named_and_left_out_if_told(tmp_path):
    folder = tmp_path / "chair"
    folder.mkdir()
    (folder / "good.off").write_bytes(b"OFF\n4 4 0\n" + TETRAHEDRON)
    (folder / "bad.off").write_text("nothing")
    (folder / "other.fbx").touch()
    (bad, fault), (good, written) = render(ShapeSettings("meshes"), folder, tmp_path / "library")
    assert (bad.path, good.path) == ("chair/bad.off", "chair/good.off")
    assert "bad.off cannot be read" in str(fault) and written.is_dir()
    output = f"--output_dir={tmp_path / 'command'}"
    ended = processes.main("ptn_semi.render", folder, "--num_views=2", output, "--skip_invalid")
    assert ended.returncode == 0, ended.stderr
    assert "1 of 2 shapes" in ended.stdout and "bad.off" in ended.stdout
    assert "1 file of shapes is not read by --dataset=meshes: chair/other.fbx" in ended.stdout
    assert len(list((tmp_path / "command" / "chair" / "good.off").iterdir())) == 5
