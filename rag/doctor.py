"""What is in force, and whether each part works."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from index import FootnoteError
from rag.errors import ModelError
from rag.llm.model import ServerModel
from rag.llm.requests import Requests

if TYPE_CHECKING:
    from rag.assistant import Assistant


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one part."""

    part: str
    detail: str
    """What is in force, or what is wrong and what to do."""
    works: bool


def examine(bot: Assistant) -> Iterator[Finding]:
    """Yield a finding for each part of an assistant, in the order in which they depend on each other."""
    yield Finding("version", f"footnote {version('footnote')}, Python {platform.python_version()}", True)
    for part, check in _CHECKS.items():
        try:
            yield Finding(part, check(bot), True)
        except FootnoteError as error:
            yield Finding(part, str(error), False)


def _model(bot: Assistant) -> str:
    embedder = bot.ready().embedder
    embedder.embed(["warm"], kind="query")
    started = time.perf_counter()
    embedder.embed(["How long does one question take?"], kind="query")
    return f"{embedder.id}, {embedder.dimensions} dimensions, {(time.perf_counter() - started) * 1000:.0f} ms a question"


def _corpus(bot: Assistant) -> str:
    return f"{bot.corpus}: {bot.ready().counts()['documents']} documents"


def _index(bot: Assistant) -> str:
    index = bot.ready()
    wrong = index.differences()
    if wrong:
        raise FootnoteError(
            f"{bot.index_dir} differs from the folder in {', '.join(wrong[:5])}: run `footnote index`."
        )
    counts = index.counts()
    return f"{bot.index_dir}: equal to the folder, {counts['chunks']} chunks, {counts['vectors']} vectors"


def _search(bot: Assistant) -> str:
    state = bot.ready().caches()
    broken = [name for name, sound in state.items() if not sound]
    if broken:
        raise FootnoteError(f"{' and '.join(broken)} cannot be used: run `footnote index` to make them anew.")
    return f"Chroma {version('chromadb')}, Tantivy {version('tantivy')}"


def _answers(bot: Assistant) -> str:
    model = bot.model
    if model is None:
        return f"{bot.engine}: in the documents' own words, no model and no network"
    if isinstance(model, ServerModel):
        offered = model.look()
        if offered and model.name not in offered:
            raise ModelError(f"{model.server} offers {', '.join(offered[:8])} and not {model.name}.")
    started, messages = time.perf_counter(), [{"role": "user", "content": "Reply with: ok"}]
    said = Requests(model, {}).stream(messages, seconds=bot.settings.timeout)
    any(said)  # until the first word
    said.close()
    where = f" at {model.server}" if isinstance(model, ServerModel) else ""
    took = (time.perf_counter() - started) * 1000
    return f"{model.name}{where}: first word in {took:.0f} ms, window of {model.window:,} tokens"


def _page(bot: Assistant) -> str:
    return f"Gradio {version('gradio')} at http://{bot.settings.host}:{bot.settings.port}"


_CHECKS: dict[str, Callable[[Assistant], str]] = {
    "corpus": _corpus,
    "model": _model,
    "index": _index,
    "search": _search,
    "answers": _answers,
    "page": _page,
}
