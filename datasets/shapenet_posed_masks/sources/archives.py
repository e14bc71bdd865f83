"""Shapes in a tar archive, packed or not, of which nothing is believed."""

import gzip
import os
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources.base import Item
from shapenet_posed_masks.sources.folders import Stamp, VoxFolder
from shapenet_posed_masks.sources.taxonomy import category_name

_MAX_MEMBER = 4 << 20  # bytes of one file, as all are kept in memory; real ones have 1 to 200 kB
_MAX_ARCHIVE = 1 << 30  # unpacked; the published one has 200 MB
_MAX_HEADER = 64 << 10  # bytes of a member's long name and the like
_WITHOUT_DATA = (
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
)
_PER_MEMBER = 2 << 10  # what a member takes in memory beside its data


class _Tar:
    """The members of a tar archive, read once from start to end.

    tarfile itself takes a damaged header for the archive's end, remembers all members, and takes
    hours over some headers; here it reads single headers only. Sparse files are refused.
    """

    def __init__(self, file: BinaryIO, name: str):
        self._file, self._name = file, name
        self._charged = 0
        self._left = 0  # bytes of the newest member that are still to come; -1 before any was read

    def members(self) -> Iterator[tarfile.TarInfo]:
        """Yields each header; its data is to be read before the next one, by `data`.

        Raises:
          tarfile.TarError, ValueError: the archive is damaged.
          UserError: it is too large.
        """
        said = {}  # by extended headers about the next member
        while any(block := self._read(tarfile.BLOCKSIZE)):
            member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            if member.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                said |= _pax_records(self.data(member, _MAX_HEADER, whole=True))
            elif member.type == tarfile.GNUTYPE_LONGNAME:
                said["path"] = self.data(member, _MAX_HEADER, whole=True).rstrip(b"\0")
            elif member.type in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
                self.data(member, 0)
            else:
                if "path" in said:
                    member.name = said["path"].decode("utf-8", "surrogateescape")
                member.size = int(said.get("size", member.size))
                member.mtime = float(said.get("mtime", member.mtime))
                if member.type == tarfile.GNUTYPE_SPARSE:
                    raise tarfile.ReadError("it holds sparse files")
                said, self._left = {}, -1
                yield member
                if self._left < 0 and member.type not in _WITHOUT_DATA:
                    self.data(member, 0)
        while rest := self._file.read(1 << 20):  # also for gzip's checksum at the end
            self.charge(len(rest))
            if any(rest):
                raise tarfile.ReadError("something follows its end")

    def data(self, member: tarfile.TarInfo, limit: int, whole: bool = False) -> bytes:
        """Returns a member's data; of larger ones the beginning, or with `whole` an error."""
        if member.size < 0 or (whole and member.size > limit):
            raise tarfile.ReadError(f"a header claims {member.size} bytes")
        self._left = -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        kept = self._read(min(self._left, -(-limit // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE))
        self._left -= len(kept)
        while self._left:
            self._left -= len(self._read(min(self._left, 1 << 20)))
        return kept[: min(member.size, limit)]

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.charge(len(data))
        if len(data) < size:
            raise tarfile.ReadError("it ends within a member")
        return data

    def charge(self, size: int) -> None:
        """Counts bytes towards the limit; raises UserError over it."""
        self._charged += size
        if self._charged > _MAX_ARCHIVE:
            raise UserError(
                f"{self._name} unpacks to more than {_MAX_ARCHIVE >> 30} GiB: unpack it and give "
                "the folder as --manual_dir"
            )


class VoxArchive(VoxFolder):
    """The same in a tar archive, of which the wanted files are kept in memory, 1.5 kB each.

    The archive is read once, from start to end, when items are first asked for; nothing is unpacked
    to disk. Links, names with '..' and absolute names are ignored. Of a file that is there twice
    the later one counts, as when it is unpacked.
    """

    def _scan(self) -> tuple[dict[Item, Stamp], set[str]]:
        found, present, self._data, names = {}, set(), {}, {}
        opener = open if self.root.endswith(".tar") else gzip.open
        try:
            with opener(self.root, "rb") as file:
                archive = _Tar(file, self.root)
                for member in archive.members():
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
                    archive.charge(_PER_MEMBER)
                    self._data[item.path] = archive.data(member, _MAX_MEMBER + 1)
                    found[item] = Stamp(member.size, int(member.mtime * 1e9))
        except UserError:
            raise
        except Exception as error:  # parsers raise anything at all on damaged files
            raise UserError(
                f"{self.root} is truncated or not a tar archive ({error}): fetch it again"
            ) from error
        return found, present

    def fingerprint(self) -> dict:
        """Returns the settings, and the archive's name, size and time of change, unopened."""
        stat = os.stat(self.root)
        archive = [os.path.basename(self.root), stat.st_size, stat.st_mtime_ns]
        return self.settings() | {"archive": archive}

    def _read_bytes(self, item: Item, limit: int) -> bytes:
        self.items()  # reads the archive if that has not been done
        if not files.is_utf8(item.path):
            raise UserError(f"{item.path} in {self.root} has a name that is not UTF-8: rename it")
        data = self._data.get(item.path)
        if data is None or len(data) > _MAX_MEMBER:
            fault = "is missing" if data is None else f"is larger than {_MAX_MEMBER >> 20} MiB"
            raise UserError(f"{item.path} {fault} in {self.root}: replace the file or remove it")
        return data


def _pax_records(data: bytes) -> dict[str, bytes]:
    """Returns what a pax header, in which each record has its length before it, says of a file."""
    records, at = {}, 0
    while at < len(data):
        length = data[at : at + 6].partition(b" ")[0]
        end = at + int(length)
        key, found, value = data[at + len(length) + 1 : end - 1].partition(b"=")
        if not found or data[end - 1 : end] != b"\n":
            raise tarfile.ReadError("it has a damaged pax header")
        if key.startswith(b"GNU.sparse"):
            raise tarfile.ReadError("it holds sparse files")
        if key in (b"path", b"size", b"mtime"):
            records[key.decode()] = value
        at = end
    return records
