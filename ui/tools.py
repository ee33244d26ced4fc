"""Three tools for programs that speak MCP: ask, retrieve and read_passage."""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Route

from rag import Citation, Claim, CorpusError
from ui.desk import BusyError, Desk
from ui.footer import footer

_READ = 20_000
"""Characters of a passage that are read at once."""
_INSTRUCTIONS = """\
Answers questions about a folder of documents, and about nothing else. `ask` gives an answer in which \
every sentence has a footnote, or says that the documents do not hold one; `retrieve` finds passages to \
judge for yourself; `read_passage` shows what stands around a quote or a passage."""

FileName = Annotated[
    str, Field(max_length=4_096, description="Name of the file, as a citation or a chunk gives it.")
]
Offset = Annotated[int, Field(ge=0)]


class Exchange(BaseModel):
    """An earlier question and its answer."""

    question: str
    answer: str


class Answered(BaseModel):
    """An answer with its footnotes."""

    model_config = ConfigDict(extra="allow")

    text: str = Field(description="The answer, with footnote markers [1], [2] …")
    status: str = Field(description="answered, partial or abstained; `text` says what is not covered.")
    abstain_reason: str | None
    confidence: float = Field(description="Chance, 0 to 1, that the answer is right and fully supported.")
    claims: list[Claim]
    citations: list[Citation] = Field(
        description="What each marker points to: a verbatim quote and its place."
    )


class Chunk(BaseModel):
    """A passage that was found."""

    model_config = ConfigDict(extra="allow")

    file: str
    title: str
    page: int | None
    start: int = Field(description="Offset of the first character in the document.")
    end: int = Field(description="Offset just after the last character.")
    text: str
    score: float = Field(description="Higher is better; comparable within one search only.")


class Found(BaseModel):
    """What a search found."""

    chunks: list[Chunk] = Field(description="Best first.")


class Passage(BaseModel):
    """A stretch of a document: its characters from `start` to `end`, and what stands around them."""

    file: str
    title: str
    page: int | None
    start: int
    end: int
    text: str
    before: str = Field(description="What ends at `start`.")
    after: str = Field(description="What begins at `end`.")
    length: int = Field(description="Characters in the whole document.")


class Tools:
    """The tools, for one assistant; their descriptions are written for the models that call them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def ask(
        self,
        question: Annotated[str, Field(description="One question in plain words, as a person would ask it.")],
        history: Annotated[
            list[Exchange],
            Field(
                max_length=100, description="Earlier questions and answers that it follows up, oldest first."
            ),
        ] = [],  # noqa: B006 - it becomes part of a schema
    ) -> Annotated[CallToolResult, Answered]:
        """Answer a question from the documents alone, each sentence with a footnote to a verbatim quote.

        Where the documents do not hold the answer, the status is `abstained` and the text says so: do not
        fill the gap from elsewhere without telling. Nothing is remembered between calls.
        """
        try:
            answer = await self._desk.ask(question, [(turn.question, turn.answer) for turn in history])
        except BusyError as error:
            raise ToolError(str(error)) from error
        shown = TextContent(type="text", text=answer.text + footer(answer))
        return CallToolResult(content=[shown], structured_content=answer.to_dict())

    def retrieve(
        self,
        query: Annotated[str, Field(description="A standalone question or some words.")],
        k: Annotated[int, Field(ge=1, le=50, description="Largest number of passages.")] = 8,
    ) -> Found:
        """Find the passages of the documents that are most relevant to a query, by meaning and by words.

        They are relevant, not checked: a passage may fall short of an answer.
        """
        found = self._desk.assistant.retrieve(query, k)
        return Found(chunks=[Chunk(**scored.to_dict()) for scored in found])

    def read_passage(
        self,
        file: FileName,
        start: Annotated[int, Field(ge=0, description="Offset of the first character to read.")] = 0,
        end: Annotated[
            int | None,
            Field(ge=0, description="Offset just after the last; by default as far as one call reads."),
        ] = None,
        around: Annotated[
            int, Field(ge=0, le=5_000, description="Characters to show before and after it.")
        ] = 500,
    ) -> Passage:
        """Read a stretch of a document by its offsets, with what stands around it.

        The offsets are those of citations and of retrieved chunks, counted in characters. At most 20,000
        characters are read at once; the offsets that come back are those of what was read.
        """
        if end is not None and end < start:
            raise ToolError("`end` comes before `start`.")
        try:
            document = self._desk.assistant.document(file)
        except CorpusError:
            raise ToolError("There is no such file among the documents.") from None
        text = document.text
        start = min(start, len(text))
        end = min(len(text), start + _READ, len(text) if end is None else end)
        return Passage(
            file=document.file,
            title=document.title,
            page=sum(1 for first in document.page_starts if first <= start) or None,
            start=start,
            end=end,
            text=text[start:end],
            before=text[max(0, start - around) : start],
            after=text[end : end + around],
            length=len(text),
        )


class ToolServer:
    """Serves the tools at `/mcp`, each request on its own: nothing is kept between two of them."""

    def __init__(self, desk: Desk) -> None:
        tools = Tools(desk)
        self._server = _quietly(title="Footnote", instructions=_INSTRUCTIONS, version=version("footnote"))
        harmless = ToolAnnotations(read_only_hint=True, open_world_hint=False)
        for tool in (tools.ask, tools.retrieve, tools.read_passage):
            self._server.add_tool(tool, annotations=harmless)
        app = self._server.streamable_http_app(
            json_response=True,
            stateless_http=True,
            # The guard in front has checked hosts and origins.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        [route] = app.routes
        assert isinstance(route, Route)
        self.route = Route(route.path, route.endpoint, methods=["POST"])

    def running(self) -> AbstractAsyncContextManager[None]:
        """Return the context in which requests can be served; to be entered once."""
        return self._server.session_manager.run()


def _quietly(**settings: Any) -> MCPServer[Any]:
    """Make a server that leaves the logging of the process as it was."""
    log = logging.getLogger()
    handlers, level = log.handlers[:], log.level
    server = MCPServer("footnote", subscriptions=False, **settings)
    log.handlers[:] = handlers
    log.setLevel(level)
    return server
