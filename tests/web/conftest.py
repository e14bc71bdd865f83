"""A page that is served, and a visitor of it, for all tests of the folder."""

import socket

import pytest

from support.extruding_reconstructor import FAKE
from support.page_visits import Visitor


@pytest.fixture(scope="session")
def page():
    pytest.importorskip("gradio")
    from ptn_semi.web import page

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    served = page.launch(FAKE, "127.0.0.1", port, 1, quiet=True)
    yield served
    served.close()


@pytest.fixture
def http(page):
    """Plain requests to the page."""
    import httpx

    with httpx.Client(base_url=page.local_url, timeout=60) as client:
        yield client


@pytest.fixture
def new_visitor(page, tmp_path):
    return lambda: Visitor(page.local_url, tmp_path / "downloads")


@pytest.fixture
def visitor(new_visitor):
    return new_visitor()
