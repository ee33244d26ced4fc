"""A folder of documents that changes, with questions whose right answers are known at every moment.

Every document is about one *subject* and has several paragraphs, each a chunk of its own, each stamped
with subject, version and place. No version is written twice, so every text tells when it was true.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from index import Index, ScoredChunk
from index.embedding import Kind, Vectors
from tests.finding import candidates

PARAGRAPHS = 4
BACKWARDS = "¿"
"""A query that begins so is embedded as if it were spelt backwards."""
LIMIT = 10
"""So many chunks each search is asked for: more than a subject has."""
SYLLABLES = ["ba", "do", "fi", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "xa", "ze"]

_stamp = re.compile(r"subject(\d+) version(\d+) place(\d+)")


def word(seed: str) -> str:
    """A word of no language, always the same for the same seed."""
    number = zlib.crc32(seed.encode())
    return "".join(SYLLABLES[number >> shift & 15] for shift in range(0, 20, 4))


def question(subject: int) -> str:
    """A question that the document of this subject answers in every version."""
    return f"subject{subject} " + " ".join(word(f"{subject}/{n}") for n in range(5))


def text(subject: int, version: int) -> str:
    """A document, its first line the same in every version."""
    paragraphs = [f"On subject{subject}"]
    for place in range(PARAGRAPHS):
        filler = " ".join(word(f"{subject}/{version}/{place}/{n}") for n in range(28))
        paragraphs.append(f"{question(subject)} subject{subject} version{version} place{place} {filler}.")
    return "\n\n".join(paragraphs) + "\n"


def stamps(content: str) -> set[tuple[int, int, int]]:
    """Subject, version and place of every paragraph in a text."""
    return {(int(subject), int(version), int(place)) for subject, version, place in _stamp.findall(content)}


def versions(contents: Iterable[str]) -> set[tuple[int, int]]:
    """The subjects and versions that some texts speak of; more than one is a mix."""
    return {stamp[:2] for content in contents for stamp in stamps(content)}


class Library:
    """The folder, and what stood in it since the index was last known to equal it."""

    def __init__(self, folder: Path, size: int, seed: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.random = random.Random(seed)
        self.shelf: dict[str, int] = {}
        """The subject of each file."""
        self._written = 0
        self._past: dict[str, set[str | None]] = {}
        self._indexed: set[int] = set()
        for _ in range(size):
            self.add()

    @property
    def texts(self) -> dict[str, str]:
        """What the files hold now."""
        return {file: (self.folder / file).read_text() for file in self.shelf}

    def add(self) -> None:
        subject = self._written
        self.write(f"{word(str(subject))}/{subject}.txt", subject)

    def write(self, file: str, subject: int) -> None:
        """Put a new version of a subject into a file in one step."""
        path = self.folder / file
        path.parent.mkdir(exist_ok=True)
        partial = self.folder / ".partial"
        partial.write_text(text(subject, self._written))
        self._happens(file)
        partial.replace(path)
        self.shelf[file] = subject
        self._written += 1
        self._happens(file)

    def rename(self, file: str) -> None:
        new = f"{Path(file).parent}/r{self._written}.txt"
        self._written += 1
        self._happens(file, new)
        (self.folder / file).rename(self.folder / new)
        self.shelf[new] = self.shelf.pop(file)
        self._happens(file, new)

    def delete(self, file: str) -> None:
        self._happens(file)
        (self.folder / file).unlink()
        del self.shelf[file]
        self._happens(file)

    def change(self, count: int) -> None:
        """Add, edit, rename and delete files."""
        for _ in range(count):
            file = self.random.choice(list(self.shelf))
            match self.random.choice(["add", "edit", "edit", "rename", "delete"]):
                case "add":
                    self.add()
                case "edit":
                    self.write(file, self.shelf[file])
                case "rename":
                    self.rename(file)
                case _ if len(self.shelf) > 1:
                    self.delete(file)

    def _happens(self, *files: str) -> None:
        for file in files:
            path = self.folder / file
            self._past.setdefault(file, set()).add(path.read_text() if path.exists() else None)

    def indexed(self) -> None:
        """From now on the index is known to equal the folder."""
        self._past, self._indexed = {}, set(self.shelf.values())

    def lost(self) -> None:
        """From now on there is no index."""
        self._past, self._indexed = {file: {None, content} for file, content in self.texts.items()}, set()

    def questions(self, count: int) -> dict[int, str]:
        """Some subjects to ask about, with their files."""
        shelf = {subject: file for file, subject in self.shelf.items()}
        return {
            subject: shelf[subject] for subject in self.random.sample(sorted(shelf), min(count, len(shelf)))
        }

    def check(self, seen: Seen, *, calm: bool) -> None:
        """Of every file the index holds what stood there once since; what it finds is in its documents.

        Args:
            seen: What the index holds and finds.
            calm: Nothing was changed while a sync ran, so that no document can be absent because it had one
                name when the folder was looked through and another when it was to be read.
        """
        texts = self.texts
        for file in {*seen.documents, *texts, *self._past}:
            assert seen.documents.get(file) in self._past.get(file, {texts.get(file)}), file
        if calm:
            held = {subject for subject, _ in versions(seen.documents.values())}
            assert self._indexed & set(self.shelf.values()) <= held
        for subject in seen.by_words:
            found = seen.answers(subject)
            for file, content in found:
                assert content in seen.documents[file]
            for file in self.shelf:
                if self.shelf[file] == subject and None not in self._past.get(file, ()):
                    assert {
                        stamp for where, content in found if where == file for stamp in stamps(content)
                    } == (stamps(seen.documents[file])), file


class WitnessEmbedder:
    """A bag of words, the subject's above all, as quick as can be; what it embeds of documents it writes down, and to disk.

    Args:
        log: Where each batch becomes a line; None writes nothing.
    """

    id = "witness"
    dimensions = 384

    def __init__(self, log: Path | None = None) -> None:
        self._log = log

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, content in enumerate(texts):
            if kind == "query" and content.startswith(BACKWARDS):
                content = content[:0:-1]
            for token in content.lower().replace(".", "").split() or ["nothing"]:
                place, sign = divmod(zlib.crc32(token.encode()), 2)
                weight = 3 if token.startswith("subject") else 1
                vectors[row, place % self.dimensions] += weight if sign else -weight
            if not vectors[row].any():
                vectors[row, 0] = 1
        if self._log and kind == "document" and len(texts):
            with self._log.open("a") as log:
                log.write(json.dumps(list(texts)) + "\n")
                log.flush()
                os.fsync(log.fileno())
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def embedded(log: Path) -> list[list[str]]:
    """The batches written down so far; a line cut off by a kill does not count."""
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    return [json.loads(line) for line in lines]


Found = set[tuple[str, str]]
"""File and text of some chunks."""


class Seen(NamedTuple):
    """What a process that opens an index finds in it."""

    documents: dict[str, str]
    by_words: dict[int, Found]
    """Per subject asked about: the chunks about it in which words of the question occur."""
    by_meaning: dict[int, Found]
    """The same for a question that shares no word with any document, by its vector alone."""
    sound: dict[str, bool]

    def answers(self, subject: int) -> Found:
        return self.by_words[subject] | self.by_meaning[subject]


def look(corpus: Path, folder: Path, subjects: Iterable[int]) -> Seen:
    """Open an index, and ask without syncing first."""
    index = Index(corpus, folder, WitnessEmbedder())
    try:
        return Seen(
            {document.file: document.text for document in index.documents()},
            {subject: by_words(index, subject) for subject in subjects},
            {subject: by_meaning(index, subject) for subject in subjects},
            index.caches(),
        )
    finally:
        index.close()


def answers(index: Index, subject: int) -> Found:
    """The chunks found for a question that are about its subject."""
    return _about(subject, candidates(index, question(subject), LIMIT))


def by_words(index: Index, subject: int) -> Found:
    """Those of them in which words of the question occur."""
    return _about(subject, [each for each in candidates(index, question(subject), LIMIT) if each.bm25])


def by_meaning(index: Index, subject: int) -> Found:
    """The chunks about a subject that its question's vector finds."""
    return _about(subject, candidates(index, BACKWARDS + question(subject)[::-1], LIMIT))


