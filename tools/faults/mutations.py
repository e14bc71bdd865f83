"""Damage files: bits and bytes of any file, and the elements of shape and image formats."""

import json
import random
import struct
import zlib
from typing import Any

_NUMBERS = (0, 1, -1, 2, 3, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 10**30)
WORDS: list[str] = [
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e999",
    "3_2",
    "٣٢",
    "0x10",
    "-0",
    "1.5",
    "+3",
    "1e9",
    "",
    *map(str, _NUMBERS),
]
_JSON: tuple[Any, ...] = (
    *_NUMBERS,
    1.5,
    1e308,
    float("nan"),
    float("inf"),
    None,
    True,
    "",
    "x" * 99,
    [],
    {},
    [[]],
)


def mutated(rng: random.Random, ending: str, data: bytes, other: bytes) -> tuple[bytes, str]:
    """Change a file once.

    Args:
      rng: the random choices.
      ending: the ending of the file's name, such as '.off'.
      data: the file.
      other: another file, of which parts may be inserted.

    Returns:
      (data, change): the changed file and what was done, in a word.
    """
    aware = {
        ".binvox": (_words, _header),
        ".off": (_words, _lines),
        ".obj": (_words, _lines),
        ".ply": (_words, _lines, _header),
        ".stl": (_words, _lines),
        ".glb": (_description,) * 3,
        ".png": (_chunk,) * 3,
        ".ppm": (_words,),
        ".pgm": (_words,),
    }.get(ending, ())
    general = (_bits, _run, _insert, _delete, _cut, _double, _splice, _number)
    change = rng.choice(aware if aware and rng.random() < 0.6 else general)
    try:
        data = change(rng, data, other)
    except (ValueError, IndexError, KeyError, struct.error, TypeError, AttributeError):
        data = _bits(rng, data, other)  # an earlier change destroyed the format
    return data, change.__name__.strip("_")


def _place(rng, data):
    return rng.randrange(min(len(data) + 1, rng.choice([64, 512, len(data) + 1])))


def _bits(rng, data, _):
    data = bytearray(data or b"\0")
    for _ in range(rng.choice([1, 1, 4, 32])):
        data[_place(rng, data[1:])] ^= 1 << rng.randrange(8)
    return bytes(data)


def _run(rng, data, _):
    at, size = _place(rng, data), rng.choice([1, 4, 64, 512])
    return data[:at] + rng.choice([b"\0", b"\xff", b"9", b" ", b"\n"]) * size + data[at + size :]


def _insert(rng, data, _):
    at = _place(rng, data)
    return data[:at] + rng.randbytes(rng.choice([1, 2, 8, 300])) + data[at:]


def _delete(rng, data, _):
    at = _place(rng, data)
    return data[:at] + data[at + rng.choice([1, 2, 8, 300]) :]


def _cut(rng, data, _):
    return data[: _place(rng, data)]


def _double(rng, data, _):
    at, size = _place(rng, data), rng.choice([1, 16, 300, len(data)])
    return data[: at + size] + data[at:]


def _splice(rng, data, other):
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def _number(rng, data, _):
    code, size = rng.choice([("B", 1), ("H", 2), ("I", 4), ("Q", 8)])
    value = rng.choice(_NUMBERS) % (1 << 8 * size)
    at = _place(rng, data)
    return data[:at] + struct.pack(rng.choice("<>") + code, value) + data[at + size :]


def _words(rng, data, _):
    """Replace a word of a text or of a header."""
    head, rest = data[:4000], data[4000:]
    words = head.split(b" ")
    at = rng.randrange(len(words))
    tail = words[at].partition(b"\n")
    words[at] = rng.choice(WORDS).encode() + tail[1] + tail[2]
    return b" ".join(words) + rest


def _lines(rng, data, _):
    """Move, drop or repeat a line."""
    lines = data.split(b"\n")
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    line = lines.pop(at)
    lines[to:to] = [line] * rng.choice([0, 1, 2, 2000])
    return b"\n".join(lines)


