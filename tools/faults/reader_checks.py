"""Read a case of `fuzz_readers.py` with the real readers, and check all that may go wrong."""

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
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from ptn_semi.data import framing
from ptn_semi.inference import silhouettes
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import grids
from shapenet_posed_masks.sources import layouts

if TYPE_CHECKING:
    from tools.faults.hostile_files import Case

_SIZE = 32  # voxels and pixels a side that readers are asked for
_WRITES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
_OTHERS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect")


@dataclasses.dataclass
class Outcome:
    """What became of a file.

    Attributes:
      kind: the case's kind.
      result: refused, accepted or failed.
      detail: why, in words.
      seconds: time that it took.
      megabytes: peak memory that it took.
    """

    kind: str
    result: str
    detail: str
    seconds: float = 0.0
    megabytes: float = 0.0


class Watch:
    """Notes what Python does to files and programs while a reader runs.

    Attributes:
      noted: what was noted; None while no reader is watched.
    """

    noted: list[str] | None

    def __init__(self):
        self.noted, self._folder = None, ""
        sys.addaudithook(self._hook)

    @contextlib.contextmanager
    def on(self, folder: str) -> Iterator[list[str]]:
        """Watch a reader that may only read in `folder`/in; yield the list of what else it does."""
        noted: list[str] = []
        self.noted, self._folder = noted, folder
        try:
            yield noted
        finally:
            self.noted = None

    def _hook(self, event, arguments):
        noted, self.noted = self.noted, None  # this hook's own events do not count
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


def plant(case: "Case", folder: str | os.PathLike) -> None:
    """Write a case's tree below a folder."""
    for what, name, content in case.tree:
        path = pathlib.Path(folder, name)
        with contextlib.suppress(FileExistsError, NotADirectoryError):  # oddities may collide
            os.makedirs(path.parent, exist_ok=True)
            if what == "file":
                path.write_bytes(content)
            elif what == "link":
                path.symlink_to(content)
            elif what == "pipe":
                os.mkfifo(path)
            else:
                path.mkdir()


def read(case: "Case", folder: str | os.PathLike) -> tuple[int, list[str]]:
    """Read a case with the real readers.

    Args:
      case: the case.
      folder: where its tree is planted.

    Returns:
      How many shapes were accepted, and the messages of those that were refused.

    Raises:
      AssertionError: what was read is not what is in the file, or a refusal is badly worded.
      UserError: the whole case was refused.
    """
    root = os.path.join(folder, case.root)
    if not case.layout:
        # Without the network for photographs, which is another package's and may download.
        picture, silhouette, _ = silhouettes.read(root, "plain")
        _check_image(case, root, picture, silhouette)
        return 1, []
    source = layouts.open_source(case.layout, root, voxel_size=_SIZE)
    items = source.items()
    refused: list[str] = []
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
            assert np.array_equal(voxels, expected), "voxels that are not the file's"
        if case.mutations == ["cut"]:
            assert _cannot_tell(case), "a cut file"
    return len(items) - len(refused), refused


def plain_binvox(data: bytes) -> np.ndarray:
    """Return the voxels of a .binvox file, bool [N, N, N], read run by run."""
    header, _, body = data.partition(b"\ndata\n")
    side = int(next(line for line in header.split(b"\n") if line.startswith(b"dim")).split()[1])
    runs = np.frombuffer(body, np.uint8).reshape(-1, 2)
    voxels, at = np.zeros(side**3, bool), 0
    for value, count in runs[runs[:, 1] > 0].tolist():
        voxels[at : at + count] = value == 1
        at += count
    assert at == side**3, "a number of voxels that is not the file's"
    return voxels.reshape(side, side, side).swapaxes(1, 2)


def _cannot_tell(case):
    """Tell whether a file was cut where nobody can see it: a text within its last number."""
    lost = case.seed[len(case.data) :].strip()
    return case.tree[0][1].endswith(".obj") or len(lost.split()) < 2


def _check_image(case, path, picture, silhouette):
    with Image.open(path) as image:
        width, height = ImageOps.exif_transpose(image).size
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
    """Check every checksum up to the end, which has no content. Text may be damaged."""
    at = 8
    while data[at + 4 : at + 8] != b"IEND":
        size, kind = struct.unpack_from(">I4s", data, at)
        (checksum,) = struct.unpack_from(">I", data, at + 8 + size)
        is_sound = checksum == zlib.crc32(data[at + 4 : at + 8 + size])
        assert is_sound or kind in (b"tEXt", b"zTXt", b"iTXt"), f"a damaged {kind}"
        at += 12 + size


def _check_refusal(error, name):
    """Check that the text can be printed, names the file, and hides no lack of memory."""
    text, name = str(error), str(UserError(name))
    assert text.isprintable(), "a sentence that cannot be printed"
    assert name in text, f"a sentence without {name}"
    cause = error.__cause__
    assert not isinstance(cause, (MemoryError, UnicodeEncodeError)), repr(cause)


def try_case(case: "Case", watch: Watch, scratch: str | os.PathLike) -> Outcome:
    """Read a case in a folder of its own below `scratch`, and return the outcome."""
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
        result, detail = "failed", f"it did more than read: {noted}"
    shutil.rmtree(folder)
    return Outcome(case.kind, result, detail, seconds, megabytes)


def _listing(folder):
    """Return the path, size and time of everything in a folder."""
    found = []
    for parent, _, names in os.walk(folder):
        for path in [parent, *(os.path.join(parent, name) for name in names)]:
            stat = os.lstat(path)
            found.append((path, stat.st_size, stat.st_mtime_ns))
    return sorted(found)


def _peak_megabytes(reset=False):
    """Return the peak memory of this process since the last reset."""
    if reset:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
