"""The fuzzing of the readers: a short run finds nothing, and a broken reader is seen."""

import functools
import os
import time

import numpy as np
import pytest

from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from tools.faults import fuzz_readers, hostile_files, reader_checks

whole_files = functools.cache(hostile_files.seed_files)
watch = functools.cache(reader_checks.Watch)  # one in a process: Python keeps its hook for ever


def a_case(kind, mutations=()):
    ending, data = whole_files()[kind][0]
    root, name, layout = {
        "binvox": ("in", "in/03001627/m/model.binvox", "shapenet_vox32"),
        "image": (f"in{ending}", f"in{ending}", ""),
    }[kind]
    return hostile_files.Case(kind, layout, [("file", name, data)], root, list(mutations), data)


def test_a_short_run_finds_nothing(tmp_path):
    outcomes = fuzz_readers.fuzz(1, range(60), keep=tmp_path)
    assert [outcome for outcome in outcomes if outcome.result == "failed"] == []
    assert {outcome.kind for outcome in outcomes} == {
        "archive",
        "binvox",
        "folder",
        "image",
        "mesh",
        "voxels",
    }
    assert {outcome.result for outcome in outcomes} == {"accepted", "refused"}
    assert not list(tmp_path.iterdir())
    assert fuzz_readers.table(outcomes).count("\n") == 6


def test_files_depend_on_their_number_alone():
    again = hostile_files.seed_files()
    for number in range(40):
        assert hostile_files.case(3, number, again) == hostile_files.case(3, number, whole_files())


def wrong_voxels(data, name):
    voxels = read(data, name)
    voxels[0, 0, 0] = ~voxels[0, 0, 0]
    return voxels


def writes(data, name):
    with open(os.path.join(os.path.dirname(name), "new"), "w"):
        return read(data, name)


def looks_outside(data, name):
    with open(f"{name.partition('/in/')[0]}/outside", "rb"):
        return read(data, name)


def starts_a_program(data, name):
    os.system("true")
    return read(data, name)


def refuses_without_a_name(data, name):
    raise UserError("something is wrong")


def runs_out_of_memory(data, name):
    try:
        raise MemoryError
    except MemoryError as error:
        raise UserError(f"{name} is damaged") from error


def raises(data, name):
    raise IndexError(name)


def empties(data, name):
    return np.zeros_like(read(data, name))


read = binvox.read
BROKEN = [
    wrong_voxels,
    writes,
    looks_outside,
    starts_a_program,
    refuses_without_a_name,
    runs_out_of_memory,
    raises,
    empties,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_broken_reader_is_seen(tmp_path, monkeypatch, broken):
    case = a_case("binvox")
    case.tree.append(("file", "outside", b""))
    assert reader_checks.try_case(case, watch(), tmp_path).result == "accepted"
    monkeypatch.setattr(binvox, "read", broken)
    assert reader_checks.try_case(case, watch(), tmp_path).result == "failed"


def test_a_whole_file_that_is_refused_is_seen(tmp_path, monkeypatch):
    def refuse(path, _):
        raise UserError(f"{path} is refused")

    monkeypatch.setattr("ptn_semi.inference.silhouettes.read", refuse)
    assert reader_checks.try_case(a_case("image"), watch(), tmp_path).result == "failed"
    case = a_case("image", ["cut"])
    assert reader_checks.try_case(case, watch(), tmp_path).result == "refused"


def stuck(connection, seed, *_):
    """A worker that dies at the first file, or takes for ever."""
    connection.send(None)
    connection.recv()
    if seed == 0:
        os._exit(1)
    time.sleep(600)


@pytest.mark.slow
def test_dead_and_slow_workers_are_seen_and_started_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz_readers, "work", stuck)
    outcomes = fuzz_readers.fuzz(0, range(2), keep=tmp_path)
    assert [outcome.detail for outcome in outcomes] == ["the process died"] * 2
    assert len(list(tmp_path.iterdir())) == 2
    [outcome] = fuzz_readers.fuzz(1, [0], seconds=0.1)
    assert outcome.result == "failed" and "not done" in outcome.detail