def _header(rng, data, _):
    """Change what a header says."""
    if data.startswith(b"ply"):
        said = rng.choice([b"element vertex ", b"element face ", b"format ", b"property "])
        before, found, after = data.partition(said)
        return before + found + rng.choice(WORDS).encode() + after[after.index(b"\n") :]
    _, _, runs = data.partition(b"\ndata\n")
    side = rng.choice([*_NUMBERS, 16, 31, 33, 512])
    lines = [b"#binvox 1", b"dim %d %d %d" % (side, side, side), b"translate 0 0 0", b"scale 1"]
    if 0 < side <= 512 and rng.random() < 0.5:  # voxels that agree with the header
        full, rest = divmod(side**3, 255)
        runs = b"\1\xff" * full + bytes([1, rest])
    elif rng.random() < 0.3:
        lines.append(rng.choice(lines))
    elif rng.random() < 0.3:
        runs = bytes(2) * rng.choice([1, 2**20]) + runs
    return b"\n".join(lines) + b"\ndata\n" + runs


def _description(rng, data, _):
    """Change the description in a .glb file, with lengths that fit."""
    size = struct.unpack_from("<I", data, 12)[0]
    said = json.loads(data[20 : 20 + size])
    choice = rng.random()
    if choice < 0.1:
        often = rng.choice([2, 1000, 200_000])
        said["nodes"] = [{"mesh": 0}] * often
        said["scenes"] = [{"nodes": list(range(often))}]
    elif choice < 0.2:
        said["nodes"] = [{"mesh": 0, "children": [n + 1]} for n in range(3000)] + [{"mesh": 0}]
        said["nodes"][-1]["children"] = rng.choice([[], [0], [1, 2]])
        said["scenes"] = [{"nodes": [0]}]
    elif choice < 0.3:
        said["buffers"][0]["uri"] = rng.choice(["/etc/hostname", "../outside", "data:,AAAA"])
    else:
        place = said
        while isinstance(place, (dict, list)) and place:
            key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], (dict, list)) or rng.random() < 0.2:
                place[key] = rng.choice(_JSON)
                break
            place = place[key]
    text = json.dumps(said).encode()
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + data[20 + size :]
    return data[:8] + struct.pack("<I", 12 + len(chunks)) + chunks


def _chunk(rng, data, _):
    """Change a chunk of a .png file, with a right checksum."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        chunks.append([data[at + 4 : at + 8], data[at + 8 : at + 8 + size]])
        at += 12 + size
    place = rng.randrange(len(chunks))
    kind, content = chunks[place]
    choice = rng.random()
    if choice < 0.2:
        content = bytearray(chunks[0][1])
        sizes = [0, 1, 7000, 40_000, 2**31 - 1]
        struct.pack_into(">I", content, rng.choice([0, 4]), rng.choice(sizes))
        content[rng.randrange(8, 13)] = rng.choice([0, 1, 2, 3, 4, 6, 8, 16])
        chunks[0][1] = bytes(content)
    elif choice < 0.4:  # many pixels in few bytes, or too few or too many pixels
        wide, high = rng.choice([(48, 40), (7000, 7000), (30_000, 1600), (1600, 30_000)])
        pixels = rng.choice([high * (wide + 1), high * wide // 2, 10**8])
        chunks[0][1] = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
        chunks = [c for c in chunks if c[0] != b"IDAT"]
        chunks.insert(-1, [b"IDAT", zlib.compress(bytes(pixels), 1)])
    elif choice < 0.6:
        bomb = zlib.compress(bytes(3 * 10**7))
        name = rng.choice([b"iCCP", b"zTXt"])
        chunks.insert(1, [name, b"a\0\0" + bomb])
        chunks[1:1] = [[b"zTXt", b"%d\0\0" % n + bomb] for n in range(rng.choice([0, 0, 50]))]
    elif choice < 0.8:
        chunks[place] = [kind, _bits(rng, content, b"")]
    else:
        chunks.insert(rng.randrange(len(chunks)), chunks.pop(place))
    packed = (
        struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks
    )
    return data[:8] + b"".join(packed)
