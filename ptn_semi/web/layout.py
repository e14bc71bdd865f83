"""Layout of the demo page, in gradio blocks."""

import itertools
import os
import pathlib
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from scipy import ndimage

import ptn_semi
from ptn_semi import settings
from ptn_semi.images import natural_background, silhouettes
from ptn_semi.inference import colors, reconstruction, shape_files
from ptn_semi.shapes import whole
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import sheets

EXAMPLES = pathlib.Path(ptn_semi.__file__).parent / "examples"
_CANVAS = 400  # pixels
# gradio's canvas begins with no tool chosen, and strokes would leave no trace.
_TAKE_BRUSH = """() => {
  const wait = setInterval(() => {
    const brush = document.querySelector("#drawing button[aria-label=Brush]");
    if (brush) { clearInterval(wait); brush.click(); }
  }, 100);
}"""
# Below the button on a phone, the result is out of sight.
_SHOW_RESULT = """() => {
  document.querySelector("#shape").scrollIntoView({behavior: "smooth", block: "nearest"});
}"""
# A shape is fitted to the height of its box, and cut off at the sides where that is narrow.
CSS = """@media (max-width: 600px) {
  #shape, #shape canvas { height: 260px !important; }
}"""
# What visitors can do in place of the flags that messages name.
_CONTROLS = {
    "--label=": "the label ",
    "--label": "the label",
    "--segment=plain": "the choice “plain”",
}
_KEEP_FILES, _SWEEP_EVERY = 3600, 60  # seconds
_MASK_SIZE = 200  # pixels
_MAX_VIEWS = 4  # images of one object
_MAX_NAME = 50  # letters of the name of a file that is downloaded
_NOTHING_YET = "Reconstruct something first."


class _Shown(NamedTuple):
    """What a visitor sees, kept for another threshold."""

    name: str  # of files that are downloaded
    result: reconstruction.Reconstruction
    textures: list[np.ndarray]  # empty if the images have no colours
    shape: whole.Shape  # at the threshold that was chosen last


def make_first(reconstructor: reconstruction.Reconstructor) -> None:
    """Reconstruct an example, so that no visitor waits until TensorFlow has traced the networks."""
    found = silhouettes.read(min(EXAMPLES.glob("*.png")))
    reconstruction.reconstruct(reconstructor, [reconstruction.frame_view(reconstructor, found)])


