"""The benchmark prints and writes what its sections measure."""

import json
import types

from tools import benchmark
from tools.benchmarks import sections


def measured(repeats, manual_dir):
    ours, reference = sections.times([lambda: sum(range(10**5)), lambda: 1], repeats)
    assert len(ours) == len(reference) == repeats
    yield sections.row("a sum, against a constant", "ms", 1000, ours, reference)


def test_the_command_prints_a_table_and_writes_json(tmp_path, monkeypatch, capsys):
    path = tmp_path / "rows.json"
    chosen = {"sections": ["projector"], "repeats": 3, "manual_dir": "", "json": str(path)}
    monkeypatch.setattr(benchmark, "FLAGS", types.SimpleNamespace(**chosen))
    monkeypatch.setitem(sections.SECTIONS, "projector", measured)
    benchmark.main()
    (row,) = json.loads(path.read_text())["rows"]
    assert row["spread"][0] <= row["value"] <= row["spread"][1] and row["reference"] > 0
    assert row["name"] in capsys.readouterr().out
