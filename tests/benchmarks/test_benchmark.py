"""The benchmark's command runs."""

import json

import pytest

from support import processes


@pytest.mark.slow
def test_the_command_prints_a_table_and_writes_json(tmp_path):
    ended = processes.main(
        "tools.benchmark",
        "--sections=projector",
        "--repeats=1",
        f"--json={tmp_path / 'rows.json'}",
    )
    assert ended.returncode == 0, ended.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert len(rows) == 4 and all(row["value"] > 0 and row["reference"] > 0 for row in rows)
    assert all(row["name"] in ended.stdout for row in rows)
