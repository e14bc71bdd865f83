"""Draw docs/conventions.png: `python tools/draw_conventions.py --output=docs/conventions.png`.

`geometry.rotation` places everything in the picture, or the project's own projector renders it, so
that the picture always agrees with the code.
"""

from collections.abc import Sequence

import numpy as np
from absl import flags as absl_flags
from PIL import Image, ImageChops, ImageDraw, ImageFont

from ptn_semi.projection.camera import ELEVATION_RANGE, Camera
from ptn_semi.utils import cli
from shapenet_posed_masks import procedural

with cli.loading():
    from ptn_semi.projection import geometry
    from ptn_semi.projection.projector import Projector
    from ptn_semi.visual import shading, sheets

FLAGS = absl_flags.FLAGS

CHAIR = 106  # its writing board on the right tells left and right apart
VIEWS = (  # elevation, azimuth, what is seen
    (0, 0, "its front"),
    (0, 90, "its left side"),
    (0, 180, "its back"),
    (0, 270, "its right side"),
    (30, 45, "front left, from above"),
    (30, 180, "its back, from above"),
    (-20, 315, "front right, from below"),
)
ABOVE, SIDE, CORNER = (90, 270), (0, 270), (25, 320)  # the cameras of the three drawings

WIDTH, PANEL, HEIGHT = 1500, 500, 1090
RADIUS = 0.9  # radius of the circle of cameras in the plan, in grid sides
CELL, PITCH = 168, 205  # width of a view, and the distance to the next one
SCALE = 2  # the picture is drawn larger and then reduced, which smooths its lines
INK, FAINT = sheets.TEXT_COLOR, (150, 154, 162)
X_COLOR, Y_COLOR, Z_COLOR = (200, 50, 50), (40, 140, 60), (50, 90, 200)
CAMERA_COLOR = (125, 65, 160)


Place = Sequence[float] | np.ndarray  # a point, as (x, y) in final pixels or as [3]
Color = tuple[int, int, int]


