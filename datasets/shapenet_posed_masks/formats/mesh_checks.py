"""Check what a mesh file claims to hold against its bytes.

The packages that read .ply, .stl and .glb files allocate memory for whatever a file claims, and
read many a damaged file as a smaller one. So each count is checked against the bytes before, and
`meshes.load` counts afterwards what was read.

Each function takes the whole file and returns how many triangles it should give. That is the least
number for .ply and the greatest for .glb. A fault raises a ValueError that says what is wrong, or
whatever parsing raised.
"""

import io
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
# Extensions that leave the shape as it is, or are handled.
_HARMLESS = (
    "KHR_materials_",
    "KHR_texture_",
    "EXT_texture_",
    "KHR_lights_",
    "KHR_mesh_quantization",
)
# Bytes of glTF's component types, and components of its accessor types.
_BYTES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}


class NotSupportedError(ValueError):
    """A file that is whole, but has what is not read here. The text follows the file's name."""


def of_stl(data: bytes) -> int:
    """Check an .stl file, which has 84 + 50 F bytes or is a text."""
    faces = int.from_bytes(data[80:84], "little")
    if _is_binary_stl(data, faces):
        return faces
    words = [
        b"".join(words[:2] if words[0] == b"end" else words[:1])
        for words in (line.lower().split() for line in lines_of(data))
    ]
    if not words or words[0] != b"solid":
        raise ValueError(f"it is truncated, or no .stl ({len(data)} bytes for {faces} faces)")
    count = words.count
    if words[-1] != b"endsolid" or count(b"solid") != count(b"endsolid"):
        raise ValueError("it is truncated (it does not end with 'endsolid')")
    if not 3 * count(b"facet") == 3 * count(b"endfacet") == count(b"vertex"):
        raise ValueError("it has a face without three corners")
    return count(b"facet")


def plain_stl(data: bytes) -> bytes:
    """Return an .stl file as trimesh reads it: no byte too many, 'endsolid' in one word."""
    faces = int.from_bytes(data[80:84], "little")
    if _is_binary_stl(data, faces):
        return data[: 84 + 50 * faces]
    return re.sub(rb"(?im)^([ \t]*end)[ \t]+(solid|facet|loop)", rb"\1\2", data)


def _is_binary_stl(data: bytes, faces: int) -> bool:
    # Some programs write a few bytes more.
    return 84 + 50 * faces <= len(data) < 84 + 50 * (faces + 1)


def of_ply(data: bytes) -> int:
    """Check a .ply file, whose header has the number of each element."""
    header, end, body = data.partition(b"end_header")
    if not data.startswith(b"ply") or not end or len(header) > _MAX_LINE:
        raise ValueError("it has a damaged header")
    counts = {}
    text = header.decode("latin-1")
    for name, number in re.findall(r"^\s*element\s+(\S+)\s+(\S+)", text, re.MULTILINE):
        counts[name] = whole_number(number.encode())
        # Every element takes at least one byte.
        if counts[name] > len(body):
            raise ValueError(f"it is truncated (no room for {counts[name]} of {name})")
    if re.search(r"^\s*format\s+ascii", text, re.MULTILINE):
        lines = sum(1 for _ in lines_of(body, comment=None))
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
        raise NotSupportedError("keeps its data in other files, or as text, which is not supported")
    for name in scene.get("extensionsRequired", []):
        if not name.startswith(_HARMLESS):
            raise NotSupportedError(f"needs the extension {name}, which is not supported")
    for accessor in scene.get("accessors", []):
        _check_accessor(accessor, scene, binary)
    return sum(_triangles(mesh, scene) for mesh in _shown(scene))


def _check_accessor(accessor: dict, scene: dict, binary: int) -> None:
    if "sparse" in accessor or "bufferView" not in accessor:
        raise NotSupportedError("has sparse, compressed or missing data, which is not supported")
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


def lines_of(data: bytes, comment: bytes | None = b"#") -> Iterator[bytes]:
    """Yield the lines of a text that are not empty, without their comments.

    Raises:
      ValueError: the text or a line is too long.
    """
    if len(data) > _MAX_TEXT:
        raise ValueError(f"it is a text of {len(data) >> 20} MiB, more than {_MAX_TEXT >> 20}")
    for line in io.BytesIO(data.replace(b"\r", b"\n")):
        if len(line) > _MAX_LINE:
            raise ValueError(f"it has a line of {len(line)} bytes")
        if text := (line.partition(comment)[0] if comment else line).strip():
            yield text


def whole_number(text: bytes) -> int:
    """Parse a count, or the number of a vertex.

    Raises:
      ValueError: it is negative or no number.
    """
    if not text.isdigit():
        raise ValueError(f"it has {text[:20]!r} for a count")
    return int(text)
