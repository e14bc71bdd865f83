"""TFDS builder of voxel shapes and their posed silhouettes; see README.md beside this file.

Whatever imports the package registers the builder. TensorFlow, which takes seconds to import, is
therefore imported where it is used: flags and files are checked without it.
"""

import collections
import concurrent.futures
import dataclasses
import functools
import itertools
import json
import math
import multiprocessing
import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import writer

from ptn_semi import settings
from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE, Camera, ViewRanges
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources import layouts
from shapenet_posed_masks.sources.base import Source
from shapenet_posed_masks.splits import SPLITS, assign


@dataclasses.dataclass
class PosedMasksConfig(tfds.core.BuilderConfig):
    """Settings that a data set is built from."""

    layout: str = "procedural"  # one of `settings.LAYOUTS`
    # Further arguments of `sources.layouts.open_source`.
    source_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    voxel_size: int = 32  # N, the voxels along each side of a grid
    image_size: int = 32  # S, the rows and columns of a mask
    num_views: int = 24  # masks per shape
    seed: int = 0  # of the viewpoints
    elevation_range: tuple[float, float] = ELEVATION_RANGE  # in degrees
    azimuth_range: tuple[float, float] = AZIMUTH_RANGE  # in degrees
    roll_range: tuple[float, float] = (0.0, 0.0)  # in degrees
    distance_range: tuple[float, float] = (0.0, 0.0)  # in grid sides; the camera's if 0
    framed_share: float = 0.0  # of the masks; these are framed by the object's bounding box
    camera: Camera = dataclasses.field(default_factory=Camera)
    manual_dir: str = ""  # folder of the shapes; TFDS' own manual_dir if empty
    skip_invalid: bool = False  # leave out files that cannot be used instead of stopping

    @property
    def views(self) -> ViewRanges:
        """The ranges of the masks' viewpoints."""
        return ViewRanges.of(self)

    def open_source(self, manual_dir: str = "") -> Source:
        """Open the source of the shapes, in `manual_dir` where the config names no folder.

        Raises:
          UserError: if the folder is missing or empty, or an option does not fit the layout.
        """
        return layouts.open_source(
            self.layout,
            manual_dir=self.manual_dir or manual_dir,
            voxel_size=self.voxel_size,
            **self.source_options,
        )

    def describe_source(self) -> dict[str, Any]:
        """Return the part of the source's fingerprint that needs no files."""
        return layouts.describe(self.layout, voxel_size=self.voxel_size, **self.source_options)


class _StableWriter(writer.ExampleWriter):
    """Writes the same bytes in every process: protobuf may write features in any order."""

    def write(self, path, examples):
        import tensorflow as tf

        stable = (
            (key, tf.train.Example.FromString(data).SerializeToString(deterministic=True))
            for key, data in examples
        )
        return super().write(path, stable)