class Sheet:
    """A white picture with coordinates in final pixels.

    Attributes:
      image: the picture, `SCALE` times its final size.
      pen: what draws on it.
    """

    def __init__(self):
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), "white")
        self.pen = ImageDraw.Draw(self.image)

    def paste(self, picture: np.ndarray, corner: Place) -> None:
        """Paste a picture of `SCALE` times its final size; its white hides nothing."""
        x, y = (round(c * SCALE) for c in corner)
        pasted = Image.fromarray(picture)
        place = (x, y, x + pasted.width, y + pasted.height)
        self.image.paste(ImageChops.multiply(self.image.crop(place), pasted), place)

    def line(self, points: Sequence[Place], color: Color, width: float = 2.0) -> None:
        """Draw straight lines from point to point."""
        points = [tuple(np.multiply(p, SCALE)) for p in points]
        self.pen.line(points, color, round(width * SCALE), joint="curve")

    def polygon(self, points: Sequence[Place], color: Color) -> None:
        """Fill a polygon."""
        self.pen.polygon([tuple(np.multiply(p, SCALE)) for p in points], color)

    def arrow(self, points: Sequence[Place], color: Color, width: float = 3.0) -> None:
        """Draw a line that ends in an arrow head."""
        end = np.array(points[-1], float)
        along = end - points[-2]
        along /= np.linalg.norm(along)
        across = np.array([-along[1], along[0]])
        base = end - 4 * width * along
        self.line([*points[:-1], base], color, width)
        self.polygon([end, base + 1.8 * width * across, base - 1.8 * width * across], color)

    def text(
        self, point: Place, text: str, size: int = 16, color: Color = INK, anchor: str = "mm"
    ) -> None:
        """Write one or more lines."""
        font = ImageFont.load_default(size * SCALE)
        point = tuple(np.multiply(point, SCALE))
        self.pen.multiline_text(
            point,
            text,
            color,
            font,
            anchor,
            spacing=4 * SCALE,
            align={"m": "center"}.get(anchor[0], "left"),
        )

    def reduced(self) -> np.ndarray:
        """Return the picture at its final size, uint8 [HEIGHT, WIDTH, 3]."""
        return np.array(self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


class Drawing:
    """A chair seen orthographically from a viewpoint, and points of object space over it.

    Args:
      sheet: what it is drawn on.
      chair: bool [N, N, N].
      viewpoint: elevation and azimuth in degrees.
      middle: where the grid's centre is on the sheet.
      pixels_per_side: pixels of the sheet to a side of the grid.
    """

    def __init__(
        self,
        sheet: Sheet,
        chair: np.ndarray,
        viewpoint: tuple[float, float],
        middle: Place,
        pixels_per_side: float,
    ):
        self.middle, self.scale = np.array(middle, float), pixels_per_side
        self.axes = geometry.rotation(np.array(viewpoint, np.float64)).numpy()
        size = int(1.8 * pixels_per_side)
        picture = shading.shade_voxels(
            chair, viewpoint, size * SCALE, sheets.TRUE_COLOR, half_width=0.9
        )
        sheet.paste(picture, self.middle - size / 2)

    def __call__(self, point: Place) -> tuple[float, float]:
        """Return where a point [3] in object axes is on the sheet."""
        right, up, _ = self.axes @ np.asarray(point, float)
        return tuple(self.middle + self.scale * np.array([right, -up]))


def camera_position(elevation: float, azimuth: float, distance: float) -> np.ndarray:
    """Return the point [3] of object space at a distance from the origin towards the camera."""
    return distance * geometry.rotation(np.array([elevation, azimuth], np.float64)).numpy()[2]


def draw_camera(sheet: Sheet, drawing: Drawing, position: Place, aim: float = 0.33) -> None:
    """Draw a small camera that looks at the origin, and its line of sight."""
    here, there = np.array(drawing(position)), np.array(drawing(np.zeros(3)))
    along = (there - here) / np.linalg.norm(there - here)
    across = np.array([-along[1], along[0]])
    sheet.arrow([here, here + (there - here) * aim], CAMERA_COLOR, 2)
    body = [(-18, -10), (-18, 10), (0, 10), (0, -10)]
    lens = [(0, -4), (8, -9), (8, 9), (0, 4)]
    for outline in (body, lens):
        sheet.polygon([here + a * along + b * across for a, b in outline], CAMERA_COLOR)


def draw_object(sheet: Sheet, chair: np.ndarray, middle: Place) -> None:
    """Draw the object axes and the voxel grid."""
    drawing = Drawing(sheet, chair, CORNER, middle, 240)
    corners = np.array(list(np.ndindex(2, 2, 2))) - 0.5
    for a in corners:
        for b in corners:
            if tuple(a) < tuple(b) and np.abs(a - b).sum() == 1:
                sheet.line([drawing(a), drawing(b)], FAINT, 1)
    for axis, color in enumerate((X_COLOR, Y_COLOR, Z_COLOR)):
        end = np.eye(3)[axis] * (0.98 if axis != 1 else 0.75)
        sheet.arrow([drawing(np.zeros(3)), drawing(end)], color, 3.5)
    x, y = drawing(np.zeros(3))
    sheet.pen.ellipse([SCALE * c for c in (x - 5, y - 5, x + 5, y + 5)], INK)
    sheet.text(np.add(drawing([0.98, 0, 0]), (4, 18)), "+x, its front", 18, X_COLOR)
    sheet.text(np.add(drawing([0, 0.75, 0]), (14, 0)), "+y, up", 18, Y_COLOR, "lm")
    sheet.text(np.add(drawing([0, 0, 0.98]), (0, 28)), "+z, its\nright side", 18, Z_COLOR)
    sheet.text(
        np.add(drawing([0.5, -0.5, 0.5]), (0, 22)),
        "the voxel grid: a cube of side 1 around the origin",
        14,
    )


def draw_plan(sheet: Sheet, chair: np.ndarray, middle: Place) -> None:
    """Draw the azimuth: cameras around the object, seen from above."""
    drawing = Drawing(sheet, chair, ABOVE, middle, 190)
    dashes = np.arange(0, 361, 3)
    for start, end in zip(dashes[::2], dashes[1::2], strict=False):
        sheet.line([drawing(camera_position(0, a, RADIUS)) for a in (start, end)], FAINT, 1)
    for azimuth, text, shift, anchor in (
        (0, "azimuth 0°\nsees its front", (2, 40), "mm"),
        (90, "azimuth 90° sees its left side", (0, -30), "mm"),
        (180, "azimuth 180°\nsees its back", (-2, 40), "mm"),
        (270, "azimuth 270° sees its right side", (0, 30), "mm"),
    ):
        position = camera_position(0, azimuth, RADIUS)
        draw_camera(sheet, drawing, position)
        sheet.text(np.add(drawing(position), shift), text, 16, CAMERA_COLOR, anchor)
    arc = [drawing(camera_position(0, a, RADIUS)) for a in range(12, 79, 2)]
    sheet.arrow(arc, CAMERA_COLOR, 3.5)
    sheet.text(
        np.add(drawing(camera_position(0, 45, RADIUS)), (14, -10)),
        "azimuth\ngrows",
        16,
        CAMERA_COLOR,
        "lm",
    )
    origin = [-1.0, 0, 0.75]
    for end, color, name, shift in (
        ([0.2, 0, 0], X_COLOR, "+x", (14, 0)),
        ([0, 0, 0.2], Z_COLOR, "+z", (0, 12)),
    ):
        tip = np.add(origin, end)
        sheet.arrow([drawing(origin), drawing(tip)], color, 2.5)
        sheet.text(np.add(drawing(tip), shift), name, 16, color)


def draw_side(sheet: Sheet, chair: np.ndarray, middle: Place) -> None:
    """Draw the elevation: a camera that goes up, seen from the object's right."""
    drawing = Drawing(sheet, chair, SIDE, middle, 240)
    low, high = ELEVATION_RANGE
    radius = 0.95
    sheet.line([drawing([0.3, 0, 0]), drawing([radius, 0, 0])], FAINT, 1)
    arc = [drawing(camera_position(e, 0, radius)) for e in np.linspace(low, high, 40)]
    sheet.line(arc, FAINT, 1)
    for elevation, text in (
        (high, f"elevation {high:g}°\nlooks down"),
        (0, "elevation 0°"),
        (low, f"elevation {low:g}°\nlooks up"),
    ):
        position = camera_position(elevation, 0, radius)
        draw_camera(sheet, drawing, position)
        sheet.text(np.add(drawing(position), (26, 0)), text, 16, CAMERA_COLOR, "lm")
    arc = [drawing(camera_position(e, 0, radius)) for e in range(5, 35)]
    sheet.arrow(arc, CAMERA_COLOR, 3.5)
    x, y = drawing([-0.42, -0.62, 0])
    sheet.text(
        (x, y), f"{low:g}° to {high:g}° is the default range of the data set.", 14, INK, "lm"
    )


def draw_views(sheet: Sheet, chair: np.ndarray, top: float) -> None:
    """Draw a row of shaded views, and below it the masks that the projector renders."""
    camera = Camera()
    half_width = float(camera.half_width(np.zeros(1))[0])
    viewpoints = np.array([view[:2] for view in VIEWS], np.float32)
    grids = np.repeat(chair[None], len(VIEWS), axis=0).astype(np.float32)
    masks = Projector(32, camera, pooling="max")([grids, viewpoints]).numpy() > 0
    left = (WIDTH - len(VIEWS) * PITCH) / 2 + (PITCH - CELL) / 2 + 12
    for number, (elevation, azimuth, seen) in enumerate(VIEWS):
        x = left + number * PITCH
        middle = x + CELL / 2
        sheet.text((middle, top), f"({elevation}°, {azimuth}°)", 20, CAMERA_COLOR)
        sheet.text((middle, top + 24), seen, 15)
        picture = shading.shade_voxels(
            chair, (elevation, azimuth), CELL * SCALE, sheets.TRUE_COLOR, 1.05 * half_width
        )
        sheet.paste(picture, (x, top + 40))
        y = top + 50 + CELL
        sheet.paste(sheets.mask_picture(masks[number], CELL * SCALE), (x, y))
        frame = [(x, y), (x + CELL, y), (x + CELL, y + CELL), (x, y + CELL), (x, y)]
        sheet.line(frame, FAINT, 1)
        if number == 0:
            sheet.text((x - 8, y + 6), "row 0", 14, INK, "rm")
            sheet.text((x - 8, y + CELL - 6), "row 31", 14, INK, "rm")
            sheet.arrow([(x - 24, y + 20), (x - 24, y + CELL - 20)], INK, 2)
            sheet.text((x, y + CELL + 13), "column 0", 14, INK, "lm")
            sheet.text((x + CELL, y + CELL + 13), "31", 14, INK, "rm")
            sheet.arrow([(x + 68, y + CELL + 13), (x + CELL - 22, y + CELL + 13)], INK, 2)


def draw() -> np.ndarray:
    """Draw the whole picture, uint8 [HEIGHT, WIDTH, 3]."""
    sheet = Sheet()
    chair = procedural.generate("chair", CHAIR, seed=0, size=64)
    for number, title in enumerate(
        ("the object: voxels[x, y, z]", "azimuth, seen from above", "elevation, seen from the side")
    ):
        sheet.text((PANEL * (number + 0.5), 34), title, 24)
    draw_object(sheet, chair, (PANEL * 0.5 + 20, 315))
    draw_plan(sheet, chair, (PANEL * 1.5 - 20, 315))
    draw_side(sheet, chair, (PANEL * 2.5 - 100, 315))
    sheet.text((WIDTH / 2, 600), "what the camera sees at (elevation, azimuth), and the mask", 24)
    draw_views(sheet, chair, 650)
    return sheet.reduced()


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("output", "docs/conventions.png", "The picture to write.")


def main() -> None:
    """Draw the picture and save it."""
    sheets.save_png(FLAGS.output, draw())
    print(f"wrote {FLAGS.output}")


if __name__ == "__main__":
    cli.run(main, define_flags)
