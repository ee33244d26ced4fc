"""What is in force, and whether each part works."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from index import LOOK_SECONDS, FootnoteError, Watcher
from rag.errors import ConfigurationError, ModelError
from rag.llm.model import ServerModel
from rag.llm.requests import Requests
from rag.settings import misspelt

if TYPE_CHECKING:
    from rag.assistant import Assistant

WATCHING_SECONDS = 5.0
_UNFITTED = "confidence was fitted to minilm, so let `footnote eval` say what it is worth with this one"


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


def _settings(_: Assistant) -> str:
    if wrong := misspelt():
        raise ConfigurationError(" ".join(wrong))
    return "nothing in the environment is misspelt"


def _corpus(bot: Assistant) -> str:
    return f"{bot.corpus}: documents indexed: {bot.index.counts()['documents']:,}"


def _embedder(bot: Assistant) -> str:
    embedder = bot.index.embedder
    embedder.embed(["warm"], kind="query")
    started = time.perf_counter()
    embedder.embed(["How long does one question take?"], kind="query")
    took = (time.perf_counter() - started) * 1000
    found = f"{embedder.id}, {embedder.dimensions} dimensions, {took:.0f} ms a question"
    if successor := bot.index.successor:
        successor.embed(["warm"], kind="query")
        found += f", until the vectors of {successor.id} are whole"
    return found if bot.settings.embedder == "minilm" else f"{found}; {_UNFITTED}"


def _index(bot: Assistant) -> str:
    index = bot.index
    wrong, counts = index.differences(), index.counts()
    if wrong and not counts["documents"]:
        return f"{bot.index_dir}: nothing is indexed yet; `footnote index` does it, and so does the first question"
    if wrong:
        more = f" and {len(wrong) - 5:,} more" if len(wrong) > 5 else ""
        raise FootnoteError(
            f"{bot.index_dir} differs from the folder in {', '.join(wrong[:5])}{more}: run `footnote index`, "
            "or `footnote doctor --repair` if that does not help."
        )
    pending = index.pending()
    lacking = f", {pending:,} to come: run `footnote index`" if pending else ""
    return f"{bot.index_dir}: equal to the folder, {counts['chunks']:,} chunks, {counts['vectors']:,} vectors{lacking}"


def _search(bot: Assistant) -> str:
    broken = [name for name, sound in bot.index.caches().items() if not sound]
    if bot.index.problem:
        raise FootnoteError(bot.index.problem)
    if broken and bot.index.counts()["documents"]:
        raise FootnoteError(f"{' and '.join(broken)} cannot be used: run `footnote index` to make them anew.")
    where = f" at {bot.settings.chroma_url}" if bot.settings.chroma_url else ""
    return f"Chroma {version('chromadb')}{where}, Tantivy {version('tantivy')}"


def _watching(bot: Assistant) -> str:
    begun = threading.Event()
    watcher = Watcher(bot.corpus, begun.set)
    watcher.start()
    begun.wait(WATCHING_SECONDS)
    told = watcher.told
    watcher.close()
    return (
        "changes are noticed at once" if told else f"changes are looked for every {LOOK_SECONDS:.0f} s or so"
    )


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
    "settings": _settings,
    "corpus": _corpus,
    "embedder": _embedder,
    "index": _index,
    "search": _search,
    "watching": _watching,
    "answers": _answers,
    "page": _page,
}
