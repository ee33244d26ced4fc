"""The page: chat on one side, the source a footnote opens on the other; and the same for programs.

Importing this package loads no Gradio; `build` and `serve` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio

    from rag import Assistant

__all__ = ["build", "serve"]


def build(assistant: Assistant) -> gradio.Blocks:
    """Return the page for an assistant, not started.

    `serve` starts it with the settings and request checks that keep it private; a caller who
    launches it otherwise has to bring their own.
    """
    from ui import environment

    environment.prepare()
    from ui.page import build_page

    return build_page(assistant)


def serve(
    assistant: Assistant, *, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = False
) -> None:
    """Serve the page, OpenAI's protocol under `/v1` and MCP at `/mcp`, until interrupted.

    The assistant follows its folder from then on, until it is closed.

    Args:
        assistant: What answers the questions; with a `token` in its settings, only to those who send it.
        host: Address to listen on; anything but loopback lets other machines ask and read.
        port: Port to listen on; 0 takes any free one.
        open_browser: Open the page in the default browser once it is up.

    Raises:
        ServeError: If the address cannot be listened on, for instance because the port is taken.
    """
    from ui import environment

    environment.prepare()
    from ui.server import Server

    assistant.follow()
    with Server(assistant, host=host, port=port, open_browser=open_browser) as server:
        print(server.banner, flush=True)
        server.wait()
