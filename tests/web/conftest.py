"""A page that is served, for all tests of the folder."""

import contextlib
import socket

import pytest

from ptn_semi.web import uploads

uploads.folder()  # before gradio is imported


@contextlib.contextmanager
def serving(size):
    """A page of a model whose masks and voxels have this size."""
    from ptn_semi.inference import reconstruction
    from ptn_semi.projection.projector import Projector
    from ptn_semi.web import page
    from support.page_visits import extrude, extrude_all

    reconstructor = reconstruction.Reconstructor(
        extrude, size, threshold=0.4, extent=0.8, fuse=extrude_all, projector=Projector(size)
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    served = page.launch(reconstructor, "127.0.0.1", port, 1, prevent_thread_lock=True, quiet=True)
    try:
        yield served
    finally:
        served.close()


@pytest.fixture(scope="module")
def served():
    with serving(32) as page:
        yield page


@pytest.fixture
def fine_client():
    import httpx

    with (
        serving(64) as page,
        httpx.Client(base_url=f"{page.local_url}gradio_api/", timeout=60) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def url(served):
    return served.local_url


@pytest.fixture(scope="module")
def client(url):
    import httpx

    with httpx.Client(base_url=f"{url}gradio_api/", timeout=60) as client:
        yield client
