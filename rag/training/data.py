"""What the reader learns from: questions, windows of whole sentences, and near misses.

A training example is a question and one window, as the product's retriever would return it. Half
of the examples hold no answer, and most of those are near misses: the right people and topic, but
the sentence that answers is not there. Near misses come from

* ``removed``   the gold window after every sentence that holds the answer was taken out;
* ``swapped``   the gold window, after a name, number or word of question or window was changed;
* ``retrieved`` a window that retrieval ranks high for the question, without the answer;
* ``written``   questions that people wrote to be unanswerable (SQuAD 2, CLAPnq);
* ``far``       a window of another document.

Data: SQuAD 1.1 and 2.0 (CC BY-SA 4.0) and CLAPnq (Apache-2.0).
"""

from __future__ import annotations

import functools
import hashlib
import json
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SPLIT_SALT = "reader-split-{}"  # {}: the first number that gives both files their share
HELD_SHARE = 0.18
END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])")
ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|etc|No|Prof|Gen|Col|Lt|Rev|Inc|Ltd|Co|cf|ca|c)"
    r"|\b[a-z]\.[a-z]|\b[A-Z]\.[A-Z])\.$"
)
WORD = re.compile(r"\w+")
STOP = frozenset(  # words that say nothing of what a question is about
    WORD.findall(
        "a an the of in on at to for from by with and or is are was were be been do does did has have had "
        "what which who whom whose when where why how many much that this these those it its as than his "
        "her their there into about can could will would should may might not no s t"
    )
)


@dataclass(frozen=True)
class Document:
    """One passage: a SQuAD paragraph or a CLAPnq passage, cut into sentences."""

    title: str
    sentences: tuple[str, ...]
    group: str  # the article: documents of one group are near each other


@dataclass(frozen=True)
class Question:
    """``gold`` are the sentences that answer; ``answers`` short strings inside them, if any.

    Where only whole passages are known to answer, ``gold_documents`` names them.
    """

    id: str
    text: str
    document: int
    answers: tuple[str, ...] = ()
    gold: tuple[int, ...] = ()
    gold_documents: frozenset[int] = frozenset()

    @property
    def answerable(self) -> bool:
        """Does the data hold an answer."""
        return bool(self.gold or self.gold_documents)


@dataclass(frozen=True)
class Example:
    """A question, a window and what is true of them; offsets are into ``window``."""

    question: str
    title: str
    window: str
    spans: tuple[tuple[int, int], ...]  # where the answer may stand; none: not answered here
    support: tuple[tuple[int, int], ...]  # the answering sentences
    unsure: tuple[tuple[int, int], ...] = ()  # sentences that repeat the answer: not judged
    kind: str = "gold"


def sentences_of(text: str) -> list[str]:
    """Split prose into sentences; abbreviations and initials do not end one."""
    out = []
    for line in text.splitlines():
        start = 0
        for match in END.finditer(line):
            if not ABBREVIATION.search(line[start : match.start()].rstrip("\"'”’)]")):
                out.append(line[start : match.end()].strip())
                start = match.end()
        out.append(line[start:].strip())
    return [s for s in out if s]


def words_of(text: str) -> list[str]:
    """Lower-case words."""
    return WORD.findall(text.lower())


@functools.lru_cache(maxsize=50_000)
def whole_word(words: str) -> re.Pattern[str]:
    """The words as whole words, any case."""
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)", re.IGNORECASE)


def holds(text: str, answer: str) -> bool:
    """Does the answer stand in the text as whole words, any case?"""
    return whole_word(answer).search(text) is not None


def held_titles(v1: list[dict], v2: list[dict]) -> list[str]:
    """About HELD_SHARE of the titles and of the questions of both files, fixed by a hash."""
    size = [{a["title"]: sum(len(p["qas"]) for p in a["paragraphs"]) for a in v} for v in (v1, v2)]
    both = [t for t in size[0] if t in size[1]]
    only = [t for t in size[0] if t not in size[1]]
    for salt in range(1000):
        digest = {t: hashlib.sha1((SPLIT_SALT.format(salt) + t).encode()).hexdigest() for t in both + only}
        held = [
            t
            for group in (both, only)
            for t in sorted(group, key=digest.__getitem__)[: round(HELD_SHARE * len(group))]
        ]
        shares = [sum(s.get(t, 0) for t in held) / sum(s.values()) for s in size]
        if all(abs(share - HELD_SHARE) < 0.01 for share in shares):
            return sorted(held)
    raise ValueError("no split gives both files their share")


