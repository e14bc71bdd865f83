"""The pages of the documentation site: none is left out, and their links have targets."""

import os
import re

import ptn_semi
from tools import site_pages

LINK = re.compile(r"\]\(([^)\s#]+)")


def test_links_of_all_pages_lead_to_pages_pictures_or_the_repository(tmp_path):
    site_pages.write(tmp_path)
    pages = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.md")}
    assert set(pages) == set(re.findall(r": (\S+\.md)$", site_pages.CONFIG.read_text(), re.M))
    assert {"overview.md", "tutorial.md", "reference.md", "experiments/report.md"} <= set(pages)
    ours = f"{site_pages.repository()}/blob/main/"
    for path in pages.values():
        text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
        for link in LINK.findall(text):
            if link.startswith(ours):
                assert (site_pages.ROOT / link.removeprefix(ours)).exists(), link
            elif "://" not in link:
                assert os.path.exists(path.parent / link), (path, link)


def test_the_notebooks_cells_and_what_they_print_and_draw_are_on_its_page(tmp_path):
    site_pages.write(tmp_path)
    text = (tmp_path / "tutorial.md").read_text()
    assert "```python\nimport pathlib" in text and "```text\nsquared error" in text
    assert "![What the cell above draws](tutorial_1.png)" in text
    assert (tmp_path / "tutorial_1.png").read_bytes().startswith(b"\x89PNG")


def test_the_reference_has_all_public_names():
    text = (site_pages.ROOT / "docs" / "reference.md").read_text()
    listed = set(re.findall(r"^::: ptn_semi\.(\w+)$", text, re.M))
    assert listed == set(ptn_semi.__all__) - {"__version__"}
