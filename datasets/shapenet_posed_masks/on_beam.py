"""Make the examples on Apache Beam, with any number of processes and machines.

Each shape is read and rendered by the worker that gets it, so all workers must see the shapes under
the same path. Apache Beam is an extra, so only builds that ask for it import this module. The
methods that Beam calls have no type hints, because Beam would choose its coders by them.
"""

import json
from collections.abc import Sequence

import apache_beam as beam

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.rendering import Renderer
from shapenet_posed_masks.sources.base import Item

_PROBLEMS = "problems"


class _ReadAndRender(beam.DoFn):
    """Turns items into (key, example) pairs.

    A file that cannot be used becomes a [model id, sentence] pair in the output `_PROBLEMS`.
    """

    def __init__(self, config, manual_dir):
        self._config, self._manual_dir = config, manual_dir

    def setup(self):
        self._source = self._config.open_source(self._manual_dir)
        self._renderer = Renderer(self._config)

    def process(self, item):
        try:
            voxels = self._source.read(item)
        except UserError as error:
            yield beam.pvalue.TaggedOutput(_PROBLEMS, json.dumps([item.model_id, str(error)]))
            return
        yield self._renderer.example(item, voxels)


class Examples(beam.PTransform):
    """The examples of some items for a `PosedMasksConfig`, as a transform of a pipeline's root.

    The text file `problems_path` gets a line for each item that cannot be used, which is a JSON
    list of the model id and a sentence. `manual_dir` is used where the config names none.
    """

    def __init__(self, config, manual_dir: str, items: Sequence[Item], problems_path: str):
        super().__init__()
        self._function = _ReadAndRender(config, manual_dir)
        self._items, self._problems_path = items, problems_path

    def expand(self, pipeline):
        """Return the (key, example) pairs as a `beam.PCollection`."""
        made = (
            pipeline
            | beam.Create(self._items)
            | beam.Reshuffle()  # otherwise one worker gets all items
            | beam.ParDo(self._function).with_outputs(_PROBLEMS, main="examples")
        )
        _ = made[_PROBLEMS] | beam.io.WriteToText(
            self._problems_path, num_shards=1, shard_name_template=""
        )
        return made["examples"]
