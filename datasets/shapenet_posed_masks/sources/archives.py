"""The source that reads shapes from a tar archive, compressed or not, and trusts nothing in it."""

import gzip
import io
import os
import tarfile
from collections.abc import Iterator

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources.base import Item
from shapenet_posed_masks.sources.folders import Stamp, VoxFolder
from shapenet_posed_masks.sources.taxonomy import category_name

_MAX_MEMBER = 4 << 20  # bytes of a file; all are kept in memory, and real ones have 1 to 200 kB
_MAX_ARCHIVE = 1 << 30  # bytes when unpacked; the published archive has 200 MB
_MAX_HEADER = 64 << 10  # bytes of an extended header, such as a member's long name
_WITHOUT_DATA = (
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
)
_PER_MEMBER = 2 << 10  # bytes of memory that a member takes beside its data


class _Tar:
    """The members of a tar archive, read once from start to end.

    tarfile itself takes a damaged header for the end of the archive, remembers all members, and
    needs hours for some headers. Here it parses single headers only. Sparse files are refused.
    """

    def __init__(self, file: io.BufferedIOBase, name: str):
        self._file, self._name = file, name
        self._charged = 0
        self._left = 0  # unread bytes of the newest member; -1 until `data` is called for it

    def members(self) -> Iterator[tarfile.TarInfo]:
        """Yield each member's header. Call `data` for its content before the next header.

        Raises:
          tarfile.TarError: the archive is damaged.
          ValueError: the archive is damaged.
          UserError: the archive is too large.
        """
        said: dict[str, bytes] = {}  # what extended headers say about the next member
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
        while rest := self._file.read(1 << 20):  # reading to the end checks gzip's checksum
            self.charge(len(rest))
            if any(rest):
                raise tarfile.ReadError("data follows its end")

    def data(self, member: tarfile.TarInfo, limit: int, whole: bool = False) -> bytes:
        """Return a member's data, at most `limit` bytes of it.

        Args:
          member: the newest header of `members`.
          limit: the most bytes to return.
          whole: raise an error for a larger member instead of returning its beginning.

        Raises:
          tarfile.ReadError: the header claims a wrong size, or the archive ends too early.
          UserError: the archive is too large.
        """
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
        """Count bytes towards the archive's limit.

        Raises:
          UserError: the limit is passed.
        """
        self._charged += size
        if self._charged > _MAX_ARCHIVE:
            raise UserError(
                f"{self._name} unpacks to more than {_MAX_ARCHIVE >> 30} GiB: unpack it and give "
                "the folder as --manual_dir"
            )


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
        except Exception as error:  # a damaged file can make parsers raise anything
            raise UserError(
                f"{self.root} is truncated or not a tar archive ({error}): download it again"
            ) from error
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
        data = self._data.get(item.path)
        if data is None or len(data) > _MAX_MEMBER:
            fault = "is missing" if data is None else f"is larger than {_MAX_MEMBER >> 20} MiB"
            raise UserError(f"{item.path} {fault} in {self.root}: replace the file or remove it")
        return data


def _pax_records(data: bytes) -> dict[str, bytes]:
    """Return a file's path, size and time in a pax header, whose records begin with a length."""
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
