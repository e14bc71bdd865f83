"""ShapeNetCore's 55 categories and their names in this project.

`categories.tsv` lists their synset ids, which are WordNet 3.0 noun offsets and name the folders of
ShapeNetCore v1 and v2, and other names that papers, ModelNet and people use.
"""

import pathlib
import re


def _read_table() -> dict[str, str]:
    """Return the canonical name of each synset id and each other name."""
    names: dict[str, str] = {}
    table = pathlib.Path(__file__).parent.parent / "categories.tsv"
    for line in table.read_text(encoding="utf-8").splitlines()[1:]:
        synset, name, *others = line.split()
        names |= dict.fromkeys([synset, *others], name)
    return names


_NAMES = _read_table()


def category_name(name_or_synset: str) -> str:
    """Return the canonical name of a category given by name, alias or synset id.

    A name that ShapeNet does not know, such as that of a user's own folder, is returned in lower
    case with underscores for spaces and hyphens, so that all its spellings are one category.
    """
    name = re.sub(r"[\s\-]+", "_", name_or_synset.strip().lower())
    return _NAMES.get(name, name)
