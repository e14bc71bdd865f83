"""Visits to a served page."""

import pathlib

import ptn_semi

EXAMPLE = pathlib.Path(ptn_semi.__file__).parent / "examples" / "chair.png"


class Visitor:
    """What somebody does on the page; every answer is (picture, shape, note), with paths.

    `threshold` is the one that was chosen for the last images.
    """

    def __init__(self, url, folder):
        import gradio_client

        self._client = gradio_client.Client(url, verbose=False, download_files=folder)
        self._file = gradio_client.handle_file

    def give(self, *images, surface="smooth", color=True, label=None):
        """Give images of one object: paths, or what a request may hold in their place."""
        first, *others = [self._sent(image) for image in images]
        others += [None] * (3 - len(others))
        *answer, stl, self.threshold = self._client.predict(
            first, surface, color, "plain", label, *others, api_name="/reconstruct_files"
        )
        assert stl is None
        return answer

    def draw(self, image):
        drawn = {"background": None, "layers": [], "composite": self._sent(image), "id": None}
        answer = self._client.predict(drawn, "smooth", True, api_name="/reconstruct_drawing")
        return answer[:-2]

    def change(self, threshold, surface):
        """Change the settings: (shape, note)."""
        return self._client.predict(threshold, surface, True, api_name="/change")[:2]

    def print(self, size_mm):
        """Ask for an STL file of the last shape: (path, note)."""
        return self._client.predict(size_mm, "smooth", api_name="/write_stl")

    def _sent(self, image):
        return self._file(image) if isinstance(image, pathlib.Path) else image
