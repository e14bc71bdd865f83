"""Which compute dtype is the fastest on which machine."""

import pytest
import tensorflow as tf

from ptn_semi.training import precision
from ptn_semi.utils import cpu


@pytest.mark.parametrize(
    ("capabilities", "cpu_has_it", "expected"),
    [
        ([], True, "mixed_bfloat16"),
        ([], False, "float32"),
        ([(8, 0), (9, 0)], False, "mixed_bfloat16"),
        ([(8, 0), (7, 5)], True, "float32"),
        ([None], True, "float32"),  # a GPU that does not say
    ],
)
def test_fastest_precision(capabilities, cpu_has_it, expected, monkeypatch, capsys):
    details = [{"compute_capability": each} if each else {} for each in capabilities]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: range(len(details)))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details.__getitem__)
    monkeypatch.setattr(cpu, "computes_in_bfloat16", lambda: cpu_has_it)
    assert precision.choose_precision("auto") == expected
    assert precision.choose_precision("mixed_bfloat16") == "mixed_bfloat16"
    assert ("slower than in float32" in capsys.readouterr().out) == (expected == "float32")
