"""Meshes in text files: .off and .obj.

trimesh cuts polygons into fans, which fill what is hollow. Both formats are short, so they are read
here. Each reader takes the whole file and returns vertices, the corners of all faces, and how many
each face has, as `polygons.triangulate` takes them. A fault raises a ValueError.
"""

import io
import itertools
from array import array
from collections.abc import Iterator

import numpy as np

Polygons = tuple[np.ndarray, np.ndarray, np.ndarray]
_MARK = b"\xef\xbb\xbf"  # Windows' editors begin a text with it
_MAX_TEXT = 128 << 20  # bytes, which hold about 2 million faces
_MAX_LINE = 1 << 20  # bytes


class NotSupportedError(ValueError):
    """A file that is whole, but has what is not read here. The text follows the file's name."""


def read_off(data: bytes) -> Polygons:
    """Read an .off file, which has its vertices and then its faces, each with its count first."""
    lines = lines_of(data.removeprefix(_MARK))
    start = next(lines, b"")
    if b"OFF" not in start:
        raise ValueError("it does not begin with 'OFF'")
    # Some files of ModelNet have the counts on the first line: 'OFF6586 5534 0'.
    counts = start.split(b"OFF", 1)[1].split() or next(lines, b"").split()
    try:
        num_vertices, num_faces = (whole_number(text) for text in counts[:2])
    except ValueError:
        raise ValueError("it does not say how many vertices and faces it has") from None
    vertices = array("d")
    for line in itertools.islice(lines, num_vertices):
        vertices.extend(numbers(line.split()))
    if len(vertices) < 3 * num_vertices:
        raise ValueError(f"it is truncated (under {num_vertices} vertices)")
    rest = list(lines)
    faces = map(bytes.split, rest) if len(rest) == num_faces else _faces_over_lines(rest, num_faces)
    corners, sizes = array("q"), array("q")
    for words in faces:
        size = whole_number(words[0])
        if len(words) <= size:
            raise ValueError("it is truncated (a face lacks corners)")
        corners.extend(map(whole_number, words[1 : 1 + size]))
        sizes.append(size)
    return _polygons(vertices, corners, sizes)


def _faces_over_lines(lines: list[bytes], count: int) -> Iterator[list[bytes]]:
    """Yield the words of faces that are written over several lines, or several on a line."""
    words = b" ".join(lines).split()
    at = 0
    for _ in range(count):
        if at >= len(words):
            raise ValueError(f"it is truncated (under {count} faces)")
        size = whole_number(words[at])
        yield words[at : at + 1 + size]
        at += 1 + size
    if at != len(words):
        raise ValueError(f"it is truncated or damaged ({len(lines)} lines for {count} faces)")


def read_obj(data: bytes) -> Polygons:
    """Read an .obj file, whose faces count vertices from 1, or backwards from the newest."""
    text = data.removeprefix(_MARK).replace(b"\\\r\n", b"").replace(b"\\\n", b"")
    vertices, corners, sizes = array("d"), array("q"), array("q")
    for words in map(bytes.split, lines_of(text)):
        if words[0] == b"v":
            vertices.extend(numbers(words[1:]))
        elif words[0] == b"f":
            newest = len(vertices) // 3
            for word in words[1:]:
                corner = int(word.partition(b"/")[0])
                if not corner or corner < -newest:
                    raise ValueError("it has a face with a vertex that is not there")
                corners.append(corner - 1 if corner > 0 else newest + corner)
            sizes.append(len(words) - 1)
    return _polygons(vertices, corners, sizes)


def lines_of(data: bytes) -> Iterator[bytes]:
    """Yield the lines of a text that are not empty, without their comments."""
    if len(data) > _MAX_TEXT:
        raise ValueError(f"it is a text of {len(data) >> 20} MiB, more than {_MAX_TEXT >> 20}")
    for line in io.BytesIO(data.replace(b"\r", b"\n")):
        if len(line) > _MAX_LINE:
            raise ValueError(f"it has a line of {len(line)} bytes")
        if text := line.partition(b"#")[0].strip():
            yield text


def whole_number(text: bytes) -> int:
    """Parse a count, or the number of a vertex."""
    if not text.isdigit():
        raise ValueError(f"it has {text[:20]!r} for a count")
    return int(text)


def numbers(words: list[bytes]) -> Iterator[float]:
    """Parse the coordinates of a vertex."""
    if len(words) < 3:
        raise ValueError("it has a vertex without three coordinates")
    return map(float, words[:3])


def _polygons(vertices: array, corners: array, sizes: array) -> Polygons:
    return np.array(vertices).reshape(-1, 3), np.array(corners), np.array(sizes)
