"""Draw docs/conventions.png: `python tools/draw_conventions.py --output=docs/conventions.png`.

Everything in it is placed by `geometry.rotation` or rendered by the projector, as in the code.
"""

import itertools

import numpy as np
from absl import flags as absl_flags
from matplotlib import figure

from ptn_semi.projection.camera import ELEVATION_RANGE, Camera
from ptn_semi.utils import cli, files, flags
from shapenet_posed_masks import procedural

with cli.loading():
    from ptn_semi.projection import geometry
    from ptn_semi.projection.projector import Projector
    from ptn_semi.visual import shading, sheets

FLAGS = absl_flags.FLAGS

CHAIR = 196  # its writing board on the right tells left and right apart
VIEWS = (  # elevation, azimuth, what is seen
    (0, 0, "its front"),
    (0, 90, "its left side"),
    (0, 180, "its back"),
    (0, 270, "its right side"),
    (30, 45, "front left, from above"),
    (30, 180, "its back, from above"),
    (-20, 315, "front right, from below"),
)
RADIUS = 0.92  # of the circles of cameras, in grid sides
X_COLOR, Y_COLOR, Z_COLOR = "#c83232", "#288c3c", "#325ac8"
ARROW = {"arrowstyle": "-|>", "mutation_scale": 18, "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0}
CAMERA_COLOR, FAINT, INK = "#7d41a0", "#969aa2", "#282c34"


class Drawing:
    """The chair seen orthographically from a viewpoint, and points of object space over it."""

    def __init__(self, axes, chair: np.ndarray, viewpoint: tuple[float, float], title: str):
        self.axes = axes
        self.rotation = geometry.rotation(np.array(viewpoint, np.float64)).numpy()
        picture = shading.shade_voxels(chair, viewpoint, 600, sheets.TRUE_COLOR, half_width=0.9)
        axes.imshow(picture, extent=(-0.9, 0.9, -0.9, 0.9))
        axes.set(xlim=(-1.25, 1.25), ylim=(-1.1, 1.1))
        axes.set_title(title, fontsize=17)
        axes.axis("off")

    def at(self, point) -> np.ndarray:
        """Return where a point [3] in object axes is in the drawing, as [2]."""
        return (self.rotation @ np.asarray(point, float))[:2]

    def line(self, points, **style) -> None:
        """Draw a line through points [3] in object axes."""
        self.axes.plot(*np.transpose([self.at(point) for point in points]), **style)

    def arrow(self, start, end, color: str, bend: float = 0) -> None:
        """Draw an arrow between two points [3] in object axes; `bend` curves it."""
        style = ARROW | {"color": color, "connectionstyle": f"arc3,rad={bend}"}
        self.axes.annotate("", self.at(end), self.at(start), arrowprops=style)

    def text(self, point, text: str, shift=(0.0, 0.0), color: str = INK, **style) -> None:
        """Write text beside a point [3] in object axes; `shift` is in the drawing's units."""
        style = {"ha": "center", "va": "center", "fontsize": 11} | style
        self.axes.text(*(self.at(point) + shift), text, color=color, **style)

    def camera(self, elevation: float, azimuth: float, text: str, shift, **style) -> None:
        """Draw a camera that looks at the origin, and text beside it."""
        position = camera_position(elevation, azimuth)
        self.arrow(position, 0.65 * position, CAMERA_COLOR)
        x, y = self.at(position)
        angle = np.degrees(np.arctan2(y, x))
        self.axes.plot(x, y, marker=(4, 0, angle + 45), markersize=17, color=CAMERA_COLOR)
        self.text(position, text, shift, CAMERA_COLOR, **style)


def camera_position(elevation: float, azimuth: float) -> np.ndarray:
    """Return where a camera is drawn, [3] in object axes."""
    return RADIUS * geometry.rotation(np.array([elevation, azimuth], np.float64)).numpy()[2]


def draw_object(axes, chair: np.ndarray) -> None:
    """Draw the object axes and the voxel grid."""
    drawing = Drawing(axes, chair, (25, 320), "the object: voxels[x, y, z]")
    corners = np.array(list(np.ndindex(2, 2, 2))) - 0.5
    for a, b in itertools.combinations(corners, 2):
        if np.abs(a - b).sum() == 1:
            drawing.line([a, b], color=FAINT, linewidth=0.8)
    for end, color, name, shift in (
        ([0.98, 0, 0], X_COLOR, "+x, its front", (0, -0.1)),
        ([0, 0.75, 0], Y_COLOR, "+y, up", (0.24, 0.02)),
        ([0, 0, 0.98], Z_COLOR, "+z, its\nright side", (0, -0.16)),
    ):
        drawing.arrow([0, 0, 0], end, color)
        drawing.text(end, name, shift, color, fontsize=12)
    drawing.line([[0, 0, 0]], marker="o", color=INK)
    drawing.text([0.5, -0.5, 0.5], "the voxel grid: a cube of side 1 around the origin", (0, -0.1))


def draw_plan(axes, chair: np.ndarray) -> None:
    """Draw the azimuth: cameras around the object, seen from above."""
    drawing = Drawing(axes, chair, (90, 270), "azimuth, seen from above")
    circle = [camera_position(0, azimuth) for azimuth in range(361)]
    drawing.line(circle, color=FAINT, linewidth=0.8, linestyle=(0, (8, 8)))
    for azimuth, seen, shift in (
        (0, "\nsees its front", (0.02, -0.2)),
        (90, " sees its left side", (0, 0.13)),
        (180, "\nsees its back", (-0.02, -0.2)),
        (270, " sees its right side", (0, -0.13)),
    ):
        drawing.camera(0, azimuth, f"azimuth {azimuth}°{seen}", shift)
    drawing.arrow(camera_position(0, 12), camera_position(0, 78), CAMERA_COLOR, bend=0.3)
    drawing.text(camera_position(0, 45), "azimuth\ngrows", (0.2, 0.05), CAMERA_COLOR)
    for end, color, name, shift in (
        ([-0.8, 0, 0.75], X_COLOR, "+x", (0.1, 0)),
        ([-1, 0, 0.95], Z_COLOR, "+z", (0, -0.1)),
    ):
        drawing.arrow([-1, 0, 0.75], end, color)
        drawing.text(end, name, shift, color)


def draw_side(axes, chair: np.ndarray) -> None:
    """Draw the elevation: a camera that goes up, seen from the object's right."""
    drawing = Drawing(axes, chair, (0, 270), "elevation, seen from the side")
    low, high = ELEVATION_RANGE
    drawing.line([[0.3, 0, 0], [RADIUS, 0, 0]], color=FAINT, linewidth=0.8)
    arc = [camera_position(elevation, 0) for elevation in np.linspace(low, high, 40)]
    drawing.line(arc, color=FAINT, linewidth=0.8)
    for elevation, looks in ((high, "\nlooks down"), (0, ""), (low, "\nlooks up")):
        drawing.camera(elevation, 0, f"elevation {elevation:g}°{looks}", (0.1, 0), ha="left")
    drawing.arrow(camera_position(5, 0), camera_position(34, 0), CAMERA_COLOR, bend=0.13)
    drawing.text([0, -0.62, 0], f"{low:g}° to {high:g}° is the default range of the data set.")


def draw_views(shaded, masked, chair: np.ndarray) -> None:
    """Draw shaded views in a row of axes, and the masks that the projector renders in another."""
    camera = Camera()
    half_width = 1.05 * float(camera.half_width(np.zeros(1))[0])
    viewpoints = np.array([view[:2] for view in VIEWS], np.float32)
    grids = np.repeat(chair[None], len(VIEWS), axis=0).astype(np.float32)
    masks = Projector(32, camera, pooling="max")([grids, viewpoints]).numpy() > 0
    for above, below, mask, view in zip(shaded, masked, masks, VIEWS, strict=True):
        elevation, azimuth, seen = view
        viewpoint = elevation, azimuth
        above.imshow(shading.shade_voxels(chair, viewpoint, 336, sheets.TRUE_COLOR, half_width))
        title = f"({elevation}°, {azimuth}°)\n{seen}"
        above.set_title(title, color=CAMERA_COLOR, fontsize=12, linespacing=1.4)
        above.axis("off")
        below.imshow(sheets.mask_picture(mask, 32))
        below.set(xticks=[], yticks=[])
        below.spines[:].set_color(FAINT)
    masked[0].set(xticks=[0, 31], yticks=[0, 31], xlabel="column →", ylabel="← row")


def draw() -> figure.Figure:
    """Draw the whole picture."""
    chair = procedural.generate("chair", CHAIR, seed=0, size=64)
    picture = figure.Figure(figsize=(15, 11.4), layout="constrained")
    top, bottom = np.asarray(picture.subfigures(2, 1))
    left, middle, right = top.subplots(1, 3)
    draw_object(left, chair)
    draw_plan(middle, chair)
    draw_side(right, chair)
    # The empty line keeps the title away from those of the views.
    bottom.suptitle("what the camera sees at (elevation, azimuth), and the mask\n", fontsize=17)
    shaded, masked = bottom.subplots(2, len(VIEWS))
    draw_views(shaded, masked, chair)
    return picture


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("output", "docs/conventions.png", "The picture to write.")
    flags.keep_local("output")


def main() -> None:
    """Draw the picture and save it."""
    with files.replacing(FLAGS.output) as partial:
        draw().savefig(partial, format="png", dpi=100, bbox_inches="tight", pad_inches=0.1)
    print(f"wrote {FLAGS.output}")


if __name__ == "__main__":
    cli.run(main, define_flags)
