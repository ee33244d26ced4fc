"""What other programs reach on the page's server: OpenAI's protocol under `/v1`, MCP at `/mcp`."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.routing import Mount

from rag import Assistant
from ui.api import build_api
from ui.desk import Desk
from ui.guard import App, Receive, Scope, Send, is_for_program
from ui.hangup import HangUp
from ui.tools import ToolServer


class Programs:
    """The endpoints for programs, in front of the page."""

    def __init__(self, assistant: Assistant) -> None:
        desk = Desk(assistant)
        self._tools = ToolServer(desk)
        self._app = HangUp(Starlette(routes=[Mount("/v1", build_api(desk)), self._tools.route]))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Return the context in which requests can be served; to be entered once."""
        return self._tools.running()

    def before(self, page: App) -> App:
        """Return an app that answers programs itself and leaves everything else to the page."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            chosen = self._app if scope["type"] == "http" and is_for_program(scope) else page
            await chosen(scope, receive, send)

        return app
