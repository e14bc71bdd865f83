"""Visual hulls: they hold the shape, explain its masks, and get tighter with more views."""

import numpy as np
import tensorflow as tf

from ptn_semi.projection import geometry, visual_hull
from ptn_semi.projection.projector import Projector

SIZE = 16
PROJECTOR = Projector(SIZE, jit_compile=False)


def make_shapes(count=3):
    """Balls with a box cut out of them."""
    rng = np.random.default_rng(0)
    places = (np.stack(np.mgrid[:SIZE, :SIZE, :SIZE], axis=-1) + 0.5) / SIZE - 0.5
    shapes = []
    for _ in range(count):
        ball = np.linalg.norm(places, axis=-1) < 0.4
        cut = (places > rng.uniform(-0.3, 0.2, 3)).all(axis=-1)
        shapes.append(ball & ~cut)
    return np.stack(shapes)


def render(shapes, num_views):
    """masks bool [B, V, S, S, 1] as data sets have them, and viewpoints [B, V, 2]."""
    count = len(shapes) * num_views
    viewpoints = geometry.sample_viewpoints(count, [0, 0])
    voxels = tf.cast(np.repeat(shapes, num_views, axis=0), tf.float32)
    masks = PROJECTOR([voxels, viewpoints]).numpy() > 0
    leading = (len(shapes), num_views)
    return masks.reshape(*leading, SIZE, SIZE, 1), viewpoints.numpy().reshape(*leading, 2)


SHAPES = make_shapes()


def test_a_hull_holds_the_shape_and_projects_to_its_masks():
    masks, viewpoints = render(SHAPES, 6)
    hull = visual_hull.visual_hull(PROJECTOR, masks, viewpoints, SIZE).numpy()
    assert hull.dtype == bool
    assert hull[SHAPES].all()
    seen = PROJECTOR([tf.cast(np.repeat(hull, 6, axis=0), tf.float32), viewpoints.reshape(-1, 2)])
    np.testing.assert_array_equal(seen.numpy() > 0, masks.reshape(-1, SIZE, SIZE, 1))


def test_more_views_carve_more():
    masks, viewpoints = render(SHAPES, 24)
    filled = [
        visual_hull.visual_hull(PROJECTOR, masks[:, :views], viewpoints[:, :views], SIZE)
        .numpy()
        .sum()
        for views in (1, 4, 24)
    ]
    assert filled[0] > 1.5 * filled[1] > 1.5 * filled[2]
    assert SHAPES.sum() <= filled[2] < 1.4 * SHAPES.sum()
