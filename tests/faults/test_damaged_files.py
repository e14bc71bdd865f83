"""Damaged and hostile files end in a value or in a `UserError`, in bounded time and memory.

Hypothesis damages whole files of each format. The corpus has files that once were accepted, or
ended in something other than a sentence.
"""

import datetime
import gzip
import io
import json
import os
import pathlib
import resource
import struct
import tarfile

import hypothesis
import numpy as np
import pytest
import trimesh
from hypothesis import strategies as st
from PIL import Image

from ptn_semi.images import image_files, silhouettes
from ptn_semi.settings import DataSettings
from ptn_semi.utils import binvox, files, flags
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import meshes, voxel_files
from shapenet_posed_masks.sources import layouts
from support import mesh_files

CORPUS = pathlib.Path(__file__).parent / "corpus"
CORPUS_FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())
MEMORY = 2 << 30  # bytes that a reader may take
# The same files in every run, and more of them with EXAMPLES=2000. A reader that takes longer than
# the deadline fails.
SETTINGS = hypothesis.settings(
    derandomize=True,
    database=None,
    deadline=datetime.timedelta(seconds=20),
    max_examples=int(os.environ.get("EXAMPLES", 50)),
    suppress_health_check=list(hypothesis.HealthCheck),
)


def read_archive(path):
    source = layouts.open_source("shapenet_vox32", str(path), voxel_size=8)
    return [source.read(item) for item in source.items()]


# Readers take the path of a file.
READERS = {
    "archives": read_archive,
    "binvox": lambda path: binvox.read(path.read_bytes(), str(path)),
    "flags": lambda path: flags.read(path, DataSettings),
    "images": lambda path: silhouettes.read(path, "plain"),
    "json": lambda path: files.read_json(path, "delete it"),
    "meshes": lambda path: meshes.voxelise(path.read_bytes(), str(path), 8),
    "voxels": lambda path: voxel_files.read(path.read_bytes(), str(path)),
}


@pytest.fixture(autouse=True, scope="module")
def bounded_memory():
    """Lets this process take no more than `MEMORY` beyond what it has; only on Linux."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    if (statm := pathlib.Path("/proc/self/statm")).exists():
        taken = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def check(kind, path):
    """Reads a file; fails on any error but a `UserError` that names the file."""
    try:
        return READERS[kind](path)
    except UserError as error:
        assert str(path) in str(error)
        assert not isinstance(error.__cause__, MemoryError)
        return None


@pytest.mark.parametrize("path", CORPUS_FILES, ids=lambda path: str(path.relative_to(CORPUS)))
def test_each_file_of_the_corpus_is_refused(path):
    assert check(path.parent.name, path) is None


def saved(write):
    """The bytes that a function writes into a file."""
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def write_tar(file):
    data = binvox.write(VOXELS)
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("a", "b", "c" * 150):
            member = tarfile.TarInfo(f"03001627/{name}/model.binvox")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def exported(kind, **options):
    """A box as a mesh file."""
    data = trimesh.creation.box().export(file_type=kind, **options)
    return data.encode() if isinstance(data, str) else data


VOXELS = np.random.default_rng(0).random((8, 8, 8)) < 0.3
PICTURE = Image.new("RGB", (24, 20), "white")
PICTURE.paste((150, 40, 30), (6, 4, 18, 14))
TAR = saved(write_tar)
WHOLE_FILES = {  # the ending and the bytes of some files for each reader
    "archives": [(".tar", TAR), (".tgz", gzip.compress(TAR, mtime=0))],
    "binvox": [(".binvox", binvox.write(VOXELS))],
    "flags": [(".flags", flags.to_text(DataSettings()).encode())],
    "images": [
        (f".{kind}", saved(lambda file, kind=kind: PICTURE.save(file, kind)))
        for kind in image_files.FORMATS
    ],
    "json": [(".json", b'{"image_size": 32, "threshold": 0.4, "camera": {"distance": [1, 2]}}')],
    "meshes": [
        (".off", exported("off")),
        (".obj", exported("obj")),
        (".ply", exported("ply")),
        (".ply", exported("ply", encoding="ascii")),
        (".stl", exported("stl")),
        (".stl", exported("stl_ascii")),
        (".glb", mesh_files.glb({})),
    ],
    "voxels": [
        (".binvox.gz", gzip.compress(binvox.write(VOXELS), mtime=0)),
        (".npy", saved(lambda file: np.save(file, VOXELS))),
        (".npy", saved(lambda file: np.save(file, VOXELS.astype(np.float32)))),
        (".npz", saved(lambda file: np.savez_compressed(file, probabilities=VOXELS, threshold=0))),
    ],
}
NUMBERS = (0, 1, -1, 255, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 10**30)
TEXTS = ("nan", "-inf", "1e308", "1e999", "3_2", "٣٢", "0x10", "1.5", "", " ", "\n", "{", "[")
PIECES = st.one_of(
    st.sampled_from([text.encode() for text in (*TEXTS, *map(str, NUMBERS))]),
    st.sampled_from([struct.pack("<q", n) for n in NUMBERS if -(2**63) <= n < 2**63]),
    st.binary(max_size=8),
)


@st.composite
def damaged(draw, whole):
    """A file in which up to three pieces are replaced, inserted, repeated or cut."""
    data = whole
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 1, 2, 4, 8, 100, len(data)]))
        piece = draw(PIECES) * draw(st.sampled_from([1, 1, 1, 1000]))
        data = data[:start] + piece + data[start + length :]
    return data


def read_damaged(kind, ending, folder, content):
    path = folder / f"file{ending}"
    path.write_bytes(content)
    check(kind, path)


@pytest.mark.parametrize(
    ("kind", "ending", "whole"),
    [(kind, *file) for kind, whole_files in WHOLE_FILES.items() for file in whole_files],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_any_damage_to_a_file(kind, ending, whole, tmp_path):
    (tmp_path / f"whole{ending}").write_bytes(whole)
    assert check(kind, tmp_path / f"whole{ending}") is not None

    @SETTINGS
    @hypothesis.given(damaged(whole) | st.binary(max_size=200))
    def read(content):
        read_damaged(kind, ending, tmp_path, content)

    read()


@st.composite
def strange_descriptions(draw):
    """The description in a .glb file with something else in one place."""
    data = mesh_files.glb({})
    (size,) = struct.unpack_from("<I", data, 12)
    description = place = json.loads(data[20 : 20 + size])
    strange = st.sampled_from([*NUMBERS, 1e308, float("nan"), None, True, "", "x" * 99, [], {}])
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or draw(st.integers(0, 4)) == 0:
            place[key] = draw(strange | st.lists(strange, max_size=3))
            return description
        place = place[key]


def test_any_strange_description_in_a_glb_file(tmp_path):
    @SETTINGS
    @hypothesis.given(strange_descriptions())
    def read(description):
        read_damaged("meshes", ".glb", tmp_path, mesh_files.glb(description))

    read()
