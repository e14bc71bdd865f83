"""The cases of `fuzz_readers.py`. A seed and a number always give the same case.

A case is a small tree of files, links and pipes in a folder of its own. The reader gets the path
`in`, which is a folder, an archive or an image.
"""

import dataclasses
import functools
import gzip
import io
import os
import pathlib
import random
import tarfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import trimesh
from PIL import Image, ImageDraw

import ptn_semi
import shapenet_posed_masks
from ptn_semi.utils import binvox
from shapenet_posed_masks.formats import meshes
from tools.faults.mutations import WORDS, mutated

_DUMMY = pathlib.Path(shapenet_posed_masks.__file__).parent / "dummy_data"
_EXAMPLES = pathlib.Path(ptn_semi.__file__).parent / "examples"
# Relative frequencies.
_KINDS = {"binvox": 5, "voxels": 3, "mesh": 7, "image": 7, "archive": 4, "folder": 2}


@dataclasses.dataclass
class Case:
    """What a reader gets.

    Attributes:
      kind: binvox, voxels (other files of them), mesh, image, archive or folder.
      layout: layout for `layouts.open_source`; '' for an image.
      tree: (what, path, content). What is file (with bytes), link (with its target), pipe or folder
        (with None).
      root: the path that the reader gets.
      mutations: how the file was changed, in words.
      seed: the file before the changes, if there is one.
    """

    kind: str
    layout: str
    tree: list[tuple[str, str, Any]]
    root: str
    mutations: list[str]
    seed: bytes = b""

    @property
    def data(self) -> bytes:
        """The content of the first file."""
        return next((content for what, _, content in self.tree if what == "file"), b"")


def seed_files(folder: str | os.PathLike | None = None) -> dict[str, list[tuple[str, bytes]]]:
    """Return whole files by kind, each as (ending, bytes).

    Args:
      folder: a user's folder whose files are added.
    """
    found: dict[str, list[tuple[str, bytes]]] = {
        "binvox": [],
        "voxels": [],
        "mesh": [],
        "image": [],
    }
    for path in sorted(_DUMMY.rglob("*.binvox")):
        found["binvox"].append((".binvox", path.read_bytes()))
    for side in (1, 8, 64):
        voxels = np.random.default_rng(side).random((side,) * 3) < 0.3
        voxels[0, 0, 0] = True
        found["binvox"].append((".binvox", binvox.write(voxels)))
        found["voxels"] += _voxels(voxels)
    box, ball = trimesh.creation.box(), trimesh.creation.icosphere(subdivisions=1)
    scene = trimesh.Scene()
    scene.add_geometry(box, "box", "box")
    scene.add_geometry(
        ball, "ball", "ball", transform=trimesh.transformations.translation_matrix([1, 2, 3])
    )
    for mesh in (box, ball):
        exports = [
            (end, mesh.export(file_type=end[1:])) for end in (".off", ".obj", ".ply", ".stl")
        ]
        exports.append((".ply", mesh.export(file_type="ply", encoding="ascii")))
        exports.append((".stl", mesh.export(file_type="stl_ascii")))
        found["mesh"] += [(e, d.encode() if isinstance(d, str) else d) for e, d in exports]
    found["mesh"] += [(".glb", scene.export(file_type="glb"))] * 3
    found["image"] = [(".png", (_EXAMPLES / "chair.png").read_bytes()), *_images()]
    for path in sorted(pathlib.Path(folder).rglob("*")) if folder else ():
        ending = path.suffix.lower()
        kinds = {".binvox": "binvox", ".gz": "voxels", ".npy": "voxels", ".npz": "voxels"}
        kinds |= dict.fromkeys(meshes.EXTENSIONS, "mesh")
        if path.is_file():
            ending = ".binvox.gz" if ending == ".gz" else ending
            found[kinds.get(ending, "image")].append((ending, path.read_bytes()))
    return found


def _voxels(voxels):
    yield ".binvox.gz", gzip.compress(binvox.write(voxels), mtime=0)
    for ending, write in ((".npy", np.save), (".npz", np.savez), (".npz", np.savez_compressed)):
        for values in (voxels, np.asfortranarray(voxels), voxels.astype(np.float32)):
            file = io.BytesIO()
            write(file, values)
            yield ending, file.getvalue()


