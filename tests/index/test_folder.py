from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import folder as module
from index import loaders
from index.errors import CorpusError, LoadError
from index.folder import Entry, read, walk
from tests.index.strategies import LAW


def write(root: Path, *files: str, text: str = "The zebra sleeps.") -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)


def names(root: Path) -> list[str]:
    return [entry.file for entry in walk(root)]


def problems(root: Path) -> dict[str, str]:
    return {entry.file: entry.problem for entry in walk(root) if entry.problem}


# What is met


def test_every_file_is_met_once_in_the_order_of_its_name(corpus: Path) -> None:
    write(corpus, "b.txt", "a/z.txt", "a/y/deep.txt", "a.txt", "a-b.txt", "a0.txt", "é.txt", "B.txt")
    found = names(corpus)
    assert found == sorted(found)
    assert set(found) == {
        "b.txt", "a/z.txt", "a/y/deep.txt", "a.txt", "a-b.txt", "a0.txt", "é.txt", "B.txt"
    }  # fmt: skip


def test_an_entry_says_what_tells_one_version_from_another(corpus: Path) -> None:
    write(corpus, "a.txt")
    stat = (corpus / "a.txt").stat()
    assert list(walk(corpus)) == [Entry("a.txt", 17, stat.st_mtime_ns, stat.st_ctime_ns)]


def test_an_empty_folder_has_nothing(corpus: Path) -> None:
    (corpus / "empty" / "er").mkdir(parents=True)
    assert names(corpus) == []


def test_a_folder_reached_by_a_link_is_the_folder(corpus: Path, tmp_path: Path) -> None:
    write(corpus, "a.txt")
    (tmp_path / "link").symlink_to(corpus)
    assert list(walk(tmp_path / "link")) == list(walk(corpus))


@pytest.fixture
def deep(corpus: Path) -> Iterator[Callable[[str, int], None]]:
    """Makes folders one in another; they are removed here, for pytest would not get to the bottom."""

    def make(name: str, levels: int) -> None:
        here = os.open(corpus, os.O_RDONLY)
        for _ in range(levels):
            os.mkdir(name, dir_fd=here)
            here, above = os.open(name, os.O_RDONLY, dir_fd=here), here
            os.close(above)
        os.close(here)

    yield make
    subprocess.run(["rm", "-rf", corpus], check=True)


def test_folders_may_lie_deeper_than_python_calls(corpus: Path, deep: Callable[[str, int], None]) -> None:
    deep("d", 1500)
    assert names(corpus) == []


def test_a_path_too_long_for_the_system_is_listed(corpus: Path, deep: Callable[[str, int], None]) -> None:
    deep("d" * 200, 30)
    assert [reason for reason in problems(corpus).values() if "too long" in reason]


@pytest.mark.parametrize(
    "name", ["new\nline.txt", "😀.txt", "\u202etxt.evil.txt", "<b>.txt", "x" * 251 + ".txt"]
)
def test_an_odd_name_is_a_name(corpus: Path, name: str) -> None:
    write(corpus, name)
    (entry,) = walk(corpus)
    assert (entry.file, entry.problem) == (name, None)
    assert read(corpus, entry)[0] == b"The zebra sleeps."


def test_names_that_differ_only_in_their_accents_code_are_two(corpus: Path) -> None:
    write(corpus, "é.txt", "e\u0301.txt")
    assert len(names(corpus)) == 2


# What is passed over


def test_hidden_things_clutter_and_caches_are_passed_over(corpus: Path) -> None:
    write(corpus, "a.txt", ".env", ".git/config", "deep/.hidden/x.txt", "~$a.docx", "Thumbs.db")
    write(corpus, "node_modules/x/README.md", "src/__pycache__/x.txt")
    write(corpus, "venv/pyvenv.cfg", "venv/lib/x.txt", "cache/CACHEDIR.TAG", "cache/x/y.txt")
    assert names(corpus) == ["a.txt"]


@pytest.mark.parametrize("ignore", [".gitignore", ".ignore", ".footnoteignore"])
def test_patterns_hold_for_their_folder_and_below(corpus: Path, ignore: str) -> None:
    write(corpus, "a.txt", "a.log", "sub/b.log", "sub/build/b.txt", "build/c.txt", "other/top.txt", "top.txt")
    write(corpus, ignore, text="# comment\n\n*.log\n/build/\n/top.txt\n")
    assert names(corpus) == ["a.txt", "other/top.txt", "sub/build/b.txt"]


