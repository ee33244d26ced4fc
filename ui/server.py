"""How the server is started: every Gradio setting said out loud, programs served too, the guard in front."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

import gradio as gr

from rag import Assistant, FootnoteError
from ui.guard import Guard, Hosts, is_loopback
from ui.page import STATIC, build_page
from ui.programs import Programs

_ANSWERS_AT_ONCE = 8
_QUEUE = 64
_SESSIONS = 1_000


class ServeError(FootnoteError):
    """The page cannot be served at the address asked for."""


class Server:
    """The page and what programs use, being served from entering the context to leaving it."""

    def __init__(self, assistant: Assistant, *, host: str, port: int, open_browser: bool) -> None:
        self.host = host
        token = assistant.settings.token
        self._token = token.get_secret_value() if token else None
        self._programs = Programs(assistant)
        self._page = build_page(assistant)
        self._page.queue(default_concurrency_limit=_ANSWERS_AT_ONCE, max_size=_QUEUE, api_open=False)
        self._settings = _settings(assistant, host, port, open_browser)
        self._settings["app_kwargs"] = {"lifespan": self._lifespan}

    def __enter__(self) -> Self:
        """Start serving; returns once the page answers."""
        try:
            _, self.url, _ = self._page.launch(**self._settings)
        except OSError as error:
            port = self._settings["server_port"]
            raise ServeError(
                f"Cannot serve the page at {self.host}:{port}: the port may be in use. Choose another."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._page.close(verbose=False)

    @asynccontextmanager
    async def _lifespan(self, app: Any) -> AsyncIterator[None]:
        """Put the guard around everything, before the first request."""
        async with self._programs.running():
            inside = self._programs.before(app.middleware_stack)
            app.middleware_stack = Guard(inside, Hosts(self.host), self._token)
            yield

    @property
    def banner(self) -> str:
        """Say where the server is and who can reach it."""
        programs = f"Programs: {self.url}v1 (OpenAI's protocol), {self.url}mcp (MCP)."
        if is_loopback(self.host):
            where = f"Footnote is at {self.url} · this computer only · nothing is shared. Ctrl+C stops it."
            return f"{where}\n{programs}"
        who = "Everyone on that network who has the token" if self._token else "Everyone on that network"
        warning = "" if self._token else f"\nWarning: it listens on {self.host} with no password."
        return (
            f"Footnote is at {self.url}. Ctrl+C stops it.\n{programs}{warning}\n"
            f"{who} can ask questions and read the files."
        )

    def wait(self) -> None:
        """Block until the process is interrupted."""
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def _settings(assistant: Assistant, host: str, port: int, open_browser: bool) -> dict[str, Any]:
    """Return all of `launch`'s settings that open something, and ours for how the page looks.

    None is left to a default: Gradio takes its defaults from the environment.
    """
    system = ("ui-sans-serif", "system-ui", "sans-serif")
    return {
        "server_name": host,
        "server_port": port or None,
        "inbrowser": open_browser,
        "prevent_thread_lock": True,
        "quiet": True,
        "share": False,
        "mcp_server": False,
        "ssr_mode": False,
        "pwa": False,
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "strict_cors": True,
        "root_path": "",
        "footer_links": [],
        "allowed_paths": [],
        "blocked_paths": [str(assistant.corpus.resolve())],
        "max_file_size": "1mb",
        "state_session_capacity": _SESSIONS,
        "theme": gr.themes.Base(font=system, font_mono=("ui-monospace", "monospace")),
        "head": _head(),
    }


def _head() -> str:
    """Return our style and script for the page's head, where Gradio leaves them as they are.

    (It rewrites the selectors of its `css` setting, and runs its `js` settings with `eval`.)
    """
    style, script = ((STATIC / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return f"<style>{style}</style><script>{script}</script>"
