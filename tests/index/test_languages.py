"""A folder in several languages, searched by words alone."""

from __future__ import annotations

import pytest

from index.words import WordIndex
from tests.index.stores import open_store, put

TEXTS = {
    "ja/moon.txt": "探査機は六月三日に月面へ着陸した。着陸地点は南極の近くである。",
    "ja/lake.txt": "湖の水位は昨年より三十センチ下がった。漁師は困っている。",
    "zh/bridge.txt": "新大桥于去年十月通车，全长五十公里。司机不用再等渡轮。",
    "ko/train.txt": "새 열차는 서울과 부산을 두 시간에 잇는다.",
    "en/moon.txt": "The probe touched down on the moon in June. Its batteries lasted two weeks.",
    "de/bridge.txt": "Die neue Brücke wurde im Oktober eröffnet. Straßen führen über sie.",
    "ja/width.txt": "ＡＩ学習の費用は約１２０億円、ｶﾞｲﾄﾞも公開された。",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[WordIndex, dict[int, str]]:
    folder = tmp_path_factory.mktemp("languages")
    store = open_store(folder)
    files = dict(zip(put(store, TEXTS), TEXTS, strict=True))
    words = WordIndex(folder / "words", store)
    words.rebuild()
    return words, files


@pytest.mark.parametrize(
    ("query", "file"),
    [
        ("探査機はいつ月面に着陸しましたか", "ja/moon.txt"),
        ("湖の水位はどのくらい下がりましたか", "ja/lake.txt"),
        ("大桥什么时候通车", "zh/bridge.txt"),
        ("열차는 서울과", "ko/train.txt"),
        ("when did the probe touch down on the moon", "en/moon.txt"),
        ("Wann wurde die neue Brucke eröffnet", "de/bridge.txt"),
        ("AI学習 120億円", "ja/width.txt"),
        ("ガイド公開", "ja/width.txt"),
    ],
)
def test_a_fact_is_found_by_its_words_in_any_language(
    found: tuple[WordIndex, dict[int, str]], query: str, file: str
) -> None:
    words, files = found
    assert files[words.search(query, 5)[0][0]] == file
