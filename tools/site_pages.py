"""Write the pages of the documentation site, which `make docs` then builds.

    python -m tools.site_pages

In the repository, documents link to files, as code hosts show them. On the site, documents outside
docs/ and the notebook are pages too, and links to other files lead to the repository.
"""

import base64
import json
import os
import pathlib
import re
import shutil

ROOT = pathlib.Path(__file__).parents[1]
CONFIG = ROOT / "mkdocs.yml"
FOLDER = ROOT / "build" / "docs"  # as CONFIG says
# Pages beside those of the documents in docs/, by the files that they are made of.
PAGES = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "BUILD_NOTES.md": "maintaining.md",
    "datasets/shapenet_posed_masks/README.md": "data_set.md",
    "ptn_semi/pretrained/README.md": "pretrained.md",
    "docs/tutorial.ipynb": "tutorial.md",
}
_CODE = re.compile(r"(^ *```.*?^ *```)", re.S | re.M)
_LINK = re.compile(r"\]\((?!\w+:)([^)\s#]+)")  # not to other sites, nor within the page


def write(folder: pathlib.Path = FOLDER) -> None:
    """Write all pages and pictures into a folder, in place of what is in it.

    Raises:
      ValueError: if a link to a file outside docs/ has no target. Others are checked on the site.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.md", "*.ipynb"))
    documents = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")]
    for source in (*documents, *PAGES):
        text = (ROOT / source).read_text(encoding="utf-8")
        if source.endswith(".ipynb"):
            text, pictures = _from_notebook(text, pathlib.Path(source).stem)
            for name, picture in pictures.items():
                (folder / name).write_bytes(picture)
        text = _follow_links(text, source)
        (folder / _page(source)).write_text(text, encoding="utf-8")


def repository() -> str:
    """Return the address of the repository."""
    return re.findall(r"^repo_url: (\S+)$", CONFIG.read_text(encoding="utf-8"), re.M)[0]


def _page(source: str) -> str:
    """Return the path on the site of a document or a picture."""
    return PAGES.get(source, source.removeprefix("docs/"))


def _follow_links(text: str, source: str) -> str:
    """Return a document whose links to our files are those of its page on the site."""

    def follow(link: re.Match) -> str:
        target = os.path.normpath(os.path.join(os.path.dirname(source), link[1]))
        if target in PAGES or target.startswith("docs/"):
            return f"]({os.path.relpath(_page(target), os.path.dirname(_page(source)) or '.')}"
        if not (ROOT / target).exists():
            raise ValueError(f"{source} links to {link[1]}, which does not exist")
        return f"]({repository()}/blob/main/{target}"

    texts = _CODE.split(text)
    texts[::2] = [_LINK.sub(follow, text) for text in texts[::2]]
    return "".join(texts)


def _from_notebook(text: str, name: str) -> tuple[str, dict[str, bytes]]:
    """Turn a notebook into Markdown, and its pictures into files whose names start with `name`."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                picture = f"{name}_{len(pictures) + 1}.png"
                pictures[picture] = base64.b64decode(data["image/png"])
                parts.append(f"![What the cell above draws]({picture})")
            else:
                printed = "".join(output.get("text", data.get("text/plain", [])))
                parts.append(f"```text\n{printed.rstrip()}\n```")
    return "\n\n".join(parts) + "\n", pictures


if __name__ == "__main__":
    write()
