"""Layout of the demo page, in gradio blocks."""

import os
import pathlib
import uuid
from typing import Any

import gradio as gr
from scipy import ndimage

import ptn_semi
from ptn_semi import settings
from ptn_semi.inference import natural_background, reconstruction, shape_files, silhouettes
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import sheets
from ptn_semi.web import uploads

EXAMPLES = pathlib.Path(ptn_semi.__file__).parent / "examples"
_CANVAS = 400  # pixels
# gradio's canvas begins with no tool chosen, and strokes would leave no trace.
_TAKE_BRUSH = """() => {
  const wait = setInterval(() => {
    const brush = document.querySelector("#drawing button[aria-label=Brush]");
    if (brush) { clearInterval(wait); brush.click(); }
  }, 100);
}"""
_MASK_SIZE = 200  # pixels


def _own(upload: Any) -> str | None:
    """Return the path of an uploaded file; a request could name any file of the machine.

    Unlike gradio's own version, it does not open the file, so that our messages explain problems.
    """
    if not upload or not upload.path:
        return None
    path = pathlib.Path(os.path.normpath(upload.path))
    if not path.is_relative_to(uploads.folder()):
        raise gr.Error("This file was not uploaded.", print_exception=False)
    return str(path)


def _own_drawing(drawn: Any) -> str | None:
    """Return the path of an uploaded drawing; see `_own`."""
    return drawn and _own(drawn.composite)


def build(reconstructor: reconstruction.Reconstructor) -> gr.Blocks:
    """Build the page, which `page.launch` serves.

    Args:
      reconstructor: the trained model.
    """

    def new_file(suffix: str) -> pathlib.Path:
        """Return a new path; a file under a shared name could be rewritten while it is sent."""
        return uploads.folder() / f"{uuid.uuid4()}{suffix}"

    # The functions below have no type hints, because gradio reads those of event handlers.
    def from_file(path, threshold, surface, segment):
        if path is None:
            return _failed("Give an image first.")
        try:
            found = silhouettes.read(path, segment)
        except UserError as error:
            # Visitors know the file's name, not its folder on the server.
            return _failed(str(error).replace(path, pathlib.Path(path).name))
        return reconstruct(found, threshold, surface)

    def from_drawing(path, *controls):
        if path is None:
            return _failed("Draw an outline first.")
        try:
            found = silhouettes.read(path)
        except UserError as error:
            return _failed(str(error).replace(path, "the drawing"))
        # The drawing is an outline; the silhouette includes its inside.
        filled = ndimage.binary_fill_holes(found.silhouette)
        return reconstruct(found._replace(silhouette=filled, doubts=()), *controls)

    def reconstruct(found, threshold, surface):
        view = reconstruction.view_of(reconstructor, found)
        seen = new_file(".png")
        sheets.save_png(seen, sheets.mask_picture(view.mask, _MASK_SIZE))
        result = reconstruction.reconstruct(reconstructor, [view], threshold)
        shape, problem = mesh(result.voxels, threshold, surface)
        doubts = "; ".join(result.doubts[0])
        note = problem or (_note(f"This may be wrong: {doubts}.") if doubts else "")
        return result.voxels, str(seen), shape, note

    def mesh(voxels, threshold, surface):
        if voxels is None:
            return None, _note("Reconstruct something first.")
        try:
            reconstruction.check_shape(voxels, threshold, "it")
            path = new_file(".glb")
            shape_files.write(path, voxels, threshold, settings.MeshSettings(surface))
        except UserError as error:
            return None, _note(error)
        return str(path), ""

    with gr.Blocks(title="One silhouette to 3D", analytics_enabled=False) as page:
        gr.Markdown("# One silhouette to 3D")
        voxels = gr.State()
        with gr.Row():
            with gr.Column():
                with gr.Tab("Image"):
                    image = gr.Image(
                        label="An object",
                        type="filepath",
                        sources=["upload"],
                    )
                    image.preprocess = _own  # type: ignore[method-assign, assignment]
                    gr.Examples([[str(path)] for path in sorted(EXAMPLES.glob("*.png"))], image)
                    networks = natural_background.is_installed()
                    segment = gr.Radio(
                        settings.SEGMENTATIONS if networks else ["auto"],
                        value="auto",
                        label="Find it by its plain background, or by a network (model)",
                        visible=networks,
                    )
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
                    drawing.preprocess = _own_drawing  # type: ignore[method-assign, assignment]
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
        controls = [threshold, surface]
        outputs = [voxels, seen, model, note]
        # gradio's queue would keep messages that visitors never fetch. The guard queues instead.
        from_image.click(from_file, [image, *controls, segment], outputs, queue=False)
        image.upload(from_file, [image, *controls, segment], outputs, queue=False)
        from_sketch.click(from_drawing, [drawing, *controls], outputs, queue=False)
        for changed in (threshold.release, surface.change):
            changed(mesh, [voxels, *controls], [model, note], queue=False)
        drawing_tab.select(None, js=_TAKE_BRUSH, queue=False)
        for block in page.blocks.values():
            block.async_move_resource_to_block_cache = _as_it_is
    return page


async def _as_it_is(path: str | os.PathLike) -> str:
    """Return a path unchanged; gradio would copy the file, or fetch a URL for a visitor."""
    return str(path)


def _failed(text: object) -> tuple[None, None, None, str]:
    """Return empty voxels, mask and shape, and a note that says why."""
    return None, None, None, _note(text)


def _note(text: object) -> str:
    return f"**{text}**"
