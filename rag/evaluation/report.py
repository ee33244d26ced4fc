"""The report: one HTML file that needs no script, no network and no other file.

Questions and documents are other people's words: all text goes through `_text`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from rag.evaluation.charts import calibration_chart, interval, risk_coverage_chart
from rag.evaluation.figures import Figure
from rag.evaluation.judging import Outcome, plain
from rag.evaluation.results import Evaluation
from rag.types import Citation

HEADLINES = ("right", "refused", "wrongly_refused", "citations_verbatim", "auroc", "median_ms")
"""Figures that open the report."""

_STYLE = Path(__file__).with_name("report.css")
_illegal = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that HTML does not allow."""


def html_report(evaluation: Evaluation) -> str:
    """Return an evaluation as one HTML page, well-formed as XML too."""
    failures = [*_failures(evaluation.outcomes)]
    parts = (
        _header(evaluation),
        _charts(evaluation),
        _figures(evaluation.figures),
        _types(evaluation),
        f"<h2>What went wrong: {len(failures)} of {len(evaluation.outcomes)}</h2>",
        *failures,
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>Footnote: {_text(Path(evaluation.questions).name)}</title>\n"
        f"<style>\n{_STYLE.read_text('utf-8')}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def faults(outcome: Outcome) -> list[str]:
    """Return what is wrong with an answer, a clause for each thing; empty for a right and lawful one."""
    found = [f"footnote {number} is not what the file says there" for number in outcome.altered]
    found += ["a claim has no footnote"] * bool(outcome.uncited)
    if outcome.right:
        return found
    if not outcome.case.answerable:
        return [*found, "answered, though the documents do not say"]
    if not outcome.given:
        return [*found, "refused, though the documents say"]
    found += [f"does not say {item}" for item in outcome.missing]
    return found if outcome.cited else [*found, "cites something else"]


def _header(evaluation: Evaluation) -> str:
    cards = "".join(_card(evaluation.figures[name]) for name in HEADLINES)
    return (
        f"<h1>How good are the answers?</h1>\n<p>{len(evaluation.outcomes)} questions of "
        f"{_text(evaluation.questions)} about {_text(evaluation.corpus)}</p>\n"
        f'<p class="soft">footnote {_text(version("footnote"))}, engine {_text(evaluation.engine)}</p>\n'
        f'<div class="cards">{cards}</div>'
    )


def _card(figure: Figure) -> str:
    reach = f"{figure.interval} of {figure.n}" if figure.low is not None else f"on {figure.n}"
    return f'<div class="card"><b>{figure.shown}</b><span>{_text(figure.meaning)}</span><span>{reach}</span></div>'


def _charts(evaluation: Evaluation) -> str:
    return (
        '<h2>When is it sure, and is it right then?</h2>\n<div class="charts">'
        f"<figure>{risk_coverage_chart(evaluation.curve)}<figcaption>A higher gate moves left along the curve: fewer "
        "answers, fewer of them wrong. The last point is the gate as it stands.</figcaption></figure>"
        f"<figure>{calibration_chart(evaluation.bins)}<figcaption>Answers given, by their confidence. On the line, "
        "a confidence of 80% means right in 8 of 10.</figcaption></figure></div>"
    )


def _figures(figures: Mapping[str, Figure]) -> str:
    return "<h2>All figures</h2>\n" + _table(
        ("", "figure", "#value", "#95%", "", "#n", "what it is"),
        (
            (
                _text(figure.group),
                _text(figure.name),
                figure.shown,
                figure.interval,
                interval(figure.low, figure.value, figure.high)
                if figure.value is not None and figure.low is not None and figure.high is not None
                else "",
                str(figure.n),
                _text(figure.meaning) + (" (less is better)" if figure.less_is_better else ""),
            )
            for figure in figures.values()
        ),
    )


def _types(evaluation: Evaluation) -> str:
    rows = []
    for name, figures in evaluation.types.items():
        right, n = evaluation.handled(name)
        shown = (figures[key].shown for key in ("wrongly_refused", "cited", "found_in_8", "median_ms"))
        rows.append((_text(name), f"{right} of {n}", *shown))
    heads = ("type", "#handled right", "#wrongly refused", "#evidence cited", "#evidence in 8", "#median")
    return "<h2>By type of question</h2>\n" + _table(heads, rows)


def _failures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What broke a law first, then wrong answers, then refusals."""
    ranked = sorted(outcomes, key=lambda outcome: (outcome.lawful, not outcome.given, outcome.line))
    return (_failure(outcome, wrong) for outcome in ranked if (wrong := faults(outcome)))


def _failure(outcome: Outcome, wrong: Sequence[str]) -> str:
    case, answer = outcome.case, outcome.answer
    parts = [
        f'<summary>{_text(case.question)}<br/><span class="bad">{_text("; ".join(wrong))}</span> '
        f'<span class="soft">{_text(f"{case.id} · {case.type} · confidence {answer.confidence:.2f}")}</span></summary>'
    ]
    if case.history:
        turns = "\n".join(f"{asked}\n    {plain(answered)}" for asked, answered in case.history)
        parts.append(_section("Before it", _words(turns)))
    if answer.query != case.question.strip():
        parts.append(_section("Searched for", _words(answer.query)))
    parts.append(_section("Answer", _words(plain(answer.text)) + "".join(map(_citation, answer.citations))))
    parts.append(_section("Wanted", _wanted(outcome)))
    parts.append(_section("Retrieved, best first", "".join(_retrieved(outcome)) or _words("nothing")))
    return f"<details>{''.join(parts)}</details>"


def _citation(citation: Citation) -> str:
    return (
        f'<blockquote class="cited"><p class="soft">{citation.number}. {_text(citation.file)}</p>'
        f"{_words(citation.quote)}</blockquote>"
    )


def _wanted(outcome: Outcome) -> str:
    case = outcome.case
    if not case.answerable:
        return _words("A refusal: the documents do not say.")
    words = [_words(f"says {' or '.join(item)}") for item in case.contains]
    return "".join(words) + "".join(
        f'<blockquote><p class="soft">{_text(source.file)}</p>{_words(source.quote)}</blockquote>'
        for source in case.evidence
    )


def _retrieved(outcome: Outcome) -> Iterator[str]:
    for rank, scored in enumerate(outcome.answer.chunks, 1):
        chunk = scored.chunk
        scores = f"score {scored.score:.2f}, similarity {scored.similarity:.2f}, BM25 {scored.bm25:.1f}"
        spans = [(start, end) for file, start, end in outcome.wanted if file == chunk.file]
        yield (
            f'<blockquote><p class="soft">{rank}. {_text(chunk.file)} · {scores}</p>'
            f'<div class="words" dir="auto">{_marked(chunk.text, chunk.start, spans)}</div></blockquote>'
        )


def _marked(text: str, offset: int, spans: Sequence[tuple[int, int]]) -> str:
    """A chunk's text with the evidence in it marked."""
    done, parts = 0, []
    for start, end in sorted(spans):
        first, last = max(start - offset, done), min(end - offset, len(text))
        if first < last:
            parts.append(f"{_text(text[done:first])}<mark>{_text(text[first:last])}</mark>")
            done = last
    return "".join(parts) + _text(text[done:])


def _section(head: str, body: str) -> str:
    return f"<h3>{head}</h3>{body}"


def _words(text: str) -> str:
    return f'<div class="words" dir="auto">{_text(text)}</div>'


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    """A table of HTML cells; columns whose head begins with # hold numbers."""
    styles = [' class="number"' if head.startswith("#") else "" for head in heads]
    top = "".join(f"<th{style}>{head.lstrip('#')}</th>" for head, style in zip(heads, styles, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{style}>{cell}</td>' for cell, style in zip(row, styles, strict=True))}</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(text: str) -> str:
    """Return text that HTML shows as it is."""
    return html.escape(_illegal.sub("\ufffd", text))
