"""Server of the demo page, which turns an image or a drawing into a 3D shape."""

from __future__ import annotations

import contextlib
import resource
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware

from ptn_semi.web import guard, uploads

if TYPE_CHECKING:
    import gradio as gr

    from ptn_semi.inference.reconstruction import Reconstructor

_SESSIONS = 100  # visitors whose voxels are kept for another threshold; 1 MB each at 64³


def launch(
    reconstructor: Reconstructor, host: str, port: int, max_upload_mb: int, **options: Any
) -> gr.Blocks:
    """Serve the page.

    Args:
      reconstructor: the trained model.
      host: address to listen on.
      port: port to listen on.
      max_upload_mb: size of the largest image, in MB.
      **options: further options of `gradio.Blocks.launch`.

    Returns:
      The page. The call returns when the server is closed, or at once with `prevent_thread_lock`.

    Raises:
      OSError: if the port is taken or not allowed.
    """
    uploads.folder()  # gradio looks for this folder when it is imported
    from ptn_semi.web import layout

    _allow_connections()
    page = layout.build(reconstructor)
    page.launch(
        server_name=host,
        server_port=port,
        max_file_size=f"{max_upload_mb}mb",
        state_session_capacity=_SESSIONS,
        app_kwargs={
            "lifespan": uploads.sweeping(uploads.folder()),
            "middleware": [Middleware(guard.Guard, max_upload=max_upload_mb << 20)],
        },
        share=False,
        enable_monitoring=False,
        mcp_server=False,
        run_history=False,
        ssr_mode=False,
        footer_links=[],
        **options,
    )
    return page


def _allow_connections() -> None:
    """Raise the limit of open connections from the usual thousand, which idle ones could use up."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(ValueError, OSError):  # macOS refuses an unlimited number
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
