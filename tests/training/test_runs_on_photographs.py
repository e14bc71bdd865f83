"""Runs whose unlabeled masks are of images in a folder, and whose views have their own cameras."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from ptn_semi.models import checkpoints
from ptn_semi.projection import framed_views
from ptn_semi.settings import RunSettings
from ptn_semi.training import trainer
from ptn_semi.utils.errors import UserError
from support.tiny_runs import BOTH


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, width in enumerate((20, 40, 60)):
        pixels = np.zeros((80, 80), np.uint8)
        pixels[10:70, 5 : 5 + width] = 255
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_images_are_drawn_and_changed_ones_are_refused(data, photos, tmp_path):
    data = dataclasses.replace(
        data, roll_range=(-9.0, 9.0), distance_range=(1.5, 6.0), framed_share=1.0
    )
    train = dataclasses.replace(BOTH, unlabeled_dir=str(photos))
    trainer.train(tmp_path, data, train, RunSettings(steps=1, evaluate_every=1))
    assert (tmp_path / "unlabeled.png").exists()
    info = checkpoints.find(tmp_path, "last").info
    assert info.extent == framed_views.EXTENT and info.settings.views.num_values == 7
    (photos / "2.png").unlink()
    with pytest.raises(UserError, match="the images in --unlabeled_dir, changed since"):
        trainer.train(tmp_path, data, train, RunSettings(steps=2, evaluate_every=1))
