"""Image files to meshes: what is written, and that one bad image does not stop the others."""

import dataclasses
from unittest import mock

import numpy as np
import pytest
import trimesh
from PIL import Image

from ptn_semi import settings
from ptn_semi.images import folders
from ptn_semi.inference import images_to_shapes
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from support.extruding_reconstructor import FAKE, ExtrudingNetworks


def image(path, part=slice(4, 28)):
    mask = np.zeros([32, 32], np.uint8)
    mask[part, 8:20] = 255
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask).save(path)
    return path


def run(paths, tmp_path, formats=("npz",), reconstructor=FAKE, shapes="threshold", **options):
    options = images_to_shapes.Options(formats, shapes=shapes, **options)
    return list(images_to_shapes.reconstruct_files(reconstructor, paths, tmp_path / "out", options))


@pytest.mark.parametrize("surface", settings.SURFACES)
def test_all_formats_hold_the_shape(tmp_path, surface):
    paths, meshes = [image(tmp_path / "a.png")], settings.MeshSettings(surface)
    [(path, written, result)] = run(paths, tmp_path, settings.SHAPE_FORMATS, meshes=meshes)
    assert path == tmp_path / "a.png" and result.warnings == ((),)
    assert [f.name for f in written] == [f"a.{kind}" for kind in (*settings.SHAPE_FORMATS, "png")]
    kept = np.load(tmp_path / "out/a.npz")
    assert kept["threshold"] == 0.3 and kept["probabilities"].shape == (32, 32, 32)
    occupied = kept["probabilities"] > 0.3
    assert 0.1 < occupied.mean() < 0.9
    data = (tmp_path / "out/a.binvox").read_bytes()
    np.testing.assert_array_equal(binvox.read(data, "a"), occupied)
    np.testing.assert_array_equal(kept["occupied"], occupied)
    for kind in settings.MESH_FORMATS:
        mesh = trimesh.load(tmp_path / f"out/a.{kind}", force="mesh")
        assert mesh.is_watertight and mesh.volume == pytest.approx(occupied.mean(), rel=0.25)
    assert Image.open(tmp_path / "out/a.png").width > 1000


