"""Names are found by their capitals, and a capital that only opens a sentence is doubted."""

from __future__ import annotations

import pytest

from rag.names import names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Did Ann Lee, I think, leave the Bank of Norway's house in the U.S. in May?",
            "Ann Lee|Bank of Norway|U.S.|May",
        ),
        ("Zoë O’Neill met Émile’s son. Then Vik came.", "Zoë O’Neill|Émile|Vik"),
        ("Who? Yes. Tell me, I'm here.", ""),
        ("no capitals", ""),
        ("東京はどこですか", ""),
        ("", ""),
    ],
)
def test_runs_of_capitals_are_names(text: str, found: str) -> None:
    assert "|".join(name.text for name in names(text)) == found
    assert all(text[name.start : name.end] == name.text for name in names(text))


def test_one_capital_that_opens_a_sentence_is_not_sure() -> None:
    assert [(name.text, name.sure) for name in names("Boats left. Berg, a builder, saw Vik.")] == [
        ("Boats", False),
        ("Berg", True),
        ("Vik", True),
    ]
