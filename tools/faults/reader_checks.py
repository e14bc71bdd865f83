"""Reads a case of `fuzz_readers.py` by the real readers, and checks all that may go wrong."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import struct
import sys
import tempfile
import time
import zlib

import numpy as np
from PIL import Image

from ptn_semi.data import framing
from ptn_semi.inference import silhouettes
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import grids
from shapenet_posed_masks.sources import layouts

_SIZE = 32  # voxels and pixels a side of what is asked for
_WRITES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
_OTHERS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect")


@dataclasses.dataclass
class Outcome:
    """What became of a file: refused, accepted or failed, why, and what it took."""

    kind: str
    result: str
    detail: str
    seconds: float = 0.0
    megabytes: float = 0.0


class Watch:
    """Notes what Python does to files and programs while a reader runs."""

    def __init__(self):
        self.noted, self._folder = None, ""
        sys.addaudithook(self._hook)

    @contextlib.contextmanager
    def on(self, folder):
        """Watches a reader that may read in `folder`/in alone; yields what it did else."""
        self.noted, self._folder = [], folder
        try:
            yield self.noted
        finally:
            self.noted = None

    def _hook(self, event, arguments):
        noted, self.noted = self.noted, None  # looking at it is no event of the reader's
        if noted is None:
            return
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            path, flags = os.path.realpath(os.fsdecode(arguments[0])), arguments[2]
            outside = path.startswith(self._folder) and not path.startswith(f"{self._folder}/in")
            if outside or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                noted.append(f"opened {path}")
        elif event in _WRITES or event in _OTHERS:
            noted.append(f"{event} {arguments}"[:300])
        self.noted = noted


def plant(case, folder):
    """Writes a case's tree below a folder."""
    for what, name, content in case.tree:
        path = pathlib.Path(folder, name)
        with contextlib.suppress(FileExistsError, NotADirectoryError):  # one of several oddities
            os.makedirs(path.parent, exist_ok=True)
            if what == "file":
                path.write_bytes(content)
            elif what == "link":
                path.symlink_to(content)
            elif what == "pipe":
                os.mkfifo(path)
            else:
                path.mkdir()


def read(case, folder):
    """Reads a case by the real readers; returns how many shapes were accepted, and refused.

    Raises:
      AssertionError: what was read is not what is in the file, or a refusal is badly worded.
    """
    root = os.path.join(folder, case.root)
    if not case.layout:
        picture, silhouette = silhouettes.read(root)
        _check_image(case, root, picture, silhouette)
        return 1, []
    source = layouts.open_source(case.layout, root, voxel_size=_SIZE)
    items, refused = source.items(), []
    json.dumps(source.fingerprint()).encode()
    for item in items:
        try:
            voxels = source.read(item)
        except UserError as error:
            _check_refusal(error, item.path.split("/")[0])
            refused.append(str(error))
            continue
        item.model_id.encode()
        assert voxels.dtype == bool, voxels.dtype
        assert voxels.shape == (_SIZE,) * 3, voxels.shape
        assert voxels.any(), "an empty shape"
        if case.kind == "binvox":
            expected = grids.resize(plain_binvox(case.data), _SIZE)
            assert np.array_equal(voxels, expected), "other voxels than the file's"
        if case.mutations == ["cut"]:
            assert _cannot_tell(case), "a cut file"
    return len(items) - len(refused), refused


def plain_binvox(data):
    """The voxels of a .binvox file, run by run."""
    header, _, runs = data.partition(b"\ndata\n")
    side = int(next(line for line in header.split(b"\n") if line.startswith(b"dim")).split()[1])
    runs = np.frombuffer(runs, np.uint8).reshape(-1, 2)
    voxels, at = np.zeros(side**3, bool), 0
    for value, count in runs[runs[:, 1] > 0].tolist():
        voxels[at : at + count] = value == 1
        at += count
    assert at == side**3, "another number of voxels than the file's"
    return voxels.reshape(side, side, side).swapaxes(1, 2)


def _cannot_tell(case):
    """Whether a file was cut where its format does not tell: a text within its last number."""
    lost = case.seed[len(case.data) :].strip()
    return case.tree[0][1].endswith(".obj") or len(lost.split()) < 2


def _check_image(case, path, picture, silhouette):
    with Image.open(path) as image:
        width, height = image.size
    shrunk = -(-max(width, height) // 2048)
    shape = -(-height // shrunk), -(-width // shrunk)
    assert picture.shape == (*shape, 3), picture.shape
    assert silhouette.shape == shape, silhouette.shape
    assert silhouette.dtype == bool, silhouette.dtype
    mask = framing.frame(silhouette, _SIZE, 0.8)
    assert mask.shape == (_SIZE, _SIZE, 1), mask.shape
    assert set(np.unique(mask)) <= {0, 1}, "a mask of other values"
    if case.data.startswith(b"\x89PNG"):
        _check_png(case.data)


def _check_png(data):
    """Every checksum up to the end, which has no content."""
    at = 8
    while data[at + 4 : at + 8] != b"IEND":
        size, kind = struct.unpack_from(">I4s", data, at)
        (checksum,) = struct.unpack_from(">I", data, at + 8 + size)
        assert checksum == zlib.crc32(data[at + 4 : at + 8 + size]), f"a damaged {kind}"
        at += 12 + size


def _check_refusal(error, name):
    """Its text can be printed, names the file, and hides no lack of memory."""
    text, name = str(error), str(UserError(name))
    assert text.isprintable(), "a sentence that cannot be printed"
    assert name in text, f"a sentence without {name}"
    cause = error.__cause__
    assert not isinstance(cause, (MemoryError, UnicodeEncodeError)), repr(cause)


def try_case(case, watch, scratch):
    """The `Outcome` of a case, read in a folder of its own below `scratch`."""
    folder = os.path.realpath(tempfile.mkdtemp(dir=scratch))
    plant(case, folder)
    before, start, megabytes = _listing(folder), time.perf_counter(), _peak_megabytes(reset=True)
    try:
        with watch.on(folder) as noted:
            accepted, refused = read(case, folder)
        result, detail = ("refused", refused[0]) if refused else ("accepted", f"{accepted}")
        assert case.mutations or not refused, f"a whole file refused: {refused}"
    except UserError as error:
        result, detail = "refused", str(error)
        try:
            _check_refusal(error, folder)
            assert case.mutations or "fractions" in detail, "a whole file refused"
        except AssertionError as wrong:
            result, detail = "failed", f"{wrong}: {detail}"
    except AssertionError as error:
        result, detail = "failed", f"AssertionError: {error}"
    except BaseException as error:
        result, detail = "failed", f"{type(error).__name__}: {error}"
    seconds, megabytes = time.perf_counter() - start, _peak_megabytes() - megabytes
    if noted or _listing(folder) != before:
        result, detail = "failed", f"it did not only read: {noted}"
    shutil.rmtree(folder)
    return Outcome(case.kind, result, detail, seconds, megabytes)


def _listing(folder):
    """Path, size and time of all that is in a folder."""
    found = []
    for parent, _, names in os.walk(folder):
        for path in [parent, *(os.path.join(parent, name) for name in names)]:
            stat = os.lstat(path)
            found.append((path, stat.st_size, stat.st_mtime_ns))
    return sorted(found)


def _peak_megabytes(reset=False):
    """Most memory that this process had since the last reset."""
    if reset:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
