"""Embedders by name: the model that ships, any server with OpenAI's protocol, or one of FastEmbed's models."""

from __future__ import annotations

from index.embedding import Embedder, MiniLM
from index.errors import EmbedderError

FORMS = "`minilm`, `openai:MODEL` or `fastembed:MODEL`"


def make_embedder(
    name: str = "minilm", *, base_url: str | None = None, api_key: str | None = None
) -> Embedder:
    """Return the embedder of a name; nothing is loaded, downloaded or asked before its first text.

    Args:
        name: `minilm`, the model that ships; `openai:MODEL`, a model of OpenAI's or of any server with
            its protocol; or `fastembed:MODEL`, which FastEmbed downloads once and runs here.
        base_url: Address of the server, mostly ending in `/v1`; OpenAI's own when None. Only for `openai:`.
        api_key: Key for the server; it is sent there and shown nowhere. Only for `openai:`.

    Raises:
        EmbedderError: If there is no such embedder, the address is none, or OpenAI's key is missing.
    """
    kind, _, model = name.partition(":")
    if name == "minilm":
        return MiniLM()
    if kind == "openai" and model:
        from index.embedders.remote import RemoteEmbedder

        return RemoteEmbedder(model, base_url=base_url, api_key=api_key)
    if kind == "fastembed" and model:
        from index.embedders.fastembed import FastEmbedder

        return FastEmbedder(model)
    raise EmbedderError(f"There is no embedder {name!r}: it is one of {FORMS}.")