def test_a_deeper_pattern_overrules_and_a_later_file_has_the_last_word(corpus: Path) -> None:
    write(corpus, "a.log", "sub/b.log", "sub/c.log", "node_modules/x.txt")
    write(corpus, ".gitignore", text="*.log\n")
    write(corpus, ".footnoteignore", text="!a.log\n!node_modules/\n")
    write(corpus, "sub/.gitignore", text="!b.log\n")
    assert names(corpus) == ["a.log", "node_modules/x.txt", "sub/b.log"]


def test_what_lies_in_an_ignored_folder_cannot_be_brought_back(corpus: Path) -> None:
    write(corpus, "out/a.txt", "b.txt")
    write(corpus, ".gitignore", text="out/\n!out/a.txt\n")
    assert names(corpus) == ["b.txt"]


@pytest.mark.parametrize("pattern", ["!", "\\", "[z-a]"])
def test_a_pattern_that_is_none_is_listed_and_the_others_hold(corpus: Path, pattern: str) -> None:
    write(corpus, "a.txt", "b.log", "!.txt")
    write(corpus, ".gitignore", text=f"{pattern}\n*.log\n")
    assert names(corpus) == ["!.txt", ".gitignore", "a.txt"]
    assert "cannot be understood" in problems(corpus)[".gitignore"]


def test_an_ignore_file_of_any_bytes_stops_nobody(corpus: Path) -> None:
    write(corpus, "a.txt")
    (corpus / ".gitignore").write_bytes(bytes(range(256)))
    assert names(corpus)[-1] == "a.txt"


# What is listed with a reason


def test_links_out_of_the_folder_are_listed(corpus: Path, tmp_path: Path) -> None:
    write(tmp_path, "secret/s.txt", "corpus2/s.txt")
    write(corpus, "a.txt", ".env", ".git/config", "sub/b.txt")
    (corpus / "file.txt").symlink_to(tmp_path / "secret" / "s.txt")
    (corpus / "folder").symlink_to(tmp_path / "secret")
    (corpus / "twin").symlink_to(tmp_path / "corpus2")
    (corpus / "up.txt").symlink_to("../secret/s.txt")
    (corpus / "env.txt").symlink_to(".env")
    (corpus / "config.txt").symlink_to(".git/config")
    (corpus / "inside.txt").symlink_to("sub/b.txt")
    (corpus / "sub2").symlink_to("sub")
    out, hidden = "a link that leads out of the folder", "a link to something hidden"
    assert problems(corpus) == {
        "file.txt": out, "folder": out, "twin": out, "up.txt": out, "env.txt": hidden, "config.txt": hidden
    }  # fmt: skip
    assert [entry.file for entry in walk(corpus) if not entry.problem] == ["a.txt", "inside.txt", "sub/b.txt"]


def test_links_in_a_circle_or_to_nothing_end(corpus: Path) -> None:
    write(corpus, "a/b.txt")
    (corpus / "loop.txt").symlink_to("loop.txt")
    (corpus / "root").symlink_to(".")
    (corpus / "a" / "above").symlink_to("..")
    (corpus / "nothing.txt").symlink_to("gone.txt")
    assert problems(corpus) == {
        "loop.txt": "it cannot be read: Too many levels of symbolic links",
        "nothing.txt": "a link to nothing",
    }
    assert "a/b.txt" in names(corpus)


def test_a_pipe_is_listed(corpus: Path) -> None:
    os.mkfifo(corpus / "pipe.txt")
    assert "pipe" in problems(corpus)["pipe.txt"]


def test_a_name_that_is_not_utf8_is_listed(corpus: Path) -> None:
    raw = os.fsencode(corpus)
    os.mkdir(raw + b"/folder\xfe")  # noqa: PTH102
    for name in (b"/\xff.txt", b"/folder\xfe/a.txt"):
        with open(raw + name, "w") as file:  # noqa: PTH123
            file.write("The zebra sleeps.")
    assert problems(corpus) == dict.fromkeys(
        ["\\xff.txt", "folder\\xfe/a.txt"], "its name is not UTF-8: rename it"
    )


def test_a_file_that_is_too_large_is_listed_without_being_read(corpus: Path) -> None:
    with (corpus / "big.txt").open("wb") as file:
        file.truncate(loaders.MAX_BYTES + 1)
    assert problems(corpus) == {"big.txt": "larger than 50 MB"}


def test_folders_that_cannot_be_used_are_named(corpus: Path) -> None:
    with pytest.raises(CorpusError, match=f"There is no folder {corpus}/gone"):
        list(walk(corpus / "gone"))
    write(corpus, "file")
    with pytest.raises(CorpusError, match="There is no folder"):
        list(walk(corpus / "file"))


