"""The source that reads shapes from a tar archive, compressed or not."""

import contextlib
import gzip
import io
import os
import tarfile
from collections.abc import Iterator
from typing import Any

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources.base import Item
from shapenet_posed_masks.sources.folders import Stamp, VoxFolder
from shapenet_posed_masks.sources.taxonomy import category_name

_MAX_FILE = 4 << 20  # bytes of one shape; all shapes are kept in memory, and real ones take 200 kB
_MAX_ARCHIVE = 1 << 30  # bytes when unpacked; the published archive has 200 MB
_MAX_MEMBERS = 3_000_000  # the published archive has about 90,000
_MAX_HEADER = 16 << 10  # bytes of an extended header, such as a long name; a path has at most 4,096
_EXTENDED_HEADERS = b"xgXLK"  # the types of pax' and GNU's headers


class VoxArchive(VoxFolder):
    """ShapeNetVox32 in a tar archive. The wanted files are kept in memory, 1.5 kB each.

    The archive is read once, from start to end, when items are first asked for. Nothing is unpacked
    to disk. Links, names with '..' and absolute names are ignored. Where a file is there twice, the
    later one counts, as it does when the archive is unpacked.
    """

    def _scan(self) -> tuple[dict[Item, Stamp], set[str]]:
        found: dict[Item, Stamp] = {}
        present: set[str] = set()
        self._data: dict[str, bytes] = {}
        names: dict[str, str] = {}
        with _opened(self.root) as archive:
            for count, member in enumerate(archive, 1):
                if count > _MAX_MEMBERS:
                    raise _too_large(self.root, f"has more than {_MAX_MEMBERS} members")
                parts = member.name.removeprefix("./").split("/")
                if not member.isreg() or len(parts) < 3 or {"", ".", ".."} & {*parts}:
                    continue
                folder, model, tail = parts[-3:]
                present.add(category := category_name(folder))
                if tail != self.tail or not self._wants(category):
                    continue
                item = Item(f"{folder}/{model}", category, f"{folder}/{model}/{tail}")
                name = "/".join(parts)
                if names.setdefault(item.path, name) != name:
                    raise UserError(
                        f"{self.root} has two files for {item.path}, {names[item.path]} and "
                        f"{name}: unpack it and give the folder of one as --manual_dir"
                    )
                content = archive.extractfile(member)
                assert content is not None  # the member is a regular file
                self._data[item.path] = content.read(_MAX_FILE + 1)
                found[item] = Stamp(member.size, int(member.mtime * 1e9))
        return found, present

    def fingerprint(self) -> dict:
        """Return the settings and the unopened archive's name, size and time of change."""
        stat = os.stat(self.root)
        archive = [os.path.basename(self.root), stat.st_size, stat.st_mtime_ns]
        return self.settings() | {"archive": archive}

    def _read_bytes(self, item: Item, limit: int) -> bytes:
        self.items()  # reads the archive on the first call
        if not files.is_utf8(item.path):
            raise UserError(f"{item.path} in {self.root} has a name that is not UTF-8: rename it")
        data = self._data[item.path]
        if len(data) > _MAX_FILE:
            raise UserError(
                f"{item.path} is larger than {_MAX_FILE >> 20} MiB in {self.root}: replace the "
                "file or remove it"
            )
        return data


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tarfile.TarFile]:
    """Yield an archive whose members are to be read in turn."""
    opener = open if path.endswith(".tar") else gzip.open
    try:
        with opener(path, "rb") as file:
            bounded: Any = _Bounded(file, path)  # tarfile calls nothing but its `read`
            encoding: Any = {"encoding": "utf-8", "errors": "surrogateescape"}
            with tarfile.open(fileobj=bounded, mode="r|", tarinfo=_Member, **encoding) as archive:
                yield archive
                while rest := archive.fileobj.read(1 << 20):  # gzip's checksum is at its end
                    if any(rest):
                        raise tarfile.ReadError("data follows its end")
    except UserError:
        raise
    except Exception as error:  # a damaged archive can make tarfile raise anything
        raise UserError(
            f"{path} is truncated or not a tar archive ({error}): download it again"
        ) from error


class _Member(tarfile.TarInfo):
    """A member of an archive. A damaged header is an error; to tarfile it is the archive's end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "_Member":
        """Read the next member's headers."""
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # zeros, where an archive ends
                raise
            raise tarfile.ReadError(str(error)) from error

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        """Parse a header."""
        member = super().frombuf(buf, encoding, errors)
        too_long = member.type in _EXTENDED_HEADERS and member.size > _MAX_HEADER
        if too_long or member.size < 0:
            raise tarfile.ReadError(f"a header claims {member.size} bytes")
        return member


class _Bounded:
    """A file of which only so much can be read."""

    def __init__(self, file: io.BufferedIOBase, path: str):
        self._file, self._path, self._left = file, path, _MAX_ARCHIVE

    def read(self, size: int) -> bytes:
        """Return the next bytes of the file, as `file.read` does."""
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._path, f"unpacks to more than {_MAX_ARCHIVE >> 30} GiB")
        return data


def _too_large(path: str, fault: str) -> UserError:
    return UserError(f"{path} {fault}: unpack it and give the folder as --manual_dir")
