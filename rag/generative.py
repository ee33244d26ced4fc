"""Answers written by a model: each sentence is checked before it is shown, and nothing shown is withdrawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from index import Embedder, ScoredChunk
from index.text import content_terms, terms
from rag import extractive, prompts
from rag.abstention import Judgement, explain
from rag.citations import Draft, Passage, model_markdown
from rag.directives import is_directive
from rag.errors import ModelError
from rag.evidence import PLAUSIBLE
from rag.llm.asides import Asides
from rag.llm.markers import Sentence, Sentences
from rag.llm.model import LanguageModel
from rag.llm.requests import Requests
from rag.prompts import NO_ANSWER, Shown
from rag.settings import Settings
from rag.trace import Trace
from rag.types import AbstainReason
from rag.verification import Reason, Verification, Verifier

SHRINKS = 2
"""How often a prompt that the server finds too long is sent again with half as many passages."""
LONGEST = 80
"""Sentences of a reply; more is no answer."""
FRAGMENT = 2
"""A claim of so few words with a meaning states nothing by itself: it has to answer the question."""
_PLAIN_WORDS = (
    "The passages documents sources texts lines context do does did not don't say state mention contain give specify provide "
    "tell show include any information no nothing about this that it is was were are of to in for on at by and or but "
    "however what when where who which why how whether there details further i cannot could find answer determine"
)
"""A sentence of the model's on what the passages do not say is shown if it has only these words and the question's."""
_BY_LIKENESS = (Reason.LOOSE, Reason.NOT_COVERED)
REMARK = "*(not supported by what it cites)*"

_declines = re.compile(
    r"\b(?:passages?|documents?|sources?|texts?|context|excerpts?|lines|information (?:given|provided))\b.{0,40}?"
    r"\b(?:do(?:es)?\s+not|do(?:es)?n['’]t|did\s+not|contain(?:s)?\s+no|ha(?:s|ve)\s+no|say(?:s)?\s+nothing|cannot|can['’]t)\b"
    r"|\b(?:i\s+(?:do\s+not|don['’]t)\s+know|i\s+(?:cannot|can['’]t|could\s+not)\s+(?:find|answer|determine|tell|say))\b"
    r"|\bthere\s+is\s+(?:no|not\s+enough)\s+information\b|\bis\s+not\s+(?:stated|mentioned|given|specified)\s+in\s+the\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes the answer to one question with a model.

    It has the interface of `rag.extractive`: what was found goes in, text comes out.
    """

    model: LanguageModel
    settings: Settings
    embedder: Embedder
    question: str
    """As typed; in its language the answer is written."""
    chunks: Sequence[ScoredChunk]
    """What was retrieved, best first."""
    requests: Requests
    asides: Asides
    clock: Callable[[str], AbstractContextManager[None]]
    trace: Trace

    def write(self, parts: Sequence[Judgement], draft: Draft) -> Iterator[str]:
        """Write an answer into a draft, yielding its text sentence by sentence, or "" while the model is slow.

        A model that fails before it has said anything that holds leaves the answer to the documents' own
        words; one that fails later leaves what holds, and the text says that it breaks off.
        """
        checked = _Checked(self, parts, draft)
        try:
            yield from checked.reply()
            fault = ""
        except ModelError as error:
            fault = str(error)
            self.trace.add("fault", fault)
        if draft.claims:
            draft.engine = self.model.name
            yield from checked.ending(fault)
        elif checked.declined and not fault:
            draft.engine, draft.declined = self.model.name, AbstainReason.MODEL_DECLINED
            yield draft.say(explain(AbstainReason.MODEL_DECLINED))
        else:
            why = (
                fault
                or "Nothing that the model wrote answers the question and is supported by the documents."
            )
            draft.notices.append(f"{why} The answer is in the documents' own words instead.")
            yield from extractive.write(parts, draft)


