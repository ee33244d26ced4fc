"""Whether the sentences that a claim cites support it, decided here, without another model.

A claim is one sentence that a language model wrote. Its numbers, dates, names, negation and quantifiers
must agree with what it cites; how well its words and meaning are covered decides the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from index import ScoredChunk, Span
from rag.checks.agreement import differences, foreign, foreign_difference
from rag.checks.sources import Difference, Source
from rag.checks.statement import Statement
from rag.checks.support import chance, copied, features
from rag.citations import Passage
from rag.evidence import Evidence
from rag.types import Verdict

SUPPORTED, WEAK = 0.35, 0.2
"""Chances from which on a claim counts as supported, and as weakly supported."""
ANSWERS = 0.3
"""Score from which on the reader is taken at its word that a sentence answers the question."""
ADDED = 0.34
"""Share of a claim's words that may be neither the question's, nor the answer's, nor the passage's."""
MAX_CLAIM = 2000
"""Characters of the longest claim that is checked, and of the question that is kept in mind."""
SEARCHED = 3
"""How many of the retrieved sentences are tried where the cited ones do not support a claim."""


class Reason(StrEnum):
    """What a verdict rests on, the first that applies."""

    COVERED = "covered"
    """Supported: what the claim says stands in the passages."""
    LOOSE = "loose"
    """Weak: the passages say something close, in other words or less surely."""
    OTHER_LANGUAGE = "other_language"
    """Weak: claim and passages are in different scripts; only numbers and Latin names could be compared."""
    NUMBER = "number"
    """Unsupported: a number, date or unit of the claim is not in the passages."""
    NAME = "name"
    """Unsupported: a name of the claim is not in the passages."""
    OPPOSITE = "opposite"
    """Unsupported: the claim denies what the passages say, or the reverse."""
    STRONGER = "stronger"
    """Weak or unsupported: the claim says it of more, or more surely, than the passages do."""
    NOT_COVERED = "not_covered"
    """Unsupported: the passages do not say it."""
    TOO_LONG = "too_long"
    """Unsupported: the claim is longer than any one statement."""
    NOTHING_CITED = "nothing_cited"
    """Unsupported: there is no passage to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What became of one claim."""

    verdict: Verdict
    reason: Reason
    sentence: str
    """The reason for people: one sentence that names the number, name or word that differs."""
    passages: tuple[Passage, ...]
    """What the claim should cite: the cited passages as given when they support it at least as well as any
    other; else the retrieved sentences that do. Empty only when nothing was cited and nothing fits."""
    contradicts: bool
    """Whether the passages say otherwise (another number, name, or the opposite), rather than nothing."""


_KINDS = {
    "number": Reason.NUMBER,
    "name": Reason.NAME,
    "opposite": Reason.OPPOSITE,
    "stronger": Reason.STRONGER,
}
_SENTENCES = {
    Reason.COVERED: "The cited passage says this.",
    Reason.LOOSE: "The cited passage says something close to this, not quite the same.",
    Reason.OTHER_LANGUAGE: "The cited passage is in another language, so only numbers and names could be compared.",
    Reason.NUMBER: "{claimed} is not what the cited passage says.",
    Reason.NAME: "{claimed} is not in the cited passage.",
    Reason.OPPOSITE: "The cited passage says the opposite.",
    Reason.STRONGER: "The cited passage says this of fewer, or less surely.",
    Reason.NOT_COVERED: "The cited passage does not say this.",
    Reason.TOO_LONG: "This is too long to be checked as one statement.",
    Reason.NOTHING_CITED: "No passage says this.",
}


class Verifier:
    """Checks the claims of one answer against what was retrieved for it.

    Args:
        retrieved: The chunks that the model was given; each of their sentences may be cited.
        question: What was asked; its words may explain a claim (`It was built in 1901.`).
        evidence: What the local reader found to answer the question, with which words.
    """

    def __init__(
        self, retrieved: Sequence[ScoredChunk], question: str = "", evidence: Sequence[Evidence] = ()
    ) -> None:
        self._retrieved = retrieved
        self._question = Statement(question[:MAX_CLAIM])
        self._statements: dict[tuple[str, Span], Statement] = {}
        self._answers = {
            (item.source.chunk.file, item.span): Statement(words)
            for item in evidence
            if item.score >= ANSWERS and (words := item.words)
        }

    def verify(self, claim: str, cited: Sequence[Passage]) -> Verification:
        """Return whether a claim is supported, and by which passages.

        Args:
            claim: One sentence as plain text, its markers removed.
            cited: The sentences (chunk and span) that its markers point to, in their order; together they
                may support it. Empty when it has no valid marker: then the retrieved sentences are searched.

        Returns:
            Always a verdict, for any text; a claim without letters or digits is `unsupported`, and so is one
            of more than `MAX_CLAIM` characters.

        Raises:
            EmbedderError: If the embedding model, whose word vectors are used, is missing.
        """
        if len(claim) > MAX_CLAIM:
            return _verdict(Reason.TOO_LONG, "unsupported", cited)
        said = Statement(claim)
        best = (
            self._judge(said, cited)
            if cited and said.tokens
            else _verdict(Reason.NOTHING_CITED, "unsupported", ())
        )
        if best.verdict == "supported" or not said.tokens:
            return best
        for passages in self._elsewhere(said, cited):
            other = self._judge(said, passages)
            if other.verdict == "supported":
                return other
            if not cited and best.verdict == "unsupported":
                best = other
        return best

    def _elsewhere(self, claim: Statement, cited: Sequence[Passage]) -> list[list[Passage]]:
        """Retrieved sentences that share most words with a claim: the best ones, and the best two together."""
        wanted = {token.stem for token in claim.content}
        passages = [
            passage
            for scored in self._retrieved
            for span in scored.chunk.sentences
            if (passage := (scored, span)) not in cited
        ]
        shared = [(len(wanted & self._read(passage).stems), passage) for passage in passages]
        ranked = sorted((pair for pair in shared if pair[0]), key=lambda pair: -pair[0])[:SEARCHED]
        found = [[passage] for _, passage in ranked]
        if found:
            left = wanted - self._read(found[0][0]).stems
            more = max(passages, key=lambda passage: len(left & self._read(passage).stems))
            found.append([found[0][0], more])
        return found

    def _judge(self, claim: Statement, passages: Sequence[Passage]) -> Verification:
        source = self._source(passages)
        if foreign(claim, source):
            other = foreign_difference(claim, source)
            return _differs(other, passages) if other else _verdict(Reason.OTHER_LANGUAGE, "weak", passages)
        found = differences(claim, source)
        if found and not found[0].slight:
            return _differs(found[0], passages)
        likely = 1.0 if copied(claim, source) else chance(features(claim, source))
        if likely < SUPPORTED and self._answers_with(claim, passages):
            likely = SUPPORTED if likely >= WEAK else WEAK
        if likely < WEAK:
            return _verdict(Reason.NOT_COVERED, "unsupported", passages)
        if found:
            return _differs(found[0], passages)
        if likely < SUPPORTED:
            return _verdict(Reason.LOOSE, "weak", passages)
        return _verdict(Reason.COVERED, "supported", passages)

    def _answers_with(self, claim: Statement, passages: Sequence[Passage]) -> bool:
        """Whether a claim says little more than the question and the words with which a passage answers it."""
        content = {token.stem for token in claim.content}
        for scored, span in passages:
            answer = self._answers.get((scored.chunk.file, span))
            if answer and (told := {token.stem for token in answer.content}) and told <= claim.stems:
                added = content - answer.stems - self._question.stems - self._read((scored, span)).stems
                return len(added) <= ADDED * len(content)
        return False

    def _source(self, passages: Sequence[Passage]) -> Source:
        chunks = {scored.chunk.id: scored for scored, _ in passages}.values()
        titles = {scored.chunk.title for scored in chunks}
        nearby = [
            (scored, span)
            for scored in chunks
            for span in scored.chunk.sentences
            if (scored, span) not in passages
        ]
        return Source(
            cited=tuple(map(self._read, passages)),
            nearby=(*map(self._read, nearby), self._question),
            known=tuple(map(Statement, sorted(titles))),
        )

    def _read(self, passage: Passage) -> Statement:
        scored, span = passage
        key = scored.chunk.file, span
        if key not in self._statements:
            self._statements[key] = Statement(scored.chunk.sentence(span))
        return self._statements[key]


def _differs(found: Difference, passages: Sequence[Passage]) -> Verification:
    reason = _KINDS[found.kind]
    verification = _verdict(reason, "weak" if found.slight else "unsupported", passages)
    sentence = verification.sentence.format(claimed=f"“{found.claimed}”")
    if found.found and reason in (Reason.NUMBER, Reason.NAME):
        sentence = f"The cited passage has “{found.found}” where this says “{found.claimed}”."
    return replace(verification, sentence=sentence, contradicts=not found.slight and bool(found.found))


def _verdict(reason: Reason, verdict: Verdict, passages: Sequence[Passage]) -> Verification:
    return Verification(
        verdict=verdict,
        reason=reason,
        sentence=_SENTENCES[reason],
        passages=tuple(passages),
        contradicts=False,
    )