AS_NOBODY = """
import os, sys
from pathlib import Path
from index.folder import walk
os.setgid(65534), os.setuid(65534)
try:
    print({entry.file: entry.problem for entry in walk(Path(sys.argv[1]))})
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_may_not_be_looked_at_is_listed(corpus: Path) -> None:
    def seen() -> str:
        command = [sys.executable, "-c", AS_NOBODY, str(corpus)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    for parent in (corpus, *list(corpus.parents)[:3]):
        parent.chmod(0o755)
    write(corpus, "good.txt", "closed/a.txt", "names only/a.txt")
    (corpus / "closed").chmod(0)
    (corpus / "names only").chmod(0o444)
    denied = "it cannot be read: Permission denied"
    assert seen() == f"{ {'closed/': denied, 'good.txt': None, 'names only/a.txt': denied} }\n"
    corpus.chmod(0o311)
    assert seen() == f"CorpusError The folder {corpus} cannot be read: Permission denied.\n"


def test_a_folder_that_goes_away_during_the_walk_is_no_error(corpus: Path) -> None:
    write(corpus, "a.txt", "b/c.txt")
    steps = walk(corpus)
    assert next(steps).file == "a.txt"
    (corpus / "b" / "c.txt").unlink()
    (corpus / "b").rmdir()
    assert list(steps) == []


parts = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(LAW, max_examples=30)
@given(st.sets(st.lists(parts, min_size=1, max_size=3).map(tuple), max_size=8))
def test_whatever_the_names_all_files_come_in_order(
    tmp_path_factory: pytest.TempPathFactory, paths: set[tuple[str, ...]]
) -> None:
    root, expected = tmp_path_factory.mktemp("names"), set()
    for path in paths:
        file = "/".join(f"{part}x.txt" for part in path if not part.startswith((".", "~$")))
        if file and not (root / file).exists():
            try:
                write(root, file)
            except OSError:
                continue  # One of the folders is a file already, or the name is too long.
            expected.add(file)
    found = names(root)
    assert (set(found), found) == (expected, sorted(found))


# What is in a file


def test_a_file_is_read_with_what_it_was_at_that_moment(corpus: Path) -> None:
    write(corpus, "a.txt")
    (entry,) = walk(corpus)
    write(corpus, "a.txt", text="The zebra is awake.")
    data, seen = read(corpus, entry)
    assert data == b"The zebra is awake."
    assert [seen] == list(walk(corpus))


def test_a_file_that_has_gone_is_said_to_be(corpus: Path) -> None:
    with pytest.raises(LoadError, match="it has just been removed"):
        read(corpus, Entry("a.txt"))


def test_a_folder_in_its_place_cannot_be_read(corpus: Path) -> None:
    (corpus / "a.txt").mkdir()
    with pytest.raises(LoadError, match="it cannot be read: Is a directory"):
        read(corpus, Entry("a.txt"))


def test_a_file_that_grew_too_large_is_refused(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    monkeypatch.setattr(loaders, "MAX_BYTES", 1_000_000)
    write(corpus, "a.txt", text="x" * 1_000_001)
    with pytest.raises(LoadError, match="larger than 1 MB"):
        read(corpus, Entry("a.txt"))


def test_a_file_that_does_not_stop_changing_is_left_for_later(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(corpus, "a.txt")
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        write(corpus, "a.txt", text="x" * len(naps))

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=nap, time_ns=module.time.time_ns))
    monkeypatch.setattr(module, "QUIET_NS", 10**12)
    with pytest.raises(LoadError, match="it keeps changing while it is read"):
        read(corpus, Entry("a.txt"))
    assert len(naps) == module.TRIES - 1


@pytest.mark.parametrize("way", ["in place", "replaced"])
def test_what_is_read_is_never_a_mix_of_two_versions(corpus: Path, way: str) -> None:
    """A writer changes a file all the time; every version is one letter over and over."""
    path, stop = corpus / "a.txt", threading.Event()
    path.write_bytes(b"a" * 300_000)
    (entry,) = walk(corpus)

    def change() -> None:
        number = 0
        while not stop.wait(0.015):
            number += 1
            version = bytes([97 + number % 26]) * 300_000
            target = path if way == "in place" else corpus / "new"
            with target.open("r+b" if way == "in place" else "wb") as file:
                for start in range(0, len(version), 30_000):
                    file.seek(start)
                    file.write(version[start : start + 30_000])
                    file.flush()
            if way == "replaced":
                target.replace(path)

    writer = threading.Thread(target=change)
    writer.start()
    whole = 0
    try:
        for _ in range(40):
            try:
                data, _ = read(corpus, entry)
            except LoadError:
                continue
            assert len(data) == 300_000
            assert len(set(data)) == 1
            whole += 1
    finally:
        stop.set()
        writer.join()
    assert whole
