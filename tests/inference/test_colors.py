"""Colours of surfaces: which image they come from, and what hidden sides get."""

import dataclasses

import numpy as np
import pytest
import trimesh
from PIL import Image

from ptn_semi.data import framing
from ptn_semi.inference import colors, images_to_shapes
from ptn_semi.inference.reconstruction import View
from ptn_semi.projection.camera import Camera
from ptn_semi.settings import MeshSettings
from ptn_semi.shapes.fits import Fit
from ptn_semi.utils.errors import UserError
from support.extruding_reconstructor import FAKE

# 16 × 16 × 8 voxels along x, y and z, symmetric in z.
BOX = np.pad(np.ones([16, 16, 8], bool), [(8, 8), (8, 8), (12, 12)])
RED, GREEN, BLUE = (220, 20, 20), (20, 200, 20), (20, 20, 220)
# Points and normals of the front's two halves. From azimuth 0, +z is at the left.
FRONT = ([0.25, 0, 0.1], [0.25, 0, -0.1]), ([1, 0, 0], [1, 0, 0])


def view(left, right, scale=1):
    """An image of a square, whose halves have two colours; enlarged."""
    pixels = np.full([64, 64, 3], 255, np.uint8)
    silhouette = np.zeros([64, 64], bool)
    silhouette[14:50, 14:50] = True
    pixels[14:50, 14:32], pixels[14:50, 32:50] = left, right
    pixels, silhouette = (v.repeat(scale, 0).repeat(scale, 1) for v in (pixels, silhouette))
    window = (0, 0, 64 * scale, 64 * scale)
    return View(pixels, silhouette, (), window, framing.frame(silhouette, 32))


def paint(points, normals, *seen, occupied=BOX, perspective=True):
    """Colours of points of the box, in the images seen from azimuths."""
    textures = [colors.make_texture(each) for each, _ in seen]
    fits = [Fit(np.float32([0, azimuth]), 1.0) for _, azimuth in seen]
    painter = colors.Painter(textures, fits, occupied, Camera(perspective))
    return painter(np.array(points, float), np.array(normals, float))


@pytest.mark.parametrize("perspective", [True, False])
def test_what_is_seen_takes_the_colour_there(perspective):
    found = paint(*FRONT, (view(RED, GREEN), 0.0), perspective=perspective)
    np.testing.assert_array_equal(found, [RED, GREEN])


def test_hidden_sides_take_the_opposite_colours_if_the_shape_is_symmetric():
    # From azimuth 90 the side −z is seen, with the front, +x, at the left.
    places = [(x, 0, z) for x in (0.2, -0.2) for z in (-0.125, 0.125)]
    normals = [(0, 0, np.sign(z)) for _, _, z in places]
    seen = (view(RED, GREEN), 90.0)
    np.testing.assert_array_equal(paint(places, normals, seen), [RED, RED, GREEN, GREEN])
    lopsided = BOX.copy()
    lopsided[8:24, 20:24, 12:32] = True  # an arm to the side +z
    painted = paint(places, normals, seen, occupied=lopsided)
    np.testing.assert_array_equal(painted[::2], [RED, GREEN])
    np.testing.assert_allclose(painted[1::2], [np.mean([RED, GREEN], axis=0)] * 2, atol=1)


def test_something_in_between_hides_a_surface():
    occupied = BOX.copy()
    occupied[28:30, 8:24, 8:16] = True  # a screen before the half at −z
    found = paint(*FRONT, (view(RED, GREEN), 0.0), occupied=occupied)
    np.testing.assert_array_equal(found[0], RED)
    assert found[1, 0] > 200  # not green, which is the screen's


def test_the_image_that_faces_a_surface_counts_most():
    found = paint(*FRONT, (view(RED, RED), 0.0), (view(BLUE, BLUE), 60.0))
    assert (found[:, 0] > found[:, 2]).all() and (found[:, 2] > 20).all()


def test_the_background_does_not_bleed_in():
    corners = [[0.25, y, z] for y in (-0.249, 0.249) for z in (-0.124, 0.124)]
    found = paint(corners, [[1, 0, 0]] * 4, (view(RED, RED), 0.0))
    np.testing.assert_array_equal(found, [RED] * 4)
    # A shape that reaches beyond the silhouette, whose window is larger now.
    given = view(RED, RED)
    smaller = given.silhouette & (np.indices([64, 64]) > 20).all(axis=0)
    texture = colors.make_texture(dataclasses.replace(given, silhouette=smaller))
    assert texture.shape == (128, 128, 3) and (texture == RED).all()


def test_large_images_have_the_colours_of_small_ones():
    textures = [colors.make_texture(view(RED, GREEN, scale)) for scale in (1, 30)]
    differing = (np.abs(np.subtract(*textures, dtype=int)) > 2).any(axis=-1)
    assert differing.mean() < 0.03  # along the border of the two colours


def reconstruct(tmp_path, pixels, kind):
    Image.fromarray(pixels).save(tmp_path / "a.png")
    options = images_to_shapes.Options([kind], MeshSettings(color=True))
    [(_, result, _)] = images_to_shapes.reconstruct_files(
        FAKE, [tmp_path / "a.png"], tmp_path / "out", options
    )
    return result


@pytest.mark.parametrize("kind", ["glb", "ply", "obj"])
def test_meshes_and_previews_are_coloured(tmp_path, kind):
    pixels = np.full([64, 64, 3], 250, np.uint8)
    pixels[10:54, 20:44] = RED
    pixels[30:34, 20:44] = BLUE
    file, preview = reconstruct(tmp_path, pixels, kind)
    mesh = trimesh.load(file, force="mesh", process=False)
    assert mesh.is_watertight
    if kind == "glb":
        assert b"COLOR_0" in file.read_bytes()
    else:
        found = mesh.visual.vertex_colors[:, :3].astype(int)
        assert (np.abs(found - RED).max(axis=1) < 20).mean() > 0.5
    shapes = np.asarray(Image.open(preview))[:, 500:].astype(int)
    assert ((shapes[..., 0] - shapes[..., 2]) > 80).sum() > 1000


def test_a_mask_has_no_colours(tmp_path):
    problem = reconstruct(tmp_path, view(RED, RED).silhouette, "glb")
    assert isinstance(problem, UserError) and "a.png has one colour only" in str(problem)
    assert not (tmp_path / "out").exists()