class Builder(tfds.core.GeneratorBasedBuilder):
    """TFDS builder of the data set, in which every example is one shape with all its views."""

    VERSION = tfds.core.Version("1.0.6")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.0.1": "Points on the border of two voxels may fall to the other one.",
        "1.0.2": "Concave polygons of meshes are not filled; meshes of voxels come back exactly.",
        "1.0.3": "Procedural chairs, cars, tables, cabinets and airplanes are more like real ones.",
        "1.0.4": "A category of three shapes or more has one at least in every split.",
        "1.0.5": "Meshes in .glb files are shown as glTF says; parts of boxes on a grid stay.",
        "1.0.6": "Procedural shapes are of more kinds, and thinner at 64³; random primitives.",
    }
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put ShapeNetVox32 (folder or .tgz), ShapeNetCore.v2 or a folder of meshes per category "
        "there; the data set's README.md says where to get them. `procedural` needs nothing."
    )
    BUILDER_CONFIGS: ClassVar[list[PosedMasksConfig]] = [
        PosedMasksConfig(name=layout, layout=layout) for layout in settings.LAYOUTS
    ]

    # Called with (done, total, what) while building. `ptn_semi.build_data` draws a bar with it.
    on_progress: Callable[[int, int, str], None] = staticmethod(lambda done, total, what: None)
    # Whether examples are made on Apache Beam. TFDS' `DownloadConfig` says where it runs.
    on_beam: bool = False
    # Once built: what is said of the files of shapes that are not read; see `Source.note`.
    note: str = ""

    def _info(self):
        config = self.builder_config
        grid, image = (config.voxel_size,) * 3, (config.image_size,) * 2
        packed = functools.partial(
            tfds.features.Tensor, dtype=np.bool_, encoding=tfds.features.Encoding.ZLIB
        )
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "model_id": tfds.features.Text(doc="Unique in the data set."),
                    "category": tfds.features.Text(doc="Canonical name, as chair."),
                    "voxels": packed(
                        shape=grid, doc="Occupied voxels; axes x, y, z; y up, front +x."
                    ),
                    "masks": packed(
                        shape=(config.num_views, *image, 1), doc="Silhouettes; row 0 is the top."
                    ),
                    "viewpoints": tfds.features.Tensor(
                        shape=(config.num_views, config.views.num_values),
                        dtype=np.float32,
                        doc="Elevation and azimuth of each mask, in degrees; where views have "
                        "cameras of their own, also roll, distance, half width, right and up.",
                    ),
                }
            ),
            homepage="https://github.com/stevenygd/3d-recon",
            supervised_keys=None,
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager):
        config = self.builder_config
        needs_files = config.layout != "procedural" and not config.manual_dir
        manual_dir = os.fspath(dl_manager.manual_dir) if needs_files else ""
        source = config.open_source(manual_dir)
        self.info.metadata["built_from"] = describe(config, source.fingerprint())
        self._items, self.note = source.items(), source.note()
        self._splits = assign(self._items)
        if self.on_beam:
            return self._beam_examples(manual_dir)
        items, read = self._items, source.read
        if config.layout == "procedural":
            self._note_problems({})
        else:
            # Reading checks the files, so all are read before anything is written.
            voxels, problems = self._read_all(source)
            self._note_problems(problems)
            items = [item for item in items if item.model_id in voxels]
            shape = (config.voxel_size,) * 3
            unpack = lambda bits: np.unpackbits(bits, count=math.prod(shape)).reshape(shape)
            read = lambda item: unpack(voxels[item.model_id]).astype(bool)
        done = itertools.count(1)
        show = lambda: self.on_progress(next(done), len(items), "rendering masks")
        return {
            split: self._generate_examples(chosen, read, show)
            for split, chosen in self._by_split(items).items()
        }

    def _by_split(self, items):
        """Return the items of each split that has any."""
        chosen = collections.defaultdict(list)
        for item in items:
            chosen[self._splits[item.model_id]].append(item)
        return {split: chosen[split] for split in SPLITS if split in chosen}

    def _example_writer(self):
        return _StableWriter(self.info.file_format)

    def _note_problems(self, problems):
        """Put the number of shapes, and the sentences on those left out, into the metadata.

        Raises:
          UserError: if there are such shapes and `skip_invalid` is off, or a category has no
            others.
        """
        if problems and not self.builder_config.skip_invalid:
            first = next(iter(problems.values()))
            raise UserError(f"{first} (--skip_invalid leaves such files out)")
        count = collections.Counter(
            (item.category, self._splits[item.model_id])
            for item in self._items
            if item.model_id not in problems
        )
        categories = sorted({category for category, _ in count})
        for item in self._items:
            if item.category not in categories:
                raise UserError(
                    f"no shape of category {item.category} can be used: {problems[item.model_id]}"
                )
        if self.builder_config.layout != "procedural":
            self.info.metadata["left_out"] = list(problems.values())
        self.info.metadata["num_shapes"] = {
            category: {split: count[category, split] for split in SPLITS} for category in categories
        }

    def _read_all(self, source):
        """Return packed voxels, and a sentence for each file that cannot be used, by model id."""
        voxels, problems = {}, {}
        for done, item in enumerate(self._items):
            self.on_progress(done, len(self._items), "reading shapes")
            try:
                voxels[item.model_id] = np.packbits(source.read(item))
            except UserError as error:
                problems[item.model_id] = str(error)
                if not self.builder_config.skip_invalid:
                    break
        self.on_progress(len(self._items), len(self._items), "reading shapes")
        return voxels, problems

    def _generate_examples(self, items, read, show):
        from shapenet_posed_masks.rendering import Renderer

        renderer = Renderer(self.builder_config)
        for keyed in _map_in_order(lambda item: renderer.example(item, read(item)), items):
            show()
            yield keyed

    def _beam_examples(self, manual_dir):
        from shapenet_posed_masks import on_beam  # needs an extra

        return {
            split: on_beam.Examples(
                self.builder_config, manual_dir, items, os.fspath(self._problems_path(split))
            )
            for split, items in self._by_split(self._items).items()
        }

    def _problems_path(self, split):
        return self.data_path / f"problems_{split}.txt"

    def _process_pipeline_result(self, pipeline_result):
        """Collect what the workers of a Beam pipeline could not use."""
        problems: dict[str, str] = {}
        for split in self._by_split(self._items):
            path = self._problems_path(split)
            problems |= dict(map(json.loads, path.read_text(encoding="utf-8").splitlines()))
            path.unlink()
        self._note_problems(dict(sorted(problems.items())))


def _map_in_order(function, items, window=8):
    """Map in order on a thread per core, a few items ahead.

    Threads are enough, because reading and rendering release the GIL.
    """
    items = iter(items)
    with concurrent.futures.ThreadPoolExecutor(multiprocessing.cpu_count()) as pool:
        pending = [pool.submit(function, item) for item in itertools.islice(items, window)]
        while pending:
            yield pending.pop(0).result()
            pending += [pool.submit(function, item) for item in itertools.islice(items, 1)]


def describe(config: PosedMasksConfig, source: dict[str, Any]) -> dict[str, Any]:
    """Return plain values that tell a data set of these settings and this source from another."""
    from ptn_semi.projection import resolutions

    rays = resolutions.fine_side(config.image_size, config.voxel_size)
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
        **(_describe_cameras(config) if config.views.num_values > 2 else {}),
        # Older sets have one ray per pixel, and are the same where pixels are small.
        **({"rays": rays} if rays > config.image_size else {}),
    }


def _describe_cameras(config: PosedMasksConfig) -> dict[str, Any]:
    return {
        "roll_range": list(config.roll_range),
        "distance_range": list(config.distance_range),
        "framed_share": config.framed_share,
    }
