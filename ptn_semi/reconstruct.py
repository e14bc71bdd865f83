"""Turns images into meshes: `python -m ptn_semi.reconstruct chair.png`.

Takes masks, images with a transparent background, photographs, and folders of these. For each
image it writes a mesh (.glb, .obj, .ply, .stl) or voxels (.binvox, .npz with probabilities), and a
preview (.png) that shows the silhouette that was found. An image that cannot be used does not stop
the others; the exit code is then 1. With --views all images show one object.
"""

import math

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.inference.paths import check_images, check_model
from ptn_semi.utils import cli, files, flags
from ptn_semi.utils.errors import UserError

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string(
        "model",
        None,
        "Workdir of a training run, an exported SavedModel, or a published one (hf://user/model); "
        "the pretrained model of the package if not given.",
    )
    absl_flags.DEFINE_string("output_dir", "reconstructions", "Folder to write to.")
    absl_flags.DEFINE_multi_enum(
        "format", ["glb"], settings.SHAPE_FORMATS, "What to write; can be repeated."
    )
    flags.define(settings.MeshSettings)
    absl_flags.DEFINE_float(
        "threshold",
        None,
        "Probability above which voxels are occupied; if not given, the best one on the validation "
        "split, or a lower one if the shape then fits its mask better.",
        lower_bound=0.001,
        upper_bound=0.999,
    )
    absl_flags.DEFINE_enum(
        "shapes",
        "whole",
        settings.SHAPES,
        "What is written: a whole shape, which hangs together and shows its mask, or just the "
        "voxels above the threshold, without small components.",
    )
    absl_flags.DEFINE_boolean(
        "framed",
        False,
        "Images are framed as training masks are, so objects are not centred and scaled.",
    )
    absl_flags.DEFINE_boolean(
        "views", False, "The 2 to 8 images show one object from several sides and give one shape."
    )
    absl_flags.DEFINE_list(
        "viewpoints",
        [],
        "With --views: elevation and azimuth of each image in turn, in degrees, e.g. 20,30,10,120; "
        "estimated if not given.",
    )
    absl_flags.DEFINE_enum(
        "segment",
        "auto",
        settings.SEGMENTATIONS,
        "How to find objects in photographs: by their plain background, by a network (the photos "
        "extra), or by the network where the background is not plain.",
    )
    absl_flags.DEFINE_integer(
        "label",
        None,
        "In masks that hold the number of a class or an object at each pixel: the number of the "
        "object, if there are several.",
        lower_bound=0,
    )
    flags.keep_local("model", models=True)
    flags.keep_local("output_dir")


def main(paths: list[str]) -> None:
    """Parse flags and call the library."""
    if not paths:
        raise UserError("name an image to reconstruct, or a folder of images")
    meshes = flags.collect(settings.MeshSettings)
    if meshes != settings.PLAIN_MESHES and not set(FLAGS.format) & set(settings.MESH_FORMATS):
        raise UserError(
            "--surface, --smoothing, --max_faces, --size_mm and --color are for meshes: add "
            "--format=glb, obj, ply or stl"
        )
    if meshes.color and not set(FLAGS.format) & set(settings.COLOR_FORMATS):
        raise UserError("--color is for .glb, .obj and .ply: add --format=glb, obj or ply")
    viewpoints = _parse_viewpoints(FLAGS.viewpoints)
    if FLAGS.model is not None:
        check_model(FLAGS.model)
    check_images(paths, all_needed=FLAGS.views)
    files.check_folder(FLAGS.output_dir, f"--output_dir={FLAGS.output_dir}")
    if FLAGS.segment == "model":
        cli.check_package("rembg", "--segment=model needs rembg: pip install 'ptn_semi[photos]'")
    with cli.loading():
        from ptn_semi.images import folders
        from ptn_semi.inference import images_to_shapes, reconstruction
    if note := folders.note_ignored(paths):
        print(note)
    reconstructor = reconstruction.load_model(FLAGS.model)
    options = images_to_shapes.Options(
        FLAGS.format,
        meshes,
        FLAGS.threshold,
        FLAGS.shapes,
        FLAGS.framed,
        FLAGS.segment,
        FLAGS.label,
    )
    if FLAGS.views:
        images, written, shape = images_to_shapes.reconstruct_views(
            reconstructor, paths, FLAGS.output_dir, options, viewpoints
        )
        print(f"{len(images)} views: {', '.join(map(str, written))}")
        for number, image in enumerate(images):
            print(f"{image}:")
            _report(image, number, shape, written[-1])
        return
    results = images_to_shapes.reconstruct_files(reconstructor, paths, FLAGS.output_dir, options)
    num_done = 0
    problems: list[UserError] = []
    for path, outcome, result in results:
        if isinstance(outcome, UserError):
            problems.append(outcome)
            print(f"left out: {outcome}")
        else:
            num_done += 1
            print(f"{path}: {', '.join(map(str, outcome))}")
            _report(path, 0, result, outcome[-1])
    if len(problems) == 1 and not num_done:
        raise problems[0]
    if problems:
        total = num_done + len(problems)
        raise UserError(f"{len(problems)} of {total} images could not be used")


def _parse_viewpoints(texts):
    """Return the pairs of angles in --viewpoints, or None."""
    if not texts:
        return None
    if not FLAGS.views:
        raise UserError("--viewpoints is for several images of one object: add --views")
    try:
        angles = [float(text) for text in texts]
        if len(angles) % 2 or not all(map(math.isfinite, angles)):
            raise ValueError
    except ValueError:
        raise UserError(
            f"--viewpoints={','.join(texts)} is not a list of elevations and azimuths in degrees: "
            "give two numbers for each image, e.g. 20,30,10,120"
        ) from None
    return list(zip(angles[::2], angles[1::2], strict=True))


def _report(image, number, result, preview):
    """Print from where an image was taken, and the warnings about it."""
    if result.fits:
        fit = result.fits[number]
        print(
            f"  seen from azimuth {fit.azimuth:.0f}°, elevation {fit.elevation:.0f}°, where the "
            f"shape has an IoU of {fit.iou:.2f} with the mask"
        )
    for warning in result.warnings[number]:
        print(
            f"warning: {image}: {warning}; look at {preview}, and give a cut-out or a mask if the "
            "silhouette is wrong"
        )


if __name__ == "__main__":
    cli.run(main, define_flags, takes_arguments=True)
