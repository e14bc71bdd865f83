"""Check what a mesh file claims to hold against its bytes.

trimesh, which reads the files, allocates memory for whatever a file claims. It also reads many a
damaged file as a smaller one (a cut .ply, an .obj with one bad face). So each count is checked
against the bytes before trimesh reads them, and `meshes.load` counts afterwards what was read.

Each function takes the whole file and returns how many triangles it should give. That is the least
number for .ply and the greatest for .glb. A fault raises a ValueError that says what is wrong, or
whatever parsing raised.
"""

import io
import itertools
import json
import re
import struct
from collections.abc import Iterator
from typing import Any

_MAX_TEXT = 128 << 20  # bytes, which hold about 2 million faces
_MAX_LINE = 1 << 20  # bytes
_MAX_NODES, _MAX_DEPTH = 10_000, 100
_LARGEST = 1e30  # bound of the numbers that move, turn or scale a node
_MAX_JSON = 16 << 20  # bytes; the description of a real scene has a few kB
_TRIANGLES = 4  # glTF's number of the mode in which three corners make a triangle
# Bytes of glTF's component types, and components of its accessor types.
_BYTES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}


def of_off(data: bytes) -> int:
    """Check an .off file, which has a line for each vertex and then one for each face.

    A face's line begins with its number of corners.
    """
    lines = _lines(data)
    start = next(lines, b"")
    if b"OFF" not in start:
        raise ValueError("it does not begin with 'OFF'")
    # Some files of ModelNet have the counts on the first line: 'OFF6586 5534 0'.
    counts = start.split(b"OFF", 1)[1].split() or next(lines, b"").split()
    try:
        vertices, faces = (_count(text) for text in counts[:2])
    except ValueError:
        raise ValueError("it does not say how many vertices and faces it has") from None
    if sum(1 for _ in itertools.islice(lines, vertices)) < vertices:
        raise ValueError(f"it is truncated (under {vertices} vertices)")
    polygons = [line.split() for line in lines]
    if len(polygons) != faces:
        raise ValueError(f"it is truncated or damaged ({len(polygons)} lines for {faces} faces)")
    corners = [_count(words[0]) for words in polygons]
    if any(len(words) <= count for words, count in zip(polygons, corners, strict=True)):
        raise ValueError("it is truncated (a face lacks corners)")
    return sum(max(count - 2, 0) for count in corners)


def of_obj(data: bytes) -> int:
    """Check an .obj file, whose polygons count vertices from 1, or backwards from the newest."""
    vertices = total = 0
    relative = set()
    for words in map(bytes.split, _lines(data.replace(b"\\\r\n", b"").replace(b"\\\n", b""))):
        if words[0] == b"v":
            vertices += 1
        elif words[0] == b"f":
            corners = [int(word.partition(b"/")[0]) for word in words[1:]]
            if not all(1 <= abs(corner) <= vertices for corner in corners):
                raise ValueError("it has a face with a vertex that is not there")
            if min(corners, default=1) < 0:
                relative.add(vertices)
            total += max(len(corners) - 2, 0)
    if relative - {vertices}:  # trimesh counts backwards from the last vertex of the file
        raise ValueError("it counts corners backwards, with vertices to follow")
    return total


def of_stl(data: bytes) -> int:
    """Check an .stl file, which has 84 + 50 F bytes or is a text."""
    faces = int.from_bytes(data[80:84], "little")
    if len(data) >= 84 and len(data) == 84 + 50 * faces:
        return faces
    words = [line.split()[0].lower() for line in _lines(data)]
    if not words or words[0] != b"solid":
        raise ValueError(f"it is truncated, or no .stl ({len(data)} bytes for {faces} faces)")
    count = words.count
    if words[-1] != b"endsolid" or count(b"solid") != count(b"endsolid"):
        raise ValueError("it is truncated (it does not end with 'endsolid')")
    if not 3 * count(b"facet") == 3 * count(b"endfacet") == count(b"vertex"):
        raise ValueError("it has a face without three corners")
    return count(b"facet")


def of_ply(data: bytes) -> int:
    """Check a .ply file, whose header has the number of each element."""
    header, end, body = data.partition(b"end_header")
    if not data.startswith(b"ply") or not end or len(header) > _MAX_LINE:
        raise ValueError("it has a damaged header")
    counts = {}
    text = header.decode("latin-1")
    for name, number in re.findall(r"^\s*element\s+(\S+)\s+(\S+)", text, re.MULTILINE):
        counts[name] = _count(number.encode())
        # Every element takes at least one byte.
        if counts[name] > len(body):
            raise ValueError(f"it is truncated (no room for {counts[name]} of {name})")
    if re.search(r"^\s*format\s+ascii", text, re.MULTILINE):
        lines = sum(1 for _ in _lines(body, comment=None))
        if lines != sum(counts.values()):
            raise ValueError(f"it has {lines} lines for {sum(counts.values())} elements")
    return counts.get("face", 0)


