"""Image files to meshes: what is written, and that one bad image stops no other."""

import dataclasses

import numpy as np
import pytest
import trimesh
from PIL import Image

from ptn_semi import settings
from ptn_semi.inference import images_to_shapes
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from support.extruding_reconstructor import FAKE


def image(path, part=slice(4, 28)):
    mask = np.zeros([32, 32], np.uint8)
    mask[part, 8:20] = 255
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask).save(path)
    return path


def run(paths, tmp_path, **kwargs):
    options = images_to_shapes.Options(**{"formats": settings.SHAPE_FORMATS, **kwargs})
    return list(images_to_shapes.reconstruct_files(FAKE, paths, tmp_path / "out", options))


@pytest.mark.parametrize("surface", settings.SURFACES)
def test_all_formats_hold_the_shape(tmp_path, surface):
    meshes = settings.MeshSettings(surface)
    [(path, written, result)] = run([image(tmp_path / "a.png")], tmp_path, meshes=meshes)
    assert path == tmp_path / "a.png" and result.doubts == ((),)
    assert [f.suffix[1:] for f in written] == [*settings.SHAPE_FORMATS, "png"]
    assert {f.stem for f in written} == {"a"}
    kept = np.load(tmp_path / "out/a.npz")
    assert kept["threshold"] == 0.3 and kept["probabilities"].shape == (16, 16, 16)
    occupied = kept["probabilities"] > 0.3
    assert 0.1 < occupied.mean() < 0.9
    data = (tmp_path / "out/a.binvox").read_bytes()
    np.testing.assert_array_equal(binvox.read(data, "a"), occupied)
    for kind in settings.MESH_FORMATS:
        mesh = trimesh.load(tmp_path / f"out/a.{kind}", force="mesh")
        assert mesh.is_watertight and mesh.volume == pytest.approx(occupied.mean(), rel=0.25)
    assert Image.open(tmp_path / "out/a.png").width > 1000


def test_folders_names_and_bad_images(tmp_path):
    image(tmp_path / "x" / "a.png")
    image(tmp_path / "y" / "a.png")
    (tmp_path / "x" / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    results = run([tmp_path / "x", bad, tmp_path / "empty", tmp_path / "y"], tmp_path)
    assert [isinstance(result, UserError) for _, result, _ in results] == [False, True, True, False]
    assert "bad.png" in str(results[1][1]) and "no images" in str(results[2][1])
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"a.glb", "a_2.glb"} <= names and not any("bad" in name for name in names)


