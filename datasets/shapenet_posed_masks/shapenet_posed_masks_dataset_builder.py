"""Voxel shapes rendered to posed silhouettes; see README.md beside this file."""

import concurrent.futures
import dataclasses
import hashlib
import itertools
import multiprocessing
import os

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from ptn_semi import geometry
from ptn_semi.errors import UserError
from ptn_semi.projector import Projector
from shapenet_posed_masks import sources

# Cumulative shares, in thousandths of the hash range.
SPLITS = {"train": 700, "validation": 800, "test": 1000}


@dataclasses.dataclass
class PosedMasksConfig(tfds.core.BuilderConfig):
    """What a data set is built from.

    Attributes:
      layout: one of `sources.LAYOUTS`.
      source_options: further arguments of `sources.open_source`.
      voxel_size, image_size: N and S.
      num_views: masks per shape.
      seed: of the viewpoints.
      elevation_range, azimuth_range: in degrees.
      camera: the `geometry.Camera` that renders.
      manual_dir: where the shapes are; TFDS' own manual_dir if empty.
      skip_invalid: leave out files that cannot be used instead of stopping.
    """

    layout: str = "procedural"
    source_options: dict = dataclasses.field(default_factory=dict)
    voxel_size: int = 32
    image_size: int = 32
    num_views: int = 24
    seed: int = 0
    elevation_range: tuple[float, float] = geometry.ELEVATION_RANGE
    azimuth_range: tuple[float, float] = geometry.AZIMUTH_RANGE
    camera: geometry.Camera = dataclasses.field(default_factory=geometry.Camera)
    manual_dir: str = ""
    skip_invalid: bool = False

    def open_source(self, manual_dir=""):
        """The `sources` object that lists and reads the shapes."""
        return sources.open_source(
            self.layout,
            manual_dir=self.manual_dir or manual_dir,
            voxel_size=self.voxel_size,
            **self.source_options,
        )

    def describe_source(self):
        """The part of the source's fingerprint that needs no files."""
        return sources.describe(self.layout, voxel_size=self.voxel_size, **self.source_options)


def split_of(model_id):
    """The split of a shape; it depends on nothing else, so that adding shapes moves none."""
    digest = hashlib.sha256(model_id.encode()).digest()
    position = int.from_bytes(digest[:8], "big") * 1000 >> 64
    return next(split for split, end in SPLITS.items() if position < end)


