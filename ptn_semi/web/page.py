"""Serves the demo page: an image or a drawing in, a shape to turn out."""

import resource

from starlette.middleware import Middleware

from ptn_semi.web import guard, uploads

_SESSIONS = 100  # whose voxels are kept for another threshold: 1 MB each at 64³


def launch(reconstructor, host, port, max_upload_mb, **options):
    """Serves the page.

    Args:
      reconstructor: a `images_to_shapes.Reconstructor`.
      host, port: to listen on.
      max_upload_mb: largest image.
      **options: more of `gradio.Blocks.launch`.

    Returns:
      The page, a `gradio.Blocks`, once it is closed; at once with `prevent_thread_lock`.

    Raises:
      OSError: the port cannot be listened on.
    """
    uploads.folder()  # which gradio asks for when it is imported
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


def _allow_connections():
    """Lets the process hold as many connections as it may: a thousand idle ones are usual."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