def test_a_bad_image_does_not_stop_the_others(tmp_path):
    image(tmp_path / "x" / "a.png"), image(tmp_path / "y" / "a.png")
    (tmp_path / "x" / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.png").write_bytes(b"")
    paths = [tmp_path / name for name in ("x", "bad.png", "empty", "y")]
    first, bad, empty, second = [result for _, result, _ in run(paths, tmp_path)]
    assert "bad.png" in str(bad) and "no images" in str(empty)
    assert [file.name for file in first] == ["a.npz", "a.png"]
    assert [file.name for file in second] == ["a_2.npz", "a_2.png"]


def test_the_label_of_an_object_can_be_chosen(tmp_path):
    labels = np.zeros([32, 32], np.uint8)
    labels[4:28, 8:20], labels[4:28, 22:30] = 9, 20
    Image.fromarray(labels).save(tmp_path / "labels.png")
    [(_, problem, _)] = run([tmp_path / "labels.png"], tmp_path)
    assert "--label=9" in str(problem)
    [(_, _, result)] = run([tmp_path / "labels.png"], tmp_path, label=9, framed=True)
    np.testing.assert_array_equal(result.masks[0, ..., 0], labels == 9)


def test_very_thin_images_have_previews(tmp_path):
    silhouette = np.zeros([4, 3000], np.uint8)
    silhouette[1:3, 1500:1502] = 255
    Image.fromarray(silhouette).save(tmp_path / "thin.png")
    [(_, written, _)] = run([tmp_path / "thin.png"], tmp_path)
    assert [file.name for file in written] == ["thin.npz", "thin.png"]


def test_folders_list_images_and_links_to_images(tmp_path, monkeypatch):
    image(tmp_path / "x" / "a.png")
    (tmp_path / "x" / "out.png").symlink_to(image(tmp_path / "y" / "b.png"))
    (tmp_path / "x" / "loop.png").symlink_to("loop.png")
    (tmp_path / "x" / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    for folder in (tmp_path / "x", tmp_path / "link"):
        listed = [(path.name, problem) for path, problem in folders.list_images([folder])]
        assert listed == [("a.png", None), ("loop.png", None), ("out.png", None)]
    [(_, problem)] = folders.list_images(["n" * 300])  # too long for the name of a folder
    assert problem is None
    refusing = mock.Mock(side_effect=PermissionError(13, "Permission denied"))
    monkeypatch.setattr("pathlib.Path.iterdir", refusing)
    [(_, problem)] = folders.list_images([tmp_path / "x"])
    assert f"{tmp_path / 'x'} cannot be listed" in str(problem)


def test_images_and_folders_that_are_not_read_are_named_and_counted(tmp_path):
    folder = image(tmp_path / "x" / "a.png").parent
    (folder / "notes.txt").touch()
    (folder / ".hidden").mkdir()
    assert folders.note_ignored([folder, folder / "a.png", "nowhere"]) == ""
    (folder / "b.HEIC").touch()
    one = folders.note_ignored([folder])
    assert one.startswith("1 file or folder is not read") and one.endswith(f": {folder}/b.HEIC")
    for name in ("c.avif", "d.jp2", "e.jxl", "f.heif"):
        (folder / name).touch()
    (folder / "more").mkdir()
    many = folders.note_ignored([folder, folder / "a.png"])
    assert many.startswith("6 files or folders are not read") and many.endswith("f.heif and 1 more")


def test_previews_never_replace_images_or_each_other(tmp_path):
    mine = image(tmp_path / "out" / "a.png")
    before = mine.read_bytes()
    [(_, problem, _)] = run([mine], tmp_path)
    assert "would replace the image" in str(problem) and mine.read_bytes() == before
    paths = [image(tmp_path / place) for place in ("1/c.png", "2/c.png", "3/c_2.png")]
    written = [file.name for _, files, _ in run(paths, tmp_path, formats=[]) for file in files]
    assert written == ["c.png", "c_2.png", "c_2_2.png"]


def test_a_threshold_above_all_voxels_is_explained(tmp_path):
    [(_, problem, _)] = run([image(tmp_path / "a.png")], tmp_path, threshold=0.95)
    assert isinstance(problem, UserError) and "threshold 0.95" in str(problem)
    assert not (tmp_path / "out").exists()


def test_the_images_own_frame_is_kept_if_asked(tmp_path):
    high = image(tmp_path / "a.png", slice(0, 8))
    for framed in (False, True):
        [(_, _, result)] = run([high], tmp_path, framed=framed)
        middle = np.flatnonzero(result.shape.occupied.any(axis=(0, 2))).mean() - 15.5
        assert middle > 6 if framed else abs(middle) < 2


def test_shapes_that_do_not_fit_their_mask_give_a_warning(tmp_path):
    info = dataclasses.replace(FAKE.info, categories=("chair", "table"))
    plate = np.zeros((1, 32, 32, 32), np.float32)
    plate[:, :, 15:17] = 0.9
    plates = ExtrudingNetworks(32)
    plates.predict_views = lambda *_: (plate, None)
    fitting = dataclasses.replace(FAKE, info=info)
    wrong = dataclasses.replace(fitting, networks=plates)
    for reconstructor, num_warnings in ((fitting, 0), (wrong, 1)):
        [(_, _, result)] = run([image(tmp_path / "a.png")], tmp_path, reconstructor=reconstructor)
        assert len(result.warnings[0]) == num_warnings, result.warnings
        assert (result.fits[0].iou > 0.6) == (num_warnings == 0)
    assert "trained on chair and table" in result.warnings[0][0]


def test_several_views_become_one_shape(tmp_path):
    paths = [image(tmp_path / "x" / "left.png"), image(tmp_path / "right.png", slice(0, 8))]
    alone = [run([path], tmp_path, framed=True)[0][2].voxels for path in paths]
    options = images_to_shapes.Options(["npz"], framed=True)
    given = [(20, 30), (10, 200)]
    views, written, result = images_to_shapes.reconstruct_views(
        FAKE, [tmp_path / "x", paths[1]], tmp_path / "out", options, given
    )
    assert views == paths and [file.name for file in written] == ["left.npz", "left.png"]
    np.testing.assert_array_equal(result.voxels, np.maximum(*alone))
    assert [(fit.elevation, fit.azimuth) for fit in result.fits] == given
    assert len(result.warnings) == 2
    heights = [Image.open(tmp_path / "out" / name).height for name in ("left.png", "right.png")]
    assert heights[0] > 1.5 * heights[1]  # a row for each view


@pytest.mark.parametrize(
    ("names", "viewpoints", "said"),
    [
        (["a.png"] * 9, None, "needs 2 to 8 images of one object, not 9"),
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
