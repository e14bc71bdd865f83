"""The model that comes with the package, as users get it."""

import json
import shutil

import numpy as np
import pytest
import trimesh

import ptn_semi
from ptn_semi.evaluation import metrics
from ptn_semi.inference import reconstruction
from ptn_semi.models import pretrained
from shapenet_posed_masks import procedural
from support import processes
from support.small_sets import procedural_shapes


@pytest.fixture(scope="module", params=pretrained.FOLDERS)
def reconstructor(request):
    default = request.param == 32
    return reconstruction.load_model(None if default else pretrained.FOLDERS[request.param])


def test_it_says_what_it_is(reconstructor):
    assert reconstructor.info.categories == procedural.CATEGORIES
    for size, folder in pretrained.FOLDERS.items():
        description = json.loads((folder / "model.json").read_text())
        assert description["package"].startswith("ptn_semi ") and description["step"] > 1000
        assert description["voxel_size"] == description["image_size"] == size
        assert sum(path.stat().st_size for path in folder.iterdir()) < 10 << 20


def test_it_reconstructs_shapes_that_it_has_not_seen(reconstructor):
    categories, size = procedural.CATEGORIES * 2, reconstructor.image_size
    projector = reconstructor.networks.render_projector
    shapes = procedural_shapes(projector, categories, 2, voxel_size=size, seed=77)
    index = np.arange(len(shapes))
    truth = shapes.unpack_voxels(index)
    voxels = reconstructor.predict(shapes.unpack_masks(index, 0))
    ours = metrics.average_precision(voxels, truth)
    seen = {
        name: np.mean([procedural.generate(name, i, 0, size) for i in range(10)], axis=0)
        for name in procedural.CATEGORIES
    }
    baseline = metrics.average_precision(np.stack([seen[name] for name in categories]), truth)
    assert ours.mean() > baseline.mean() + 0.15, (ours.mean(), baseline.mean())
    views = np.stack([shapes.unpack_masks(index, view) for view in (0, 1)], axis=1)
    fused, _ = reconstructor.networks.predict_views(views.astype(np.float32))
    assert metrics.average_precision(fused, truth).mean() > ours.mean()


def test_an_image_needs_no_other_model(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    shutil.copy(f"{ptn_semi.__path__[0]}/examples/chair.png", folder)
    (folder / "photo.heic").touch()
    ended = processes.main("ptn_semi.reconstruct", folder, f"--output_dir={tmp_path}", "--color")
    assert ended.returncode == 0 and "warning" not in ended.stdout, ended.stderr + ended.stdout
    assert f"are: {folder}/photo.heic\n" in ended.stdout
    mesh = trimesh.load(tmp_path / "chair.glb", force="mesh")
    assert mesh.is_watertight and mesh.volume > 0.01


def test_the_commands_flags_reach_the_shape(tmp_path):
    image = f"{ptn_semi.__path__[0]}/examples/chair.png"
    flags = "--format=stl", "--format=npz", "--size_mm=80", "--surface=blocky", "--threshold=0.3"
    views = "--views", image, image, "--viewpoints=20,30,10,120"
    ended = processes.main("ptn_semi.reconstruct", *views, *flags, f"--output_dir={tmp_path}")
    assert ended.returncode == 0, ended.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"chair.stl", "chair.npz", "chair.png"}
    assert np.load(tmp_path / "chair.npz")["threshold"] == pytest.approx(0.3)
    mesh = trimesh.load(tmp_path / "chair.stl")
    assert mesh.is_watertight and mesh.extents.max() == pytest.approx(80, rel=1e-3)
    # Blocky: all faces along the axes.
    assert np.isclose(abs(mesh.face_normals).max(axis=1), 1).all()