def of_glb(data: bytes) -> int:
    """Check a .glb file: a scene of nodes that show meshes, whose numbers lie in one buffer."""
    magic, version, length, size, kind = struct.unpack_from("<4sIII4s", data)
    if (magic, version, kind) != (b"glTF", 2, b"JSON") or size > _MAX_JSON:
        raise ValueError("it does not begin as a file of glTF 2 does")
    binary = 0
    if (at := 20 + size) < length:
        binary, kind = struct.unpack_from("<I4s", data, at)
        at += 8 + binary
    if at != length or length != len(data):
        raise ValueError(f"it is truncated or damaged ({len(data)} bytes instead of {at})")
    scene = json.loads(data[20 : 20 + size])
    if any("uri" in buffer for buffer in scene.get("buffers", [])):
        raise ValueError("it keeps its data in other files, or as text")
    if any("draco" in name or "meshopt" in name for name in scene.get("extensionsRequired", [])):
        raise ValueError("it has compressed data, which cannot be read here")
    for accessor in scene.get("accessors", []):
        _check_accessor(accessor, scene, binary)
    return sum(_triangles(mesh, scene) for mesh in _shown(scene))


def _check_accessor(accessor: dict, scene: dict, binary: int) -> None:
    if "sparse" in accessor or "bufferView" not in accessor:
        raise ValueError("it has sparse, compressed or missing data")
    view = _at(scene["bufferViews"], accessor["bufferView"])
    size = _BYTES[accessor["componentType"]] * _WIDTHS[accessor["type"]]
    count, stride = accessor["count"], view.get("byteStride", size)
    start, offset = view.get("byteOffset", 0), accessor.get("byteOffset", 0)
    numbers = count, stride, start, offset, view["byteLength"], view["buffer"]
    if not all(isinstance(number, int) and number >= 0 for number in numbers) or stride < size:
        raise ValueError("it has data of a negative or fractional size")
    end = offset + (count - 1) * stride + size
    if count < 1 or end > view["byteLength"] or start + view["byteLength"] > binary:
        raise ValueError(f"it is truncated (no room for {count} numbers)")


def _shown(scene: dict) -> Iterator[dict]:
    """Yield a mesh once for each node that shows it."""
    nodes = scene.get("nodes", [])
    roots = [index for part in scene.get("scenes", []) for index in part.get("nodes", [])]
    if (most := max(len(nodes), len(roots))) > _MAX_NODES:
        raise ValueError(f"it has {most} nodes, more than {_MAX_NODES}")
    for root in roots:
        _at(nodes, root)
    children = [child for node in nodes for child in node.get("children", [])]
    alone = len(set(children)) == len(children)
    level, reached = list(set(range(len(nodes))) - set(children)) if alone else [], 0
    for _ in range(_MAX_DEPTH):  # trimesh searches a path through all levels from each node
        reached += len(level)
        level = [child for index in level for child in _at(nodes, index).get("children", [])]
    if reached != len(nodes):
        raise ValueError("it has a node that is part of two others, or of itself, or too deep")
    moves = ("matrix", "translation", "rotation", "scale")
    numbers = [number for node in nodes for name in moves for number in node.get(name, [])]
    if not all(abs(number) < _LARGEST for number in numbers):  # False for NaN, too
        raise ValueError("it has a node moved by a value that is infinite or not a number")
    yield from (_at(scene["meshes"], node["mesh"]) for node in nodes if "mesh" in node)


def _triangles(mesh: dict, scene: dict) -> int:
    total = 0
    for part in mesh["primitives"]:
        corners = part.get("indices", part["attributes"]["POSITION"])
        # In a strip or a fan each corner may make a triangle.
        shared = 3 if part.get("mode", _TRIANGLES) == _TRIANGLES else 1
        total += _at(scene["accessors"], corners)["count"] // shared
    return total


def _at(things: list, index: int) -> Any:
    if not isinstance(index, int) or not 0 <= index < len(things):
        raise ValueError(f"it asks for number {index} of {len(things)}")
    return things[index]


def _lines(data: bytes, comment: bytes | None = b"#") -> Iterator[bytes]:
    """Yield the lines that are not empty, without their comments."""
    if len(data) > _MAX_TEXT:
        raise ValueError(f"it is a text of {len(data) >> 20} MiB, more than {_MAX_TEXT >> 20}")
    for line in io.BytesIO(data.replace(b"\r", b"\n")):
        if len(line) > _MAX_LINE:
            raise ValueError(f"it has a line of {len(line)} bytes")
        if text := (line.partition(comment)[0] if comment else line).strip():
            yield text


def _count(text: bytes) -> int:
    if not text.isdigit():
        raise ValueError(f"it has {text[:20]!r} for a count")
    return int(text)