def _about(subject: int, hits: Sequence[ScoredChunk]) -> Found:
    chunks = (hit.chunk for hit in hits)
    return {(c.file, c.text) for c in chunks if any(subject == about for about, *_ in stamps(c.text))}


def sync(corpus: Path, folder: Path, log: Path | None = None) -> list[str]:
    """Bring an index up to date and return in which files it still differs from the folder."""
    index = Index(corpus, folder, WitnessEmbedder(log))
    try:
        index.sync()
        return index.differences()
    finally:
        index.close()


def assert_right(seen: Seen, texts: Mapping[str, str], subjects: Mapping[int, str]) -> None:
    """What was seen is the folder, and either search alone finds the whole document about each subject."""
    assert seen.documents == texts
    for subject, file in subjects.items():
        for search, found in (("words", seen.by_words[subject]), ("meaning", seen.by_meaning[subject])):
            told = {(where, *stamp) for where, content in found for stamp in stamps(content)}
            assert told == {(file, *stamp) for stamp in stamps(texts[file])}, f"by {search}"


def fingerprint(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file of an index but the store's own."""
    found = {}
    for inside, _, names in os.walk(folder):  # Which passes over what has just gone.
        for path in (
            Path(inside, name) for name in names if not name.startswith(("store.sqlite", "writer."))
        ):
            with suppress(FileNotFoundError):
                stat = path.stat()
                found[path.relative_to(folder).as_posix()] = (stat.st_size, stat.st_mtime_ns)
    return found


def copy(index: Path, target: Path) -> Path:
    """A copy of an index folder, in place of what was there."""
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(index, target))