class _Checked:
    """A model's reply on its way into a draft."""

    def __init__(self, writer: Writer, parts: Sequence[Judgement], draft: Draft) -> None:
        self._writer, self._draft = writer, draft
        self._evidence = [item for part in parts for item in part.evidence]
        self._scores = {(item.source.chunk.file, item.span): item.score for item in self._evidence}
        self._asked = set(content_terms(writer.question))
        self._lead = ""
        self._announced = ""  # what a list belongs to
        self._unsaid: list[tuple[str, Sentence]] = []  # headings, shown with the first that holds under them
        self._held: list[tuple[str, Sentence, Verification]] = []
        self._left_out = 0
        self._seen: set[str] = set()  # a model that repeats itself is not repeated
        self.declined: list[str] = []
        """The sentences that say what the passages do not."""

    def reply(self) -> Iterator[str]:
        """Ask the model, and yield what holds of its reply.

        Raises:
            ModelError: If the model fails; what was yielded stands.
        """
        budget = prompts.room(self._writer.model.window, self._writer.question)
        for left in range(SHRINKS, -1, -1):
            shown = prompts.show(self._writer.chunks, budget)
            try:
                yield from self._ask(shown)
                break
            except ModelError as error:
                if not (error.overflow and left and len(shown.chunks) > 1):
                    raise
                budget = sum(map(prompts.tokens, shown.lines)) // 2
        self._draft.notices += shown.notices()

    def ending(self, fault: str) -> Iterator[str]:
        """Yield what the text has to say about itself, once something holds."""
        draft = self._draft
        if self._left_out:
            draft.notices.append(
                f"{self._left_out} sentence{'s' * (self._left_out > 1)} of the model's reply left out: "
                "the documents do not support or even contradict what it said."
            )
        if weak := sum(claim.verdict == "weak" for claim in draft.claims):
            draft.notices.append(
                f"{weak} sentence{'s' * (weak > 1)} only loosely supported: compare with the passages."
            )
        if fault:
            draft.notices.append(fault)
            draft.incomplete = True
            yield draft.say("\n\nThe answer breaks off here.")
        elif self.declined:
            draft.incomplete = True
            asked = {*terms(self._writer.question), *terms(_PLAIN_WORDS)}
            told = [sentence for sentence in self.declined if set(terms(sentence)) <= asked]
            yield draft.say(
                "\n\n"
                + (" ".join(map(model_markdown, told)) or "The documents do not say all that was asked.")
            )

    def _ask(self, shown: Shown) -> Iterator[str]:
        writer, raw = self._writer, list[str]()
        if not shown.passages:
            raise ModelError("The passages do not fit into the model.")
        messages = prompts.answering(writer.question, shown)
        writer.trace.prompt(messages)
        verifier = Verifier(shown.chunks, writer.question, self._evidence)
        sentences = Sentences(len(shown.passages))
        stream = writer.requests.stream(messages, seconds=writer.settings.timeout)
        try:
            while (piece := self._next(stream, begun=any(raw))) is not None:
                raw.append(piece)
                if not piece:
                    yield ""
                for sentence in sentences.feed(piece):
                    yield from self._take(sentence, shown, verifier)
            for sentence in sentences.close():
                yield from self._take(sentence, shown, verifier)
        finally:
            stream.close()
            writer.trace.add("reply", "".join(raw))

    def _next(self, stream: Iterator[str], begun: bool) -> str | None:
        with self._writer.clock("writing" if begun else "first_token"):
            return next(stream, None)

    def _take(self, sentence: Sentence, shown: Shown, verifier: Verifier) -> Iterator[str]:
        """Check a finished sentence, and yield it if and as it may be shown."""
        self._lead = _joined(self._lead, sentence.lead)
        plain = sentence.text.replace("**", "").replace("`", "")
        if plain in self._seen:
            return
        self._seen.add(plain)
        if len(self._seen) > LONGEST:
            raise ModelError("The model's reply has no end and was cut.")
        if plain.strip("*.!\"' ").upper() == NO_ANSWER or (not sentence.numbers and _declines.search(plain)):
            self.declined.append(plain)
        elif sentence.heading:
            self._announced = plain if plain.endswith((":", "：")) else ""
            self._unsaid.append((self._lead, sentence))
            self._lead = ""
        else:
            if sentence.lead.endswith("\n"):
                self._announced = ""
            with self._writer.clock("verification"):
                found = self._verify(
                    plain, [shown.passages[number - 1] for number in sentence.numbers], verifier
                )
            self._writer.trace.add("verdict", f"{found.verdict}: {sentence.text}\n{found.sentence}")
            yield from self._show(sentence, found)

    def _verify(self, plain: str, cited: list[Passage], verifier: Verifier) -> Verification:
        whole = f"{self._announced.rstrip(':： ')} {plain}" if self._announced else plain
        found = verifier.verify(whole, cited)
        if found.verdict == "weak" and self._writer.settings.verify == "model":
            passages = " ".join(source.chunk.sentence(span) for source, span in found.passages)
            opinion = self._writer.asides.entails(whole, passages)
            if opinion is not None:
                found = replace(found, verdict="supported" if opinion else "unsupported")
        if (
            is_directive(plain)
            or (self._is_fragment(whole) and not self._answers(whole, found.passages))
            or (found.reason in _BY_LIKENESS and not self._shares_a_word(whole, found.passages))
        ):
            said = "These words state nothing that was asked."
            found = replace(found, verdict="unsupported", sentence=said, passages=())
        return found

    def _is_fragment(self, claim: str) -> bool:
        return len(set(content_terms(claim)) - self._asked) <= FRAGMENT

    def _shares_a_word(self, claim: str, passages: Sequence[Passage]) -> bool:
        """Whether any word of a claim stands in the question or in what it cites; likeness alone is chance."""
        told = (content_terms(source.chunk.sentence(span)) for source, span in passages)
        return not self._asked.union(*told).isdisjoint(content_terms(claim))

    def _is_beside(self, sentence: Sentence, found: Verification) -> bool:
        """Whether a sentence has nothing to do with the question, for all its words and its passages tell."""
        if self._asked & set(content_terms(sentence.text)):
            return False
        return all(
            self._scores.get((source.chunk.file, span), 0.0) < PLAUSIBLE for source, span in found.passages
        )

    def _answers(self, claim: str, passages: Sequence[Passage]) -> bool:
        """Whether what a claim adds to the question stands in a sentence that may answer it."""
        added = set(content_terms(claim)) - self._asked
        return any(
            added <= set(content_terms(source.chunk.sentence(span)))
            for source, span in passages
            if self._scores.get((source.chunk.file, span), 0.0) >= PLAUSIBLE
        )

    def _show(self, sentence: Sentence, found: Verification) -> Iterator[str]:
        keeps = self._writer.settings.unsupported == "mark" and bool(sentence.numbers)
        marked = keeps and found.passages and not found.contradicts
        if found.verdict == "unsupported" and not marked:
            self._left_out += 1
        elif not self._draft.claims and (found.verdict == "unsupported" or self._is_beside(sentence, found)):
            self._held.append((self._lead, sentence, found))  # shown only if anything else holds and answers
            self._lead = ""
        else:
            held, self._held = self._held, []
            for lead, earlier, verdict in [*held, (self._lead, sentence, found)]:
                yield self._say(lead, earlier, verdict)
            self._lead = ""

    def _say(self, lead: str, sentence: Sentence, found: Verification) -> str:
        draft, start = self._draft, len(self._draft.text)
        known = {*terms(self._writer.question)}
        known.update(*(terms(source.chunk.sentence(span)) for source, span in found.passages))
        for above, heading in self._unsaid:
            if set(content_terms(heading.text)) <= known:
                draft.say(above if draft.text else above.lstrip())
                draft.say(model_markdown(heading.text))
            else:
                lead = _joined(above, lead)
        self._unsaid = []
        draft.say(lead if draft.text else lead.lstrip())
        reason = found.sentence if found.verdict != "supported" else ""
        remark = REMARK if found.verdict == "unsupported" else ""
        draft.claim(model_markdown(sentence.text), found.passages, found.verdict, reason, remark)
        return draft.text[start:]


def _joined(lead: str, following: str) -> str:
    """What stands between two sentences of which the one between them is not shown."""
    if "\n" not in following:
        return lead or following
    return "\n" + following if "\n\n" in lead and "\n\n" not in following else following