def draw_viewpoints(model_id, config):
    """Viewpoints of one shape, float32 [num_views, 2] in degrees, from (seed, model_id) alone."""
    digest = hashlib.sha256(f"{config.seed}/{model_id}".encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
    low, high = zip(config.elevation_range, config.azimuth_range, strict=True)
    return generator.uniform(low, high, (config.num_views, 2)).astype(np.float32)


class Builder(tfds.core.GeneratorBasedBuilder):
    """TFDS builder; every example is one shape with all its views."""

    VERSION = tfds.core.Version("1.0.1")
    RELEASE_NOTES = {
        "1.0.0": "First release.",
        "1.0.1": "Points on the border of two voxels may fall to the other one.",
    }
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put ShapeNetVox32 (folder or .tgz), ShapeNetCore.v2 or a folder of meshes per category "
        "there; README.md of the data set tells where to get them. `procedural` needs nothing."
    )
    BUILDER_CONFIGS = [PosedMasksConfig(name=layout, layout=layout) for layout in sources.LAYOUTS]

    # Called with (done, total, what) while building; `ptn_semi.build_data` draws a bar with it.
    on_progress = staticmethod(lambda done, total, what: None)

    def _info(self):
        config = self.builder_config
        grid, image = (config.voxel_size,) * 3, (config.image_size,) * 2
        zlib = tfds.features.Encoding.ZLIB
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "model_id": tfds.features.Text(doc="Unique in the data set."),
                    "category": tfds.features.Text(doc="Canonical name, as chair."),
                    "voxels": tfds.features.Tensor(
                        shape=grid, dtype=np.bool_, encoding=zlib,
                        doc="Occupied voxels; axes x, y, z; y up, front +x.",
                    ),
                    "masks": tfds.features.Tensor(
                        shape=(config.num_views, *image, 1), dtype=np.bool_, encoding=zlib,
                        doc="Silhouettes; row 0 is the top.",
                    ),
                    "viewpoints": tfds.features.Tensor(
                        shape=(config.num_views, 2), dtype=np.float32,
                        doc="Elevation and azimuth of each mask, in degrees.",
                    ),
                }
            ),
            homepage="https://github.com/stevenygd/3d-recon",
            supervised_keys=None,
            metadata=tfds.core.MetadataDict(),
        )  # fmt: skip

    def _split_generators(self, dl_manager):
        config = self.builder_config
        needs_files = config.layout != "procedural" and not config.manual_dir
        source = config.open_source(os.fspath(dl_manager.manual_dir) if needs_files else "")
        items, read = source.items(), source.read
        if config.layout != "procedural":
            # Everything is read, and so checked, before anything is written.
            voxels, problems = self._read_all(source, items)
            items = [item for item in items if item.model_id in voxels]
            left = {item.category for item in items}
            for category in sorted({item.category for item in source.items()} - left):
                raise UserError(f"no shape of category {category} can be used: {problems[0]}")
            self.info.metadata["left_out"] = problems

            def read(item):
                bits = np.unpackbits(voxels[item.model_id], count=config.voxel_size**3)
                return bits.astype(bool).reshape((config.voxel_size,) * 3)

        self.info.metadata["built_from"] = describe(config, source.fingerprint())
        by_split = {split: [] for split in SPLITS}
        for item in items:
            by_split[split_of(item.model_id)].append(item)
        self.info.metadata["num_shapes"] = {
            category: {
                split: sum(item.category == category for item in chosen)
                for split, chosen in by_split.items()
            }
            for category in sorted({item.category for item in items})
        }
        self._done, self._total = 0, len(items)
        return {
            split: self._generate_examples(chosen, read)
            for split, chosen in by_split.items()
            if chosen
        }

    def _read_all(self, source, items):
        """Packed voxels by model id, and a sentence for each file that cannot be used."""
        voxels, problems = {}, []
        for done, item in enumerate(items):
            self.on_progress(done, len(items), "reading shapes")
            try:
                voxels[item.model_id] = np.packbits(source.read(item))
            except UserError as error:
                if not self.builder_config.skip_invalid:
                    raise UserError(f"{error} (--skip_invalid leaves such files out)") from error
                problems.append(str(error))
        self.on_progress(len(items), len(items), "reading shapes")
        return voxels, problems

    def _generate_examples(self, items, read):
        config = self.builder_config
        projector = Projector(config.image_size, config.camera, pooling="max")

        @tf.function(
            input_signature=[
                tf.TensorSpec((config.voxel_size,) * 3, tf.bool),
                tf.TensorSpec((config.num_views, 2), tf.float32),
            ]
        )
        def render(voxels, viewpoints):
            grids = tf.repeat(voxels[None], config.num_views, axis=0)
            return projector([grids, viewpoints]) > 0

        # Traced here, once, and not by every thread that finds it untraced.
        render = render.get_concrete_function()

        def example(item):
            voxels = read(item)
            viewpoints = draw_viewpoints(item.model_id, config)
            return item.model_id, {
                "model_id": item.model_id,
                "category": item.category,
                "voxels": voxels,
                "masks": render(voxels, viewpoints).numpy(),
                "viewpoints": viewpoints,
            }

        for keyed in _map_in_order(example, items):
            self._done += 1
            self.on_progress(self._done, self._total, "rendering masks")
            yield keyed


def _map_in_order(function, items, window=8):
    """`map` on a thread per core, a few items ahead: reading and rendering release the GIL."""
    items = iter(items)
    with concurrent.futures.ThreadPoolExecutor(multiprocessing.cpu_count()) as pool:
        pending = [pool.submit(function, item) for item in itertools.islice(items, window)]
        while pending:
            yield pending.pop(0).result()
            pending += [pool.submit(function, item) for item in itertools.islice(items, 1)]


def describe(config, source):
    """Plain values that tell one data set from another; `source` is its fingerprint."""
    return {
        "version": str(Builder.VERSION),
        "source": source,
        "voxel_size": config.voxel_size,
        "image_size": config.image_size,
        "num_views": config.num_views,
        "seed": config.seed,
        "elevation_range": list(config.elevation_range),
        "azimuth_range": list(config.azimuth_range),
        "camera": config.camera.to_dict(),
        "skip_invalid": config.skip_invalid,
    }
