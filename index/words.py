"""Search by words: BM25 in Tantivy, a cache of the store.

A chunk's text is indexed with its title. Readers in this and other processes may search while the
one writer commits; they see the last commit.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import tantivy

from index.files import read_marker, write_marker
from index.store import Store
from index.text import content_terms, new_analyzer, plain_analyzer, searchable, terms

ANALYZER, SPELLING = "footnote", "footnote-spelling"
WRITER_HEAP = 50_000_000
FORMAT = 2
"""Raised whenever the same chunks would be indexed differently."""


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
        self._open()

    def _open(self) -> None:
        self._marker = read_marker(self._marker_file)
        self._index = self._opened(self._folder / str(self._marker.get("generation")))

    def _opened(self, generation: Path) -> tantivy.Index | None:
        if self._marker.get("format") != FORMAT or not generation.is_dir():
            return None
        try:
            index = tantivy.Index.open(str(generation))
        except (ValueError, OSError):
            return None
        return _registered(index)

    @property
    def sound(self) -> bool:
        """Whether there is an index of the store's present content."""
        return self._index is not None and self._marker.get("revision") == self._store.revision

    def reload(self) -> None:
        """See what another writer has committed since."""
        self._open()

    def search(self, query: str, k: int) -> list[tuple[int, float]]:
        """Return at most k chunk ids with their BM25 scores, best first; empty when no word occurs."""
        parsed = self._parse(query)
        return self._hits(parsed, k) if parsed else []

    def scores(self, query: str, chunk_ids: Sequence[int]) -> dict[int, float]:
        """Return the BM25 scores of given chunks; those in which no word occurs are left out."""
        parsed = self._parse(query)
        if not parsed or not chunk_ids:
            return {}
        assert self._index is not None
        among = tantivy.Query.term_set_query(self._index.schema, "chunk", list(chunk_ids))
        unscored = tantivy.Query.const_score_query(among, 0.0)
        both = tantivy.Query.boolean_query([(tantivy.Occur.Must, unscored), (tantivy.Occur.Must, parsed)])
        return dict(self._hits(both, len(chunk_ids)))

    def frequencies(self, words: Iterable[str]) -> dict[str, int]:
        """Return in how many chunks each term (see `index.text.terms`) occurs."""
        if self._index is None:
            return dict.fromkeys(words, 0)
        searcher = self._index.searcher()
        return {word: searcher.doc_freq("text", word) for word in words}

    def occurs(self, word: str) -> bool:
        """Return whether a word, in lower case, occurs as it is spelt."""
        return self._index is not None and self._index.searcher().doc_freq("spelling", word) > 0

    def starting_with(self, prefix: str) -> list[tuple[str, int]]:
        """Return the words, as they are spelt, that begin so, each with the number of its chunks."""
        if self._index is None:
            return []
        return self._index.searcher().terms_with_prefix("spelling", prefix)

    def _parse(self, query: str) -> tantivy.Query | None:
        """Any of the query's words; its function words count only when it has no others."""
        words = list(dict.fromkeys(content_terms(query) or terms(query)))
        if self._index is None or not words:
            return None
        schema = self._index.schema
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", word)) for word in words]
        )

    def _hits(self, query: tantivy.Query, k: int) -> list[tuple[int, float]]:
        assert self._index is not None
        searcher = self._index.searcher()
        hits = searcher.search(query, limit=k, count=False).hits
        found = [(int(searcher.doc(address)["chunk"][0]), float(score)) for score, address in hits]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def update(self, before: str, removed: Sequence[int], added: Sequence[int]) -> None:
        """Follow a change of the store; only the one writer may call this.

        Args:
            before: The store's revision before the change. If the index is not of that revision, it
                is made anew.
            removed: Ids of the chunks that are gone.
            added: Ids of the chunks that came.
        """
        if self._index is None or self._marker.get("revision") != before:
            self.rebuild()
            return
        writer = self._index.writer(WRITER_HEAP, 1)
        for chunk_id in removed:
            writer.delete_documents_by_term("chunk", chunk_id)
        for chunk, _ in self._store.chunks(added).values():
            writer.add_document(_entry(chunk.id, chunk.title, chunk.text))
        self._commit(writer, self._marker["generation"])

    def rebuild(self) -> None:
        """Make the index anew from the store; the old one answers until the new one is whole."""
        generation = uuid.uuid4().hex
        (self._folder / generation).mkdir(parents=True)
        schema = tantivy.SchemaBuilder()
        schema.add_unsigned_field("chunk", stored=True, indexed=True)
        schema.add_text_field("text", tokenizer_name=ANALYZER, index_option="freq")
        schema.add_text_field("spelling", tokenizer_name=SPELLING, index_option="basic")
        index = tantivy.Index(schema.build(), str(self._folder / generation))
        _registered(index)
        writer = index.writer(WRITER_HEAP, 1)
        for chunk_id, title, text in self._store.chunk_texts():
            writer.add_document(_entry(chunk_id, title, text))
        self._commit(writer, generation)

    def _commit(self, writer: tantivy.IndexWriter, generation: str) -> None:
        writer.commit()
        writer.wait_merging_threads()
        revision = self._store.revision
        write_marker(self._marker_file, {"format": FORMAT, "generation": generation, "revision": revision})
        for other in self._folder.iterdir():
            if other.is_dir() and other.name != generation:
                shutil.rmtree(other, ignore_errors=True)
        self._open()


def _entry(chunk_id: int, title: str, text: str) -> tantivy.Document:
    entry = tantivy.Document()
    entry.add_unsigned("chunk", chunk_id)
    content = searchable(f"{title}\n{text}")
    entry.add_text("text", content)
    entry.add_text("spelling", content)
    return entry


def _registered(index: tantivy.Index) -> tantivy.Index:
    index.register_tokenizer(ANALYZER, new_analyzer(content_only=False))
    index.register_tokenizer(SPELLING, plain_analyzer())
    return index
