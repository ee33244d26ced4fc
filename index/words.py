"""Search by words: BM25 in Tantivy, a cache of the store.

A chunk's text is indexed with its title. Readers in this and other processes may search while the
one writer commits; they see the last commit. A small marker file says which chunks and removals of the
store are in it, and the checksums of Tantivy's files, which it never changes once they are written.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tantivy

from index.errors import StoreError
from index.files import checksum, pass_on, read_marker, write_marker
from index.store import Store
from index.text import content_terms, new_analyzer, plain_analyzer, searchable, terms

ANALYZER, SPELLING = "footnote", "footnote-spelling"
WRITER_HEAP = 50_000_000
FORMAT = 4
"""Raised whenever the same chunks would be indexed differently."""
LAST = 2**62
"""Above every chunk's id."""
SEGMENT_FILES = {".term", ".idx", ".pos", ".store", ".fast", ".fieldnorm", ".del"}
DEAD = 10
"""One chunk in so many may be a removed one, which no search finds but BM25 still counts as a document."""

Answer = TypeVar("Answer")


class WordIndex:
    """The words of all chunks.

    Args:
        folder: Where the cache lives; it may be missing.
        store: What it is made from.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        self._marker_file = folder / "current.json"
        self._intact: dict[str, int] = {}
        self._lock = threading.Lock()
        self._open()

    def _open(self) -> None:
        with self._lock:
            self._marker = read_marker(self._marker_file)
            self._index = self._opened(self._folder / str(self._marker.get("generation")))

    def _opened(self, generation: Path) -> tantivy.Index | None:
        known = self._marker.get("format") == FORMAT and self._store.remembers(self._marker.get("revision"))
        if not known or not generation.is_dir():
            return None
        try:
            self._check(generation)
            return _registered(tantivy.Index.open(str(generation)))
        except BaseException as error:  # noqa: BLE001
            pass_on(error)
            return None

    def _check(self, generation: Path) -> None:
        """Compare the files with their checksums, each once; Tantivy itself takes them as they are."""
        expected: dict[str, int] = self._marker["files"]
        there = {file.name for file in generation.iterdir()}
        # A later commit may have taken some away; then its marker is there, or will be in a moment.
        if not there.issuperset(expected) and read_marker(self._marker_file) == self._marker:
            raise ValueError(f"{generation} lacks some of its files")
        for name in there & expected.keys() - self._intact.keys():
            file = generation / name
            if file.exists() and checksum(file) != expected[name]:
                raise ValueError(f"{file} is damaged")
        self._intact = expected

    def _ask(
        self, question: Callable[[tantivy.Searcher, tantivy.Schema], Answer], otherwise: Answer
    ) -> Answer:
        """What the index answers; without one, or when it turns out damaged, the given answer."""
        index = self._index
        if index is None:
            return otherwise
        try:
            return question(index.searcher(), index.schema)
        except BaseException as error:  # noqa: BLE001
            pass_on(error)
            self._index = None
            return otherwise

    @property
    def sound(self) -> bool:
        """Whether there is an index of the store's present content."""
        followed = self._marker.get("chunk"), self._marker.get("removal")
        return self._index is not None and followed == (self._store.last_chunk, self._store.last_removal)

    def reload(self) -> None:
        """See what another writer has committed since."""
        self._open()

    def search(self, query: str, k: int) -> list[tuple[int, float]]:
        """Return at most k chunk ids with their BM25 scores, best first; empty when no word occurs."""
        words = _words(query)
        nothing: list[tuple[int, float]] = []
        return self._ask(lambda searcher, schema: _hits(searcher, _any(schema, words), k), nothing)

    def scores(self, query: str, chunk_ids: Sequence[int]) -> dict[int, float]:
        """Return the BM25 scores of given chunks; those in which no word occurs are left out."""
        words = _words(query)
        nothing: list[tuple[int, float]] = []

        def among(searcher: tantivy.Searcher, schema: tantivy.Schema) -> list[tuple[int, float]]:
            # A query for each chunk: Tantivy's query for a set of terms goes through all terms there are.
            those = [_unscored(schema, chunk_id) for chunk_id in chunk_ids]
            both = [(tantivy.Occur.Must, _either(those)), (tantivy.Occur.Must, _any(schema, words))]
            return _hits(searcher, tantivy.Query.boolean_query(both), len(chunk_ids))

        return dict(self._ask(among, nothing)) if chunk_ids else {}

    def frequencies(self, words: Iterable[str]) -> dict[str, int]:
        """Return in how many chunks each term (see `index.text.terms`) occurs."""
        return {word: self._frequency("text", word) for word in words}

    def occurs(self, word: str) -> bool:
        """Return whether a word, in lower case, occurs as it is spelt."""
        return self._frequency("spelling", word) > 0

    def _frequency(self, field: str, word: str) -> int:
        def count(searcher: tantivy.Searcher, schema: tantivy.Schema) -> int:
            found: Any = searcher.search(_term(schema, field, word), limit=1)
            return int(found.count)

        return self._ask(count, 0)

    def starting_with(self, prefix: str) -> list[tuple[str, int]]:
        """Return the words, as they are spelt, that begin so, each with the number of its chunks."""
        # Without a filter the words of removed chunks would be among them.
        present = tantivy.Query.all_query()
        return self._ask(
            lambda searcher, _: searcher.terms_with_prefix("spelling", prefix, filter_query=present), []
        )

    def follow(self) -> None:
        """Take over what has changed in the store since; only the one writer may call this.

        Raises:
            StoreError: If the folder cannot be written.
        """
        if self.sound:
            return
        removed = self._store.removed_after(self._marker["removal"]) if self._index else None
        if removed is not None:
            dead = self._marker["dead"] + len(removed)
            if dead * DEAD <= self._store.counts()["chunks"] and self._changed(removed, dead):
                return
        self.rebuild()

    def _changed(self, removed: Sequence[int], dead: int) -> bool:
        """Whether the present index could be brought up to date."""
        assert self._index is not None
        last = self._marker["chunk"]
        try:
            writer = self._index.writer(WRITER_HEAP, 1)
            # What a crash left behind a commit that no marker tells of would be there twice. By query: the
            # writer's deletion by term takes a number for a signed one and finds nothing.
            writer.delete_documents_by_query(_above(self._index.schema, last))
            writer.delete_documents_by_query(_among(self._index.schema, removed))
            self._fill(writer, last, self._marker["generation"], dead)
        except BaseException as error:  # noqa: BLE001
            pass_on(error)
            self._index = None
        return self._index is not None

    def rebuild(self) -> None:
        """Make the index anew from the store; the old one answers until the new one is whole.

        Raises:
            StoreError: If its folder cannot be written.
        """
        generation = uuid.uuid4().hex
        try:
            (self._folder / generation).mkdir(parents=True)
            index = _registered(tantivy.Index(_schema(), str(self._folder / generation)))
            self._fill(index.writer(WRITER_HEAP, 1), 0, generation, 0)
        except BaseException as error:
            pass_on(error)
            raise StoreError(f"The word index {self._folder} cannot be written: {error}.") from error
        for other in self._folder.iterdir():
            if other.is_dir() and other.name != generation:
                shutil.rmtree(other, ignore_errors=True)

    def _fill(self, writer: tantivy.IndexWriter, last: int, generation: str, dead: int) -> None:
        """Add the chunks above `last`, commit, and publish that by a new marker."""
        marker = {
            "format": FORMAT,
            "generation": generation,
            "revision": self._store.revision,
            "chunk": self._store.last_chunk,
            "removal": self._store.last_removal,
            "dead": dead,
        }
        for chunk_id, title, text in self._store.chunks_after(last):
            writer.add_document(_entry(chunk_id, title, text))
        writer.commit()
        writer.wait_merging_threads()
        files = self._folder / generation
        written = [file for file in files.iterdir() if file.suffix in SEGMENT_FILES]
        self._intact = {file.name: self._intact.get(file.name) or checksum(file) for file in written}
        write_marker(self._marker_file, marker | {"files": self._intact})
        self._open()


