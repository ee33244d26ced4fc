"""Work for a client that has hung up is stopped."""

from __future__ import annotations

import asyncio

from ui.guard import App, Message, Receive, Scope, Send


class HangUp:
    """Around an app that reads a request and then works on it: cancels it when the client goes away."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request."""
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        gone = asyncio.create_task(_gone(receive))
        work = asyncio.ensure_future(self.app(scope, _replay(messages, gone), send))
        try:
            await asyncio.wait({gone, work}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            gone.cancel()
            work.cancel()
            await asyncio.wait({gone, work})


async def _gone(receive: Receive) -> Message:
    while (message := await receive())["type"] != "http.disconnect":
        pass
    return message


def _replay(messages: list[Message], gone: asyncio.Task[Message]) -> Receive:
    """Return a `receive` that gives what has been read, and then waits for the end."""

    async def receive() -> Message:
        return messages.pop(0) if messages else await asyncio.shield(gone)

    return receive
