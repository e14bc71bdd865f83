"""The demo page: an image or a drawing in, a shape to turn out."""

import atexit
import contextlib
import pathlib
import shutil
import tempfile
import time
import uuid

import gradio as gr
from scipy import ndimage

from ptn_semi import pictures, reconstruction, silhouettes
from ptn_semi.errors import UserError

_EXAMPLES = pathlib.Path(__file__).parent / "examples"
_CANVAS = 400  # pixels
_MASK_SIZE = 200
_KEPT = 3600  # seconds that files are kept for download
_COPIED = 60  # seconds after which gradio has its copy of a file


def build(reconstructor):
    """The page as a `gradio.Blocks`.

    Args:
      reconstructor: a `reconstruction.Reconstructor`.
    """

    folder = pathlib.Path(tempfile.mkdtemp(prefix="ptn_semi_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    def new_file(suffix):
        """A path of its own: equal files of one name would be rewritten while they are sent."""
        for file in folder.iterdir():
            # gradio has made its copy by now.
            with contextlib.suppress(FileNotFoundError):  # another visitor's was as quick
                if time.time() - file.stat().st_mtime > _COPIED:
                    file.unlink()
        return folder / f"{uuid.uuid4()}{suffix}"

    def from_file(path, *settings):
        if path is None:
            return _failed("Give an image first.")
        try:
            _, silhouette = silhouettes.read(path)
        except UserError as error:
            # On the page the file's name will do.
            return _failed(str(error).replace(path, pathlib.Path(path).name))
        return reconstruct(silhouette, *settings)

    def from_drawing(drawing, *settings):
        try:
            _, outline = silhouettes.find(drawing["composite"], "the drawing")
        except UserError as error:
            return _failed(error)
        # A closed outline stands for all within.
        return reconstruct(ndimage.binary_fill_holes(outline), *settings)

    def reconstruct(silhouette, threshold, surface):
        mask = silhouettes.frame(silhouette, reconstructor.image_size, reconstructor.extent)
        voxels = reconstructor.predict(mask[None])[0]
        seen = new_file(".png")
        pictures.save_png(seen, pictures.mask_picture(mask, _MASK_SIZE))
        return voxels, str(seen), *mesh(voxels, threshold, surface)

    def mesh(voxels, threshold, surface):
        if voxels is None:
            return None, ""
        try:
            reconstruction.check_shape(voxels, threshold, "it")
            path = new_file(".glb")
            reconstruction.write_shape(path, voxels, threshold, surface)
        except UserError as error:
            return None, _note(error)
        return str(path), ""

    with gr.Blocks(
        title="One silhouette to 3D", analytics_enabled=False, delete_cache=(_KEPT, _KEPT)
    ) as page:
        gr.Markdown("# One silhouette to 3D")
        voxels = gr.State()
        with gr.Row():
            with gr.Column():
                with gr.Tab("Image"):
                    image = gr.Image(
                        label="An object before a plain background", type="filepath",
                        sources=["upload"],
                    )  # fmt: skip
                    # Left unopened, so that it is we who say what is wrong with a file.
                    image.preprocess = lambda upload: upload and upload.path
                    gr.Examples([[str(path)] for path in sorted(_EXAMPLES.glob("*.png"))], image)
                    from_image = gr.Button("Reconstruct the image", variant="primary")
                with gr.Tab("Drawing"):
                    drawing = gr.Sketchpad(
                        type="pil",
                        canvas_size=(_CANVAS, _CANVAS), layers=False, transforms=(),
                        brush=gr.Brush(default_size=12, colors=["#000000"], color_mode="fixed"),
                        label="An outline; what it encloses is filled",
                    )  # fmt: skip
                    from_sketch = gr.Button("Reconstruct the drawing", variant="primary")
                note = gr.Markdown()
            with gr.Column():
                model = gr.Model3D(
                    label="The shape: drag to turn it", height=400, clear_color=(1, 1, 1, 1),
                    camera_position=(60, 70, None),
                )  # fmt: skip
                with gr.Row():
                    seen = gr.Image(label="What the model sees", height=_MASK_SIZE, buttons=[])
                    with gr.Column():
                        threshold = gr.Slider(
                            0.01, 0.99, reconstructor.threshold, step=0.01, label="Threshold"
                        )
                        surface = gr.Radio(
                            list(reconstruction.SURFACES), value="smooth", label="Surface"
                        )
        settings = [threshold, surface]
        outputs = [voxels, seen, model, note]
        from_image.click(from_file, [image, *settings], outputs)
        image.upload(from_file, [image, *settings], outputs)
        from_sketch.click(from_drawing, [drawing, *settings], outputs)
        for changed in (threshold.release, surface.change):
            changed(mesh, [voxels, *settings], [model, note])
    return page


def _failed(text):
    """No voxels, no mask, no shape, and why."""
    return None, None, None, _note(text)


def _note(text):
    return f"**{text}**"
