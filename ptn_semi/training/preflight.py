"""What can be refused of a training before TensorFlow is loaded, which takes seconds.

All of it is checked again where it is used; the libraries do not rely on it.
"""

import pathlib

from ptn_semi import settings
from ptn_semi.data.preflight import check_shapes
from ptn_semi.training import workdirs


def check_training(workdir, data, train, run):
    """Refuses a training that cannot be.

    Args:
      workdir: folder of the run, or None where there is none yet.
      data, train, run: its settings.

    Raises:
      UserError: settings that do not go together, or not with the workdir; missing shapes.
    """
    settings.check(data, train, run)
    if workdir is not None:
        workdirs.check_settings(pathlib.Path(workdir), data, train)
    check_shapes(data)