def build(reconstructor: reconstruction.Reconstructor, folder: pathlib.Path) -> gr.Blocks:
    """Build the page, which `page.launch` serves. gradio stores files in the folder."""

    def new_file(name: str) -> pathlib.Path:
        """Return a new path; a file in a shared folder could be rewritten while it is sent."""
        path = folder / str(uuid.uuid4()) / name
        path.parent.mkdir()
        return path

    def uploaded_path(upload: Any) -> str | None:
        """Return the path of an uploaded image; a request could name any file of the machine.

        gradio's own version opens files without a bound on their pixels, and checks where they lie
        only if a request says that they are files.
        """
        upload = getattr(upload, "composite", upload)  # of a drawing
        if not upload or not upload.path:
            return None
        path = pathlib.Path(os.path.normpath(upload.path))
        if not path.is_relative_to(folder):
            raise gr.Error("This file was not uploaded.", print_exception=False)
        return str(path)

    # The functions below have no type hints, because gradio reads those of event handlers.
    def reconstruct_files(path, surface, color, segment, label, *others):
        paths = [each for each in (path, *others) if each is not None]
        if not paths:
            return _failed("Give an image first.")
        try:
            found = [silhouettes.read(each, segment, label) for each in paths]
        except UserError as error:
            # Visitors know the file's name, not its folder on the server.
            text = str(error)
            for each in paths:
                text = text.replace(each, pathlib.Path(each).name)
            return _failed(text)
        return reconstruct(pathlib.Path(paths[0]).stem[:_MAX_NAME], found, surface, color)

    def reconstruct_drawing(path, *controls):
        if path is None:
            return _failed("Draw an outline first.")
        try:
            found = silhouettes.read(path)
        except UserError as error:
            return _failed(str(error).replace(path, "the drawing"))
        # The drawing is an outline; the silhouette includes its inside. It has no colours.
        filled = ndimage.binary_fill_holes(found.silhouette)
        plain = np.zeros_like(found.image)
        return reconstruct("drawing", [silhouettes.Found(plain, filled, ())], *controls)

    def reconstruct(name, found, *controls):
        views = [reconstruction.frame_view(reconstructor, each) for each in found]
        seen = new_file(f"{name}.png")
        pictures = [sheets.mask_picture(view.mask, _MASK_SIZE) for view in views]
        sheets.save_png(seen, np.concatenate(pictures, axis=1))
        result = reconstruction.reconstruct(reconstructor, views)
        in_color = all(map(colors.has_colors, views))
        textures = [colors.make_texture(view) for view in views] if in_color else []
        shown = _Shown(name, result, textures, result.shape)
        path, note = write_mesh(shown, "glb", *controls)
        return shown, str(seen), path, note, None, round(result.shape.threshold, 2)

    def change(shown, threshold, *controls):
        if shown is None:
            return None, None, _note(_NOTHING_YET), None
        result = shown.result
        shape = reconstruction.make_shape(
            reconstructor, result.voxels, result.masks, result.viewpoints, threshold
        )
        shown = shown._replace(shape=shape)
        return shown, *write_mesh(shown, "glb", *controls), None

    def write_stl(shown, size_mm, surface):
        if shown is None:
            return None, _note(_NOTHING_YET)
        return write_mesh(shown, "stl", surface, False, size_mm or 0)

    def write_mesh(shown, kind, surface, color, size_mm=0):
        """Return the mesh's path, and why it may be wrong; or None, and why there is none."""
        paint = None
        if color and shown.textures:
            camera = reconstructor.info.settings.camera
            paint = colors.Painter(shown.textures, shown.result.fits, shown.shape.occupied, camera)
        try:
            reconstruction.check_shape(shown.shape, "it")
            path = new_file(f"{shown.name}.{kind}")
            chosen = settings.MeshSettings(surface, size_mm=size_mm)
            shape_files.write(path, shown.shape, shown.result.voxels, chosen, paint)
        except UserError as error:
            return None, _note(error)
        warnings = "; ".join(dict.fromkeys(itertools.chain(*shown.result.warnings)))
        return str(path), _note(f"This may be wrong: {warnings}.") if warnings else ""

    with gr.Blocks(
        title="One silhouette to 3D",
        analytics_enabled=False,
        delete_cache=(_SWEEP_EVERY, _KEEP_FILES),
    ) as page:
        gr.Markdown(f"# One silhouette to 3D\n\n{_introduction(reconstructor.info.categories)}")
        shown = gr.State()
        with gr.Row():
            with gr.Column():
                with gr.Tab("Image"):
                    image = gr.Image(label="An object", type="filepath", sources=["upload"])
                    gr.Examples([[str(path)] for path in sorted(EXAMPLES.glob("*.png"))], image)
                    networks = natural_background.is_installed()
                    segment = gr.Radio(
                        settings.SEGMENTATIONS if networks else ["plain"],
                        value="auto" if networks else "plain",
                        label="Find it by its plain background, or by a network (model)",
                        visible=networks,
                    )
                    with gr.Accordion("More views of the same object", open=False), gr.Row():
                        look: Any = {"height": _MASK_SIZE, "min_width": 100}
                        others = [
                            gr.Image(label=f"View {i}", type="filepath", sources=["upload"], **look)
                            for i in range(2, _MAX_VIEWS + 1)
                        ]
                    with gr.Accordion("Masks of several objects", open=False):
                        label = gr.Number(
                            None, label="Label (the pixels' number) of the object", precision=0
                        )
                    from_image = gr.Button("Reconstruct the image", variant="primary")
                with gr.Tab("Drawing") as drawing_tab:
                    gr.Markdown("Draw an outline. Its inside is filled.")
                    drawing = gr.Sketchpad(
                        canvas_size=(_CANVAS, _CANVAS),
                        layers=False,
                        transforms=(),
                        brush=gr.Brush(default_size=12, colors=["#000000"], color_mode="fixed"),
                        label="Outline",
                        elem_id="drawing",
                    )
                    from_sketch = gr.Button("Reconstruct the drawing", variant="primary")
                note = gr.Markdown()
            with gr.Column():
                model = gr.Model3D(
                    label="The shape: drag to turn it",
                    height=400,
                    clear_color=(1, 1, 1, 1),
                    camera_position=(60, 70, None),
                    elem_id="shape",
                )
                with gr.Row():
                    seen = gr.Image(label="What the model sees", height=_MASK_SIZE, buttons=[])
                    with gr.Column():
                        threshold = gr.Slider(
                            0.01, 0.99, reconstructor.threshold, step=0.01, label="Threshold"
                        )
                        surface = gr.Radio(list(settings.SURFACES), value="smooth", label="Surface")
                        color = gr.Checkbox(True, label="Colours of the image")
                with gr.Accordion("A file to print", open=False):
                    size_mm = gr.Number(80, label="Longest side in mm", minimum=1, maximum=10_000)
                    to_stl = gr.Button("Make an STL file")
                    stl = gr.File(label="STL", interactive=False)
        for given in (image, *others, drawing):
            # gradio would fetch any address that a request names, whatever its size.
            given.async_move_resource_to_block_cache = _unchanged  # type: ignore[method-assign, assignment]
            given.preprocess = uploaded_path  # type: ignore[method-assign, assignment]
        # gradio would keep in memory whatever is sent to this; the page uploads drawings as files.
        drawing.accept_blobs = None  # type: ignore[method-assign, assignment]
        controls = [surface, color]
        outputs = [shown, seen, model, note, stl, threshold]  # the last shape's STL file goes
        files = [image, *controls, segment, label, *others]
        # The pixels of an image take up to a thousand times the bytes that were sent, so only one
        # request is worked on at a time.
        one_at_a_time = "shapes"
        from_image.click(reconstruct_files, files, outputs, concurrency_id=one_at_a_time)
        for given in (image, *others):
            given.upload(reconstruct_files, files, outputs, concurrency_id=one_at_a_time)
        from_sketch.click(
            reconstruct_drawing, [drawing, *controls], outputs, concurrency_id=one_at_a_time
        )
        for changed in (threshold.release, surface.change, color.change):
            changed(
                change,
                [shown, threshold, *controls],
                [shown, model, note, stl],
                concurrency_id=one_at_a_time,
            )
        to_stl.click(
            write_stl, [shown, size_mm, surface], [stl, note], concurrency_id=one_at_a_time
        )
        for asked in (from_image.click, from_sketch.click, image.upload):
            asked(None, js=_SHOW_RESULT, queue=False)
        drawing_tab.select(None, js=_TAKE_BRUSH, queue=False)
    return page


async def _unchanged(path: str) -> str:
    return path


def _introduction(categories: Sequence[str]) -> str:
    """Say what to give, and which kinds of objects the model knows."""
    asked = "Give an image of one object, or draw its outline."
    if not categories:
        return asked
    return f"{asked} The model knows these kinds of objects: {', '.join(categories)}."


def _failed(text: object) -> tuple[None, None, None, str, None, dict]:
    """Return no shape, mask and mesh, a note that says why, and the threshold as it is."""
    return None, None, None, _note(text), None, gr.skip()


def _note(text: object) -> str:
    words = str(text)
    for flag, control in _CONTROLS.items():
        words = words.replace(flag, control)
    return f"**{words}**"