def _images():
    image = Image.new("RGB", (48, 40), "white")
    ImageDraw.Draw(image).polygon([(10, 30), (20, 8), (38, 30)], fill=(150, 40, 30))
    alpha = Image.new("L", image.size, 0)
    ImageDraw.Draw(alpha).ellipse([10, 8, 38, 30], fill=255)
    clear = image.copy()
    clear.putalpha(alpha)
    deep = Image.fromarray(np.asarray(alpha).astype(np.uint16) * 257)
    palette = image.quantize(8)
    for ending, made, options in [
        (".png", image, {}),
        (".png", clear, {}),
        (".png", alpha, {}),
        (".png", deep, {}),
        (".png", alpha.convert("1"), {}),
        (".png", palette, {"transparency": 0}),
        (".png", image, {"save_all": True, "append_images": [clear.convert("RGB")]}),
        (".jpg", image, {}),
        (".jpg", image, {"progressive": True}),
        (".webp", clear, {}),
        (".webp", image, {"lossless": True}),
        (".bmp", image, {}),
        (".gif", palette, {}),
        (".gif", palette, {"save_all": True, "append_images": [alpha]}),
        (".ppm", image, {}),
        (".tif", image, {}),
        (".tif", clear, {"compression": "tiff_lzw"}),
        (".pgm", deep, {}),
        (".tif", Image.fromarray(np.asarray(alpha).astype(np.float32)), {}),
    ]:
        file = io.BytesIO()
        made.save(file, Image.registered_extensions()[ending], **options)
        yield ending, file.getvalue()


def case(seed: int, number: int, seeds: Mapping[str, list[tuple[str, bytes]]]) -> Case:
    """Make the case of a number; it depends on the arguments alone.

    Args:
      seed: seed of the files.
      number: number of the file.
      seeds: the whole files of `seed_files`.
    """
    rng = random.Random(f"{seed}/{number}")
    kind = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    if kind == "folder":
        return _folder(rng, seeds)
    if kind == "archive":
        return _archive(rng, seeds)
    ending, whole = rng.choice(seeds[kind])
    data = whole
    done: list[str] = []
    if rng.random() < 0.97:  # the others stay whole and must be accepted
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            data, what = mutated(rng, ending, data, rng.choice(seeds[kind])[1])
            done.append(what)
    if kind == "image":
        name = f"in{ending}"
        return Case(kind, "", [("file", name, data)], name, done, whole)
    if kind in ("mesh", "voxels"):
        layout = "voxels" if kind == "voxels" else "meshes"
        return Case(kind, layout, [("file", f"in/chair/m{ending}", data)], "in", done, whole)
    path = "in/03001627/m/model.binvox"
    return Case(kind, "shapenet_vox32", [("file", path, data)], "in", done, whole)


def _archive(rng, seeds):
    """Make an archive of shapes with oddities that tar allows."""
    file, done = io.BytesIO(), []
    form = rng.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    for number in range(rng.randrange(1, 6)):
        data = rng.choice(seeds["binvox"])[1]
        member = tarfile.TarInfo(f"ShapeNetVox32/03001627/{number}/model.binvox")
        member.size = len(data)
        if rng.random() < 0.3:
            done.append(_strange(rng, member))
        try:
            header = member.tobuf(form, "utf-8", "surrogateescape")
        except (ValueError, UnicodeError):
            continue  # this form cannot hold it
        if rng.random() < 0.05:
            header = _header_of(rng, header)
            done.append("header")
        file.write(header + data + bytes(-len(data) % 512))
    whole = data = file.getvalue() + bytes(1024)
    while rng.random() < 0.3:
        data, what = mutated(rng, ".tar", data, whole)
        done.append(what)
    ending = rng.choice([".tar", ".tgz", ".tar.gz"])
    if ending != ".tar":
        data = gzip.compress(data, 1, mtime=0)
        if rng.random() < 0.15:
            data, what = mutated(rng, ".tgz", data, whole)
            done.append(what)
        elif rng.random() < 0.04:
            data += _bomb() * rng.choice([1, 17])
            done.append("bomb")
    return Case("archive", "shapenet_vox32", [("file", f"in{ending}", data)], f"in{ending}", done)


