"""Layout of the demo page, in gradio blocks."""

import itertools
import os
import pathlib
import uuid
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from scipy import ndimage

import ptn_semi
from ptn_semi import settings
from ptn_semi.images import natural_background, silhouettes
from ptn_semi.inference import colors, reconstruction, shape_files
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
_KEEP_FILES, _SWEEP_EVERY = 3600, 60  # seconds
_MASK_SIZE = 200  # pixels
_MAX_VIEWS = 4  # images of one object


class _Shown(NamedTuple):
    """What a visitor sees, kept for another threshold."""

    result: reconstruction.Reconstruction
    textures: list[np.ndarray]  # empty if the images have no colours


def build(reconstructor: reconstruction.Reconstructor, folder: pathlib.Path) -> gr.Blocks:
    """Build the page, which `page.launch` serves. gradio stores files in the folder."""

    def new_file(suffix: str) -> pathlib.Path:
        """Return a new path; a file under a shared name could be rewritten while it is sent."""
        return folder / f"{uuid.uuid4()}{suffix}"

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
    def reconstruct_files(path, surface, color, segment, *others):
        paths = [each for each in (path, *others) if each is not None]
        if not paths:
            return _failed("Give an image first.")
        try:
            found = [silhouettes.read(each, segment) for each in paths]
        except UserError as error:
            # Visitors know the file's name, not its folder on the server.
            text = str(error)
            for each in paths:
                text = text.replace(each, pathlib.Path(each).name)
            return _failed(text)
        return reconstruct(found, surface, color)

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
        return reconstruct([silhouettes.Found(plain, filled, ())], *controls)

    def reconstruct(found, *controls):
        views = [reconstruction.frame_view(reconstructor, each) for each in found]
        seen = new_file(".png")
        pictures = [sheets.mask_picture(view.mask, _MASK_SIZE) for view in views]
        sheets.save_png(seen, np.concatenate(pictures, axis=1))
        result = reconstruction.reconstruct(reconstructor, views)
        in_color = all(map(colors.has_colors, views))
        textures = [colors.make_texture(view) for view in views] if in_color else []
        shown = _Shown(result, textures)
        path, problem = write_mesh(shown, result.shape, *controls)
        warnings = "; ".join(dict.fromkeys(itertools.chain(*result.warnings)))
        note = problem or (_note(f"This may be wrong: {warnings}.") if warnings else "")
        return shown, str(seen), path, note, round(result.shape.threshold, 2)

    def change(shown, threshold, *controls):
        if shown is None:
            return None, _note("Reconstruct something first.")
        result = shown.result
        shape = reconstruction.make_shape(
            reconstructor, result.voxels, result.masks, result.viewpoints, threshold
        )
        return write_mesh(shown, shape, *controls)

    def write_mesh(shown, shape, surface, color):
        paint = None
        if color and shown.textures:
            camera = reconstructor.info.settings.camera
            paint = colors.Painter(shown.textures, shown.result.fits, shape.occupied, camera)
        try:
            reconstruction.check_shape(shape, "it")
            path = new_file(".glb")
            chosen = settings.MeshSettings(surface)
            shape_files.write(path, shape, shown.result.voxels, chosen, paint)
        except UserError as error:
            return None, _note(error)
        return str(path), ""

    with gr.Blocks(
        title="One silhouette to 3D",
        analytics_enabled=False,
        delete_cache=(_SWEEP_EVERY, _KEEP_FILES),
    ) as page:
        gr.Markdown("# One silhouette to 3D")
        shown = gr.State()
        with gr.Row():
            with gr.Column():
                with gr.Tab("Image"):
                    image = gr.Image(label="An object", type="filepath", sources=["upload"])
                    gr.Examples([[str(path)] for path in sorted(EXAMPLES.glob("*.png"))], image)
                    networks = natural_background.is_installed()
                    segment = gr.Radio(
                        settings.SEGMENTATIONS if networks else ["auto"],
                        value="auto",
                        label="Find it by its plain background, or by a network (model)",
                        visible=networks,
                    )
                    with gr.Accordion("More views of the same object", open=False), gr.Row():
                        look: Any = {"height": _MASK_SIZE, "min_width": 100}
                        others = [
                            gr.Image(label=f"View {i}", type="filepath", sources=["upload"], **look)
                            for i in range(2, _MAX_VIEWS + 1)
                        ]
                    from_image = gr.Button("Reconstruct the image", variant="primary")
                with gr.Tab("Drawing") as drawing_tab:
                    drawing = gr.Sketchpad(
                        canvas_size=(_CANVAS, _CANVAS),
                        layers=False,
                        transforms=(),
                        brush=gr.Brush(default_size=12, colors=["#000000"], color_mode="fixed"),
                        label="An outline, whose inside is filled",
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
                )
                with gr.Row():
                    seen = gr.Image(label="What the model sees", height=_MASK_SIZE, buttons=[])
                    with gr.Column():
                        threshold = gr.Slider(
                            0.01, 0.99, reconstructor.threshold, step=0.01, label="Threshold"
                        )
                        surface = gr.Radio(list(settings.SURFACES), value="smooth", label="Surface")
                        color = gr.Checkbox(True, label="Colours of the image")
        for given in (image, *others, drawing):
            # gradio would fetch any address that a request names, whatever its size.
            given.async_move_resource_to_block_cache = _unchanged  # type: ignore[method-assign, assignment]
            given.preprocess = uploaded_path  # type: ignore[method-assign, assignment]
        # gradio would keep in memory whatever is sent to this; the page uploads drawings as files.
        drawing.accept_blobs = None  # type: ignore[method-assign, assignment]
        controls = [surface, color]
        outputs = [shown, seen, model, note, threshold]
        files = [image, *controls, segment, *others]
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
                change, [shown, threshold, *controls], [model, note], concurrency_id=one_at_a_time
            )
        drawing_tab.select(None, js=_TAKE_BRUSH, queue=False)
    return page


async def _unchanged(path: str) -> str:
    return path


def _failed(text: object) -> tuple[None, None, None, str, dict]:
    """Return no shape, mask and mesh, a note that says why, and the threshold as it is."""
    return None, None, None, _note(text), gr.skip()


def _note(text: object) -> str:
    return f"**{text}**"