def _words(query: str) -> list[str]:
    """The query's words; its function words count only when it has no others."""
    return list(dict.fromkeys(content_terms(query) or terms(query)))


def _term(schema: tantivy.Schema, field: str, word: str) -> tantivy.Query:
    return tantivy.Query.term_query(schema, field, word)


def _any(schema: tantivy.Schema, words: Sequence[str]) -> tantivy.Query:
    """Chunks in which any of the words occurs."""
    return _either([_term(schema, "text", word) for word in words])


def _unscored(schema: tantivy.Schema, chunk_id: int) -> tantivy.Query:
    return tantivy.Query.const_score_query(tantivy.Query.term_query(schema, "chunk", chunk_id), 0.0)


def _either(queries: Iterable[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def _among(schema: tantivy.Schema, chunk_ids: Sequence[int]) -> tantivy.Query:
    return tantivy.Query.term_set_query(schema, "chunk", list(chunk_ids))


def _above(schema: tantivy.Schema, chunk_id: int) -> tantivy.Query:
    kind = tantivy.FieldType.Unsigned
    return tantivy.Query.range_query(schema, "chunk", kind, chunk_id, LAST, include_lower=False)


def _hits(searcher: tantivy.Searcher, query: tantivy.Query, k: int) -> list[tuple[int, float]]:
    hits = searcher.search(query, limit=k, count=False).hits
    found = [(int(searcher.doc(address)["chunk"][0]), float(score)) for score, address in hits]
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))


def _entry(chunk_id: int, title: str, text: str) -> tantivy.Document:
    entry = tantivy.Document()
    entry.add_unsigned("chunk", chunk_id)
    content = searchable(f"{title}\n{text}")
    entry.add_text("text", content)
    entry.add_text("spelling", content)
    return entry


def _schema() -> tantivy.Schema:
    schema = tantivy.SchemaBuilder()
    schema.add_unsigned_field("chunk", stored=True, indexed=True)
    schema.add_text_field("text", tokenizer_name=ANALYZER, index_option="freq")
    schema.add_text_field("spelling", tokenizer_name=SPELLING, index_option="basic")
    return schema.build()


def _registered(index: tantivy.Index) -> tantivy.Index:
    index.register_tokenizer(ANALYZER, new_analyzer(content_only=False))
    index.register_tokenizer(SPELLING, plain_analyzer())
    return index