@functools.cache
def _bomb():
    return gzip.compress(bytes(64 << 20), 1, mtime=0)


def _strange(rng, member):
    kind = rng.choice(["name", "type", "size", "time", "link"])
    inner = "03001627/x/model.binvox"
    if kind == "name":
        member.name = rng.choice(
            [
                f"../../{inner}",
                f"/tmp/{inner}",
                f"a/{'n' * 5000}/{inner}",
                f"a\n/{inner}",
                inner,
                f"{'d/' * 3000}{inner}",
                "a/03001627/\udcff\n/model.binvox",
                f"a/./{inner}",
                "",
            ]
        )
    elif kind == "type":
        member.type = rng.choice([*b"01234567SLKxgX"[:], 0]).to_bytes(1, "little")
    elif kind == "size":
        member.size = rng.choice([0, 1, 2**20, 2**33, 2**63, 10**18])
    elif kind == "time":
        member.pax_headers = {rng.choice(["mtime", "size", "path"]): rng.choice(WORDS)}
    else:
        member.type = rng.choice([tarfile.SYMTYPE, tarfile.LNKTYPE])
        member.linkname = rng.choice(["/etc/hostname", "../../outside/secret", inner])
    return kind


def _header_of(rng, header):
    """Return a member's header with a changed field and the right checksum."""
    header = bytearray(header)
    at = rng.randrange(512)
    header[at : at + 12] = rng.choice([b"\xff" * 12, b"\x80" + b"\xff" * 11, b"77777777777\0"])
    header = header[:512].ljust(512, b"\0") + header[512:]
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    return bytes(header)


def _folder(rng, seeds):
    """Make a folder with links, pipes, odd names and depths."""
    layout = rng.choice(["shapenet_vox32", "shapenet_core_v2", "meshes"])
    tail = {
        "shapenet_vox32": "model.binvox",
        "shapenet_core_v2": "models/model_normalized.solid.binvox",
        "meshes": "train/m.off",
    }[layout]
    ending, data = rng.choice(seeds["binvox"]) if layout != "meshes" else seeds["mesh"][0]
    tree = [
        ("file", f"in/03001627/a/{tail}", data),
        ("file", f"outside/03001627/a/{tail}", data),
        ("file", f"outside/secret{ending}", data),
    ]
    odd = rng.choice(["b\n", "b\udcff", "b" * 255, "\x1b[31m", "b\u202e", " ", "-rf", "b/" * 300])
    strange = [
        ("link", "in/chair", "../outside/03001627"),
        ("link", "in/03001627/b", "../../outside/03001627/a"),
        ("link", f"in/03001627/c/{tail}", f"{'../' * (3 + tail.count('/'))}outside/secret{ending}"),
        ("link", "in/03001627/d", "d"),
        ("link", "in/table", "table"),
        ("link", "in/root", "/"),
        ("link", f"in/03001627/e/{tail}", "/dev/zero"),
        ("link", "in/03001627/f", "a"),
        ("link", "in/03001627/g", ".."),
        ("link", f"in/03001627/h/{tail}", "nowhere"),
        ("pipe", f"in/03001627/i/{tail}", None),
        ("folder", f"in/03001627/j/{tail}", None),
        ("file", f"in/03001627/{odd}/{tail}", data),
        ("file", f"in/{odd}/a/{tail}", data),
        ("file", f"in/03001627/{'k/' * 400}{tail}", data),
        ("file", f"in/03001627/l/{tail}", b""),
        ("pipe", "in/a.tgz", None),
        ("link", "in/ShapeNetVox32", "."),
    ]
    chosen = rng.sample(strange, rng.randrange(1, 5))
    done = [f"{what} {path[:60]!r}" for what, path, _ in chosen]
    return Case("folder", layout, tree + chosen, "in", done)
