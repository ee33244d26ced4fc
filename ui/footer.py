"""What follows an answer where no page opens its footnotes: the passages themselves."""

from __future__ import annotations

import re

from rag import Answer, Citation
from rag.citations import plain_markdown
from ui.markup import clip

_QUOTE = 400
_RULE = "\n\n---\n\n"
_FOOTER = re.compile(rf"{_RULE}(?:\[1\]|Note:) ")


def footer(answer: Answer) -> str:
    """Return the passages of the footnotes and the notices, as Markdown under a rule; empty without any."""
    lines = [f"[{citation.number}] {_passage(citation)}" for citation in answer.citations]
    lines += [f"Note: {plain_markdown(notice)}" for notice in answer.notices]
    return _RULE + "\n\n".join(lines) if lines else ""


def without_footer(text: str) -> str:
    """Return an answer that a program sends back, without what `footer` put under it."""
    start = text.rfind(_RULE)
    return text[:start] if start >= 0 and _FOOTER.match(text, start) else text


def _passage(citation: Citation) -> str:
    place = f"{citation.file}, page {citation.page}" if citation.page else citation.file
    return f"{plain_markdown(place)}: “{plain_markdown(clip(citation.quote, _QUOTE))}”"