def gold_sentence(question: str, sentences: tuple[str, ...], answers: list[str]) -> int | None:
    """The sentence that answers: it holds most annotators' answers, then most of the question.

    The files give the first occurrence of an answer, which for "nine" or "1996" is often not the
    place that was meant.
    """
    asked = set(words_of(question)) - STOP
    best, best_score = None, 0.0
    for n, sentence in enumerate(sentences):
        votes = sum(holds(sentence, a) for a in answers) / len(answers)
        overlap = len(asked & set(words_of(sentence))) / max(1, len(asked))
        if votes and votes + overlap > best_score:
            best, best_score = n, votes + overlap
    return best


def squad_files(folder: Path) -> list[list[dict]]:
    """The articles of SQuAD 1.1 and of SQuAD 2.0."""
    names = ("squad-v1.1.json", "squad-v2.0.json")
    return [json.loads((folder / n).read_text(encoding="utf-8"))["data"] for n in names]


def load_squad(
    folder: Path,
    held: bool,
    documents: list[Document],
    questions: list[Question],
    versions: tuple[int, ...] = (0, 1),
) -> None:
    """Add the held or the other articles, every question and paragraph once.

    ``versions``: 0 is SQuAD 1.1, 1 is SQuAD 2.0.
    """
    files = squad_files(folder)
    titles = set(held_titles(*files))
    place: dict[tuple[str, str], int] = {}
    seen: set[str] = set()
    for article in [a for v in versions for a in files[v]]:
        if (article["title"] in titles) != held:
            continue
        title = article["title"].replace("_", " ")
        for paragraph in article["paragraphs"]:
            key = (title, paragraph["context"])
            if key not in place:
                place[key] = len(documents)
                sentences = tuple(sentences_of(paragraph["context"]))
                documents.append(Document(title, sentences, title))
            for q in paragraph["qas"]:
                if q["id"] in seen:
                    continue
                seen.add(q["id"])
                answers = [a["text"] for a in q["answers"]]
                text = q["question"].strip()
                if not answers:
                    questions.append(Question(q["id"], text, place[key]))
                    continue
                gold = gold_sentence(text, documents[place[key]].sentences, answers)
                if gold is not None:
                    unique = tuple(a for a, _ in Counter(answers).most_common())
                    questions.append(Question(q["id"], text, place[key], unique, (gold,)))


def clapnq_half(question_id: str) -> bool:
    """True for the half that is held out, fixed by a hash of the id."""
    return hashlib.sha1(f"reader {question_id}".encode()).digest()[0] % 2 == 0


def detokenised(text: str) -> str:
    """CLAPnq's spaced-out punctuation, as people write it."""
    text = re.sub(r"\s+([.,;:?!%)\]]|'s\b|n't\b|'(?=\s|$))", r"\1", text)
    text = text.replace("`` ", '"').replace(" ''", '"').replace(" - ", "-")
    return re.sub(r"([(\[$£])\s+", r"\1", text)


def load_clapnq(folder: Path, held: bool, documents: list[Document], questions: list[Question]) -> None:
    """Add one half of the questions with their passages (no passage is in both halves)."""
    lines = (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    corpus = {d["id"]: d for d in map(json.loads, lines)}
    for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        q = json.loads(line)
        if clapnq_half(q["id"]) != held:
            continue
        passage = corpus[(q["gold_ids"] or q["related_ids"])[0]]
        raw = tuple(passage.get("sentences") or sentences_of(passage["text"]))
        gold_texts = {s["text"].strip() for s in q["gold_spans"]}
        gold = tuple(n for n, s in enumerate(raw) if s.strip() in gold_texts)
        if q["answerable"] and not gold:
            continue
        document = Document(passage["title"], tuple(detokenised(s) for s in raw), q["id"])
        questions.append(Question(q["id"], q["question"], len(documents), (), gold))
        documents.append(document)


def window_around(rng: random.Random, sentences: list[str], centre: int, words: int) -> tuple[int, int]:
    """A run of whole sentences with ``centre`` somewhere in it, grown to about ``words`` words."""
    first, last = centre, centre + 1
    size = len(sentences[centre].split())
    while size < words and (first > 0 or last < len(sentences)):
        if first > 0 and (last == len(sentences) or rng.random() < 0.5):
            first -= 1
            size += len(sentences[first].split())
        else:
            size += len(sentences[last].split())
            last += 1
    return first, last


def windows_of(sentences: tuple[str, ...], words: int = 75) -> list[tuple[int, int]]:
    """Cut a document as an index does: runs of whole sentences, one sentence shared."""
    out, first = [], 0
    while first < len(sentences):
        last, size = first, 0
        while last < len(sentences) and (last == first or size < words):
            size += len(sentences[last].split())
            last += 1
        out.append((first, last))
        if last == len(sentences):
            break
        first = max(first + 1, last - 1)
    return out
