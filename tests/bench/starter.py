"""Whole indexing and querying against the plain LlamaIndex and Chroma starter.

The starter is the documented one: SimpleDirectoryReader, SentenceSplitter, ChromaVectorStore and VectorStoreIndex,
all with their defaults, and the same MiniLM weights through sentence-transformers on PyTorch (fp32). Its chunks
have up to 1,024 tokens, of which these weights see the first 256; so it is also measured with chunks of 256,
without overlap. A fact is *found* when a chunk that states it is among the first
eight. The texts are made up, one fact in each.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median

from rag import Assistant
from tests.bench import library
from tests.bench.processes import alone, seconds
from tests.bench.results import Row

PARAGRAPHS = 10
FACTS = 100
TOP = 8
SMALL = {"chunk_size": 256, "chunk_overlap": 0}
Search = Callable[[str], list[str]]


def measure(files: int) -> list[Row]:
    """Return one row each for Footnote and the starters, over so many files."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        library.write(corpus, files, PARAGRAPHS)
        runs = {
            "LlamaIndex and Chroma": alone(starter, corpus, Path(folder, "chroma"), {}),
            "the same, chunks of 256 tokens": alone(starter, corpus, Path(folder, "small"), SMALL),
            "Footnote": alone(footnote, corpus, Path(folder, "index")),
        }
    (slowest, *_), _ = runs["the same, chunks of 256 tokens"]
    return [
        {
            "of": f"{files:,} files: {name}",
            "indexing s": indexing,
            "of the small chunks'": indexing / slowest,
            "query p50 ms": query,
            "facts found": found,
            "chunks": chunks,
            "most memory MB": peak,
        }
        for name, ((indexing, query, found, chunks), peak) in runs.items()
    ]


def footnote(corpus: Path, folder: Path) -> tuple[float, float, float, int]:
    """Index a folder with Footnote and ask for the facts."""
    bot = Assistant(corpus, index_dir=folder)
    taken = seconds(bot.sync)
    asked = _asked(corpus, lambda query: [one.chunk.text for one in bot.retrieve(query, TOP)])
    return taken, *asked, bot.ready().counts()["chunks"]


def starter(corpus: Path, folder: Path, splitting: dict[str, int]) -> tuple[float, float, float, int]:
    """Do the same with LlamaIndex and Chroma as their documentation shows it."""
    import chromadb
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.chroma import ChromaVectorStore

    from index.minilm import model_folder

    model = HuggingFaceEmbedding(model_name=str(model_folder()), device="cpu")
    collection = chromadb.PersistentClient(path=folder).create_collection("starter")

    def build() -> VectorStoreIndex:
        store = StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection))
        documents = SimpleDirectoryReader(str(corpus), recursive=True).load_data()
        splitter = SentenceSplitter(**splitting)
        return VectorStoreIndex.from_documents(
            documents, storage_context=store, embed_model=model, transformations=[splitter]
        )

    built: list[VectorStoreIndex] = []
    taken = seconds(lambda: built.append(build()))
    retriever = built[0].as_retriever(similarity_top_k=TOP)
    asked = _asked(corpus, lambda query: [node.text for node in retriever.retrieve(query)])
    return taken, *asked, collection.count()


def _asked(corpus: Path, search: Search) -> tuple[float, float]:
    """Median milliseconds of a query, and the share of facts that are found."""
    files = sum(1 for _ in corpus.glob("*/*.txt"))
    asked = [library.question(number * files // FACTS % files) for number in range(FACTS)]
    search(asked[0][0])
    times, found = [], []
    for query, person in asked:
        texts: list[str] = []
        times.append(1000 * seconds(lambda q=query, texts=texts: texts.extend(search(q))))
        found.append(any(person in text for text in texts))
    return median(times), mean(found)
