"""Arguments, then the environment, then pyproject.toml, then defaults; what cannot work is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import EmbedderError
from rag import ConfigurationError, Settings, load_settings
from rag.settings import misspelt


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(folder: Path, *lines: str) -> None:
    (folder / "pyproject.toml").write_text("\n".join(["[tool.footnote]", *lines]))


def test_the_defaults_need_nothing() -> None:
    settings = load_settings()
    assert (settings.corpus, settings.index_dir, settings.chunks) == (None, None, 6)
    assert (settings.host, settings.port) == ("127.0.0.1", 7860)


def test_each_source_counts_before_the_next(working_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(working_folder, "chunks = 3", "port = 1003", 'host = "::1"')
    monkeypatch.setenv("FOOTNOTE_CHUNKS", "4")
    monkeypatch.setenv("FOOTNOTE_PORT", "1004")
    settings = load_settings(chunks=5)
    assert (settings.chunks, settings.port, settings.host) == (5, 1004, "::1")


def test_what_is_not_given_does_not_hide_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_PORT", "1004")
    assert load_settings(port=None).port == 1004


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_CORPUS", "")
    monkeypatch.setenv("FOOTNOTE_CHUNKS", "")
    assert load_settings() == Settings()
    assert load_settings().corpus is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chunks", 0),
        ("chunks", "many"),
        ("chunks", 101),
        ("port", -1),
        ("port", 65_536),
        ("chunkz", 8),
        ("corpus", 7),
    ],
)
def test_an_argument_that_cannot_work_is_named(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=rf"\b{name}\b") as raised:
        load_settings(**{name: value})
    assert repr(value) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("variable", "value"), [("FOOTNOTE_CHUNKS", "0"), ("FOOTNOTE_PORT", "web")])
def test_a_variable_that_cannot_work_is_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable.removeprefix("FOOTNOTE_").lower()):
        load_settings()


@pytest.mark.parametrize(("line", "named"), [("chunkz = 3", "chunkz"), ('port = "web"', "port")])
def test_a_line_of_the_file_that_cannot_work_is_named(line: str, named: str, working_folder: Path) -> None:
    configure(working_folder, line)
    with pytest.raises(ConfigurationError, match=named):
        load_settings()


def test_a_secret_is_never_shown(working_folder: Path) -> None:
    assert "canary" not in repr(load_settings(token="canary"))
    configure(working_folder, "token = 5551234")
    with pytest.raises(ConfigurationError, match="token") as raised:
        load_settings()
    assert "5551234" not in str(raised.value)
    assert raised.value.__suppress_context__, "a traceback would show it"


@pytest.mark.parametrize(
    "content", [b"[tool.footnote", b"[tool.footnote]\n\xff"], ids=["not TOML", "not UTF-8"]
)
def test_a_broken_file_is_named(content: bytes, working_folder: Path) -> None:
    (working_folder / "pyproject.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml"):
        load_settings()


def test_settings_of_other_tools_are_let_be(working_folder: Path) -> None:
    (working_folder / "pyproject.toml").write_text("[tool.other]\nchunks = 99\n")
    assert load_settings() == Settings()


def test_folders_of_one_name_have_different_indexes(tmp_path: Path) -> None:
    settings = load_settings()
    one, other = (
        settings.index_folder(tmp_path / "a" / "docs"),
        settings.index_folder(tmp_path / "b" / "docs"),
    )
    assert one != other
    assert one == settings.index_folder(tmp_path / "b" / ".." / "a" / "docs")


def test_the_index_goes_where_it_is_told(tmp_path: Path) -> None:
    settings = load_settings(index_dir=tmp_path / "here")
    one, other = settings.index_folder(tmp_path / "docs"), settings.index_folder(tmp_path / "more")
    assert one.parent == other.parent == tmp_path / "here"
    assert one != other


# The model's server


def test_the_model_s_server_is_set_as_other_programs_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:11434/v1")
    settings = load_settings()
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk-canary"
    assert settings.base_url == "http://localhost:11434/v1"
    assert "sk-canary" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_our_own_names_for_the_server_count_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    monkeypatch.setenv("FOOTNOTE_API_KEY", "ours")
    settings = load_settings()
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "ours"


def test_a_key_of_another_program_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "somebody's")
    monkeypatch.setenv("BASE_URL", "http://somewhere")
    assert (load_settings().api_key, load_settings().base_url) == (None, None)


@pytest.mark.parametrize(
    "address",
    ["localhost:11434", "ftp://x/v1", "http://", "http://me:sk-canary@x/v1", "http://x/v1?key=sk-canary"],
)
def test_an_address_that_cannot_work_is_named_without_what_it_holds(address: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as raised:
        load_settings(base_url=address)
    assert "sk-canary" not in str(raised.value)


# Names that are none


def test_a_variable_that_is_no_setting_is_told_with_the_nearest_that_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert misspelt() == []
    monkeypatch.setenv("FOOTNOTE_CHUNKS", "3")
    monkeypatch.setenv("FOOTNOTE_CHROMAURL", "http://localhost")
    monkeypatch.setenv("footnote_gate", "eager")
    monkeypatch.setenv("FOOTNOTE_QQQQ", "sk-canary")
    assert misspelt() == [
        "There is no setting FOOTNOTE_CHROMAURL: did you mean FOOTNOTE_CHROMA_URL?",
        "There is no setting FOOTNOTE_QQQQ: it does nothing.",
    ]


# What turns texts into vectors


def test_the_embedder_that_ships_needs_nothing() -> None:
    assert load_settings().make_embedder() is None


def test_an_embedder_that_does_not_exist_is_named() -> None:
    with pytest.raises(EmbedderError, match="word2vec"):
        load_settings(embedder="word2vec").make_embedder()


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, ("http://models:1/v1", "sk-model")),
        ({"embedder_url": "http://vectors:1/v1"}, ("http://vectors:1/v1", None)),
        (
            {"embedder_url": "http://vectors:1/v1", "embedder_key": "sk-vec"},
            ("http://vectors:1/v1", "sk-vec"),
        ),
        ({"embedder_key": "sk-vec"}, ("http://models:1/v1", "sk-vec")),
    ],
)
def test_a_key_goes_only_to_the_server_it_is_for(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sent: tuple[str, str | None]
) -> None:
    made: list[object] = []
    monkeypatch.setattr(
        "index.make_embedder", lambda name, *, base_url, api_key: made.append((base_url, api_key))
    )
    settings = load_settings(
        embedder="openai:any", base_url="http://models:1/v1", api_key="sk-model", **given
    )
    settings.make_embedder()
    assert made == [sent]


@pytest.mark.parametrize("name", ["base_url", "embedder_url", "chroma_url"])
@pytest.mark.parametrize(
    "value", ["localhost:8000", "http://user:sk-canary@host", "http://host?key=sk-canary"]
)
def test_an_address_that_is_none_or_holds_a_key_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as raised:
        load_settings(**{name: value})
    assert "sk-canary" not in str(raised.value)
