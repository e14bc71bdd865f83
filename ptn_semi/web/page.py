"""Server of the demo page, which turns an image or a drawing into a 3D shape."""

import atexit
import os
import pathlib
import shutil
import tempfile
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ptn_semi.inference.reconstruction import Reconstructor
from ptn_semi.web import layout, limits

_LOOPBACK = ["127.0.0.1", "localhost", "::1"]
_MAX_WAITING = 50  # requests that wait while one is worked on
_MAX_SESSIONS = 100  # visitors whose voxels are kept for another threshold; 1 MB each at 64³


def launch(
    reconstructor: Reconstructor, host: str, port: int, max_upload_mb: int, **options: Any
) -> gr.Blocks:
    """Serve the page, with further options of `gradio.Blocks.launch`, and make a first shape.

    The page is served until the process ends; `block_thread` of what is returned waits for that.

    Raises:
      OSError: if the port is taken or not allowed.
    """
    # gradio's own folder is shared by all users and gradio pages of the machine.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ptn_semi_")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    page = layout.build(reconstructor, folder)
    # Requests that skip the queue would be worked on all at once.
    page.queue(api_open=False, max_size=_MAX_WAITING, default_concurrency_limit=1)
    # A web site could let its own name resolve to this machine, and browsers would take it for
    # the page. If others may reach the page, the names that they use are not known.
    hosts = _LOOPBACK if host in _LOOPBACK else ["*"]
    page.launch(
        server_name=host,
        server_port=port,
        max_file_size=f"{max_upload_mb}mb",
        state_session_capacity=_MAX_SESSIONS,
        app_kwargs={
            "middleware": [
                Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
                Middleware(limits.Limits, max_upload=max_upload_mb << 20, folder=folder),
            ]
        },
        share=False,
        enable_monitoring=False,
        mcp_server=False,
        run_history=False,
        ssr_mode=False,
        footer_links=[],
        css=layout.CSS,
        prevent_thread_lock=True,
        **options,
    )
    layout.make_first(reconstructor)
    return page
