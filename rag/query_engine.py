"""The assistant as a LlamaIndex query engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.types import Answer


class AssistantQueryEngine(BaseQueryEngine):
    """Answers LlamaIndex queries with an assistant.

    The response's text is `Answer.text`, its source nodes are the cited quotes in order of their
    numbers, and its metadata is `Answer.to_dict()`.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        super().__init__(callback_manager=None)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}

    def _query(self, query_bundle: QueryBundle) -> Response:
        return _response(self._assistant.ask(query_bundle.query_str))

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return _response(await self._assistant.aask(query_bundle.query_str))


def _response(answer: Answer) -> Response:
    nodes = [
        NodeWithScore(
            node=TextNode(
                text=citation.quote,
                start_char_idx=citation.start,
                end_char_idx=citation.end,
                metadata={"file": citation.file, "title": citation.title, "number": citation.number},
            ),
            score=answer.confidence,
        )
        for citation in answer.citations
    ]
    return Response(answer.text, source_nodes=nodes, metadata=answer.to_dict())
