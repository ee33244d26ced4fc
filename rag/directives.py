"""Sentences in documents that tell whoever answers what to do, instead of telling something.

They are kept from a model and cannot support a claim. What matters is that the sentence speaks about
instructions, prompts or the answer itself; commands on any other matter, as in a manual, are left alone.
"""

from __future__ import annotations

import re

_OUTPUT = r"(?:answers?|reply|replies|response|responses|output|summary|summaries)"
_directive = re.compile(
    r"\b(?:ignore|disregard|forget|override|overlook|bypass)\b.{0,40}\b(?:instructions?|directions?|prompts?|rules?|"
    r"guidelines?|context|data|text|above|previous|prior|earlier|before|rest)\b"
    r"|\b(?:new|following|updated|real|actual|hidden|secret)\s+(?:instructions?|directives?|task)\b"
    r"|\b(?:system|developer)\s+(?:prompt|message|notice|note|instructions?|override)\b"
    rf"|\b(?:in|to|of|with|end|begin|start|change|finish)\s+(?:your|the)\s+(?:final\s+)?{_OUTPUT}\b"
    rf"|\byour\s+(?:final\s+)?{_OUTPUT}\b"
    r"|\b(?:answer|reply|respond|output|print|say|write|return|repeat)\s+(?:only|exactly|just|nothing|instead|back)\b"
    r"|^\W*(?:now\s+|then\s+|instead\s+|please\s+)*(?:answer|reply|respond|output|print|say)\b.{0,20}(?:[\"“'‘:]|\bwith\b|\bas\b|\b[A-Z]{4,}\b)"
    r"|\b(?:print|output|phrase|write|give)\s+(?:out\s+)?(?:your\s+|the\s+)?response\b"
    r"|\b(?:when|if|whenever)\s+(?:you\s+)?(?:are\s+)?(?:asked|summari[sz]e|summari[sz]ing|answer|answering|quote|quoting|respond|responding)\b.{0,60}\b"
    r"(?:add|say|include|append|mention|insert|reply|respond|output|print|answer|write|link)\b"
    r"|\b(?:and|then|instead|must|should|only|please)\s+(?:output|print|reply|respond|report|state|say|write)\s*:"
    r"|\bnote\s+(?:to|for)\s+(?:\w+\s+){0,3}(?:software|systems?|models?|agents?|parsers?|bots?|screeners?|ai)\b"
    r"|\bdo\s+not\s+(?:mention|reveal|disclose)\s+(?:this|these|that)\b"
    r"|<!--|-->|</?(?:context|system|user|assistant|instructions?|passages?|document)>|<\|\w+\|>|\[/?INST\]"
    r"|^\W*(?:system|assistant|user|developer)\s*:"
    r"|\byou\s+are\s+(?:now\s+)?(?:an?\s+)?(?:ai|chatbot|assistant|language\s+model|chatgpt|gpt)\b"
    r"|\b(?:as|dear|attention|note\s+to(?:\s+the)?)\s+(?:an?\s+)?(?:ai|llm|language\s+models?|chatbots?|assistants?)\b",
    re.IGNORECASE | re.DOTALL,
)


def is_directive(sentence: str) -> bool:
    """Whether a sentence tells whoever answers a question what to do."""
    return bool(_directive.search(sentence))
