"""The same examples made on Apache Beam, by any number of processes and machines.

Each shape is read and rendered by whichever worker gets it; workers need to see the shapes under
the same path. Only builds that ask for Beam import this, as it is an extra.
"""

import json

import apache_beam as beam

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.rendering import Renderer

_PROBLEMS = "problems"


class _ReadAndRender(beam.DoFn):
    """Items to (key, example), and to [model id, sentence] where a file cannot be used."""

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
    """Examples of these items; what cannot be used is listed in a file, a JSON list in a line."""

    def __init__(self, config, manual_dir, items, problems_path):
        super().__init__()
        self._function = _ReadAndRender(config, manual_dir)
        self._items, self._problems_path = items, problems_path

    def expand(self, pipeline):
        """Examples as a `beam.PCollection`."""
        made = (
            pipeline
            | beam.Create(self._items)
            | beam.Reshuffle()  # or one worker gets them all
            | beam.ParDo(self._function).with_outputs(_PROBLEMS, main="examples")
        )
        _ = made[_PROBLEMS] | beam.io.WriteToText(
            self._problems_path, num_shards=1, shard_name_template=""
        )
        return made["examples"]