def test_folders_of_odd_things(tmp_path, monkeypatch):
    inside, outside = image(tmp_path / "x" / "a.png"), image(tmp_path / "y" / "secret.png")
    (tmp_path / "x" / "same.png").symlink_to(inside)
    (tmp_path / "x" / "out.png").symlink_to(outside)
    (tmp_path / "x" / "loop.png").symlink_to("loop.png")
    (tmp_path / "x" / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    for folder in (tmp_path / "x", tmp_path / "link"):
        listed = {path.name: problem for path, problem in images_to_shapes.images_in([folder])}
        assert listed.keys() == {"a.png", "same.png", "out.png", "loop.png"}
        problem = listed.pop("out.png")
        assert f"{folder}/out.png is a symbolic link that leads out of" in str(problem)
        assert not any(listed.values())
    [(_, problem)] = images_to_shapes.images_in(["n" * 300])  # too long a name, once tried
    assert problem is None

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    [(_, problem)] = images_to_shapes.images_in([tmp_path / "x"])
    assert f"{tmp_path / 'x'} cannot be listed" in str(problem)


def test_no_file_replaces_an_image_or_another_ones(tmp_path):
    folder = tmp_path / "out"
    mine = image(folder / "a.png")
    before = mine.read_bytes()
    other = image(tmp_path / "x" / "b.png")
    paths = [folder, other, image(tmp_path / "y" / "b.png")]
    results = {path: result for path, result, _ in run(paths, tmp_path, formats=["npz"])}
    assert "would replace the image" in str(results[mine]) and mine.read_bytes() == before
    assert [file.name for file in results[other]] == ["b.npz", "b.png"]
    paths = [image(tmp_path / place) for place in ("1/c.png", "2/c.png", "3/c_2.png")]
    written = [file.name for _, files, _ in run(paths, tmp_path, formats=[]) for file in files]
    assert written == ["c.png", "c_2.png", "c_2_2.png"]


def test_a_threshold_over_everything_is_said(tmp_path):
    [(_, problem, _)] = run([image(tmp_path / "a.png")], tmp_path, threshold=0.95)
    assert isinstance(problem, UserError) and "threshold 0.95" in str(problem)
    assert not (tmp_path / "out").exists()


def test_frames_are_the_training_masks_or_kept(tmp_path):
    high = image(tmp_path / "a.png", slice(0, 8))
    for framed in (False, True):
        run([high], tmp_path, framed=framed, formats=["npz"])
        occupied = np.load(tmp_path / "out/a.npz")["probabilities"].max(axis=(0, 2)) > 0.5
        middle = np.flatnonzero(occupied).mean() - 7.5
        assert middle > 3 if framed else abs(middle) < 1


def test_shapes_that_do_not_fit_their_mask_are_doubtful(tmp_path):
    fitting = dataclasses.replace(FAKE, categories=("chair", "table"))
    plate = np.zeros((1, 16, 16, 16), np.float32)
    plate[:, :, 8] = 0.9
    wrong = dataclasses.replace(fitting, fuse=lambda *_: (plate, None))
    files = [image(tmp_path / "a.png")]
    for reconstructor, doubts in ((fitting, 0), (wrong, 1)):
        [(_, _, result)] = images_to_shapes.reconstruct_files(
            reconstructor, files, tmp_path / "out", images_to_shapes.Options(["npz"])
        )
        assert len(result.doubts[0]) == doubts, result.doubts
        assert (result.fits[0].iou > 0.6) == (not doubts)
    assert "trained on chair and table" in result.doubts[0][0]


def test_several_views_become_one_shape(tmp_path):
    paths = [image(tmp_path / "x" / "left.png"), image(tmp_path / "right.png", slice(0, 8))]
    alone = [run([path], tmp_path, formats=["npz"], framed=True)[0][2].voxels for path in paths]
    options = images_to_shapes.Options(["npz"], framed=True)
    given = [(20, 30), (10, 200)]
    views, written, result = images_to_shapes.reconstruct_views(
        FAKE, [tmp_path / "x", paths[1]], tmp_path / "out", options, given
    )
    assert views == paths and [file.name for file in written] == ["left.npz", "left.png"]
    np.testing.assert_array_equal(result.voxels, np.maximum(*alone))
    assert [(fit.elevation, fit.azimuth) for fit in result.fits] == given
    assert len(result.doubts) == 2
    rows = [Image.open(tmp_path / "out" / name).height for name in ("left.png", "right.png")]
    assert rows[0] > 1.5 * rows[1]


@pytest.mark.parametrize(
    ("names", "viewpoints", "said"),
    [
        (["a.png"], None, "needs 2 to 8 images of one object, not 1"),
        (["a.png"] * 9, None, "not 9"),
        (["a.png", "b.png"], [(0, 0)], "has 1 viewpoints, and there are 2 images"),
        (["a.png", "none.png"], None, "none.png"),
        (["a.png", "empty"], None, "empty holds no images"),
    ],
)
def test_views_that_cannot_be_used_are_named(tmp_path, monkeypatch, names, viewpoints, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    image(tmp_path / "a.png"), image(tmp_path / "b.png")
    with pytest.raises(UserError, match=said):
        images_to_shapes.reconstruct_views(
            FAKE, names, "out", images_to_shapes.Options(), viewpoints
        )
    assert not (tmp_path / "out").exists()
