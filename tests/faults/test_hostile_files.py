"""Files that are made to stop, fill, crash or deceive whatever reads them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import Index
from index.errors import LoadError
from index.folder import walk
from index.loaders import load
from index.sandbox import MEMORY, SECONDS, Sandbox
from tests.fakes import HashEmbedder
from tests.faults.hostile import HOSTILE, LARGE
from tests.index import samples

GOOD = samples.page("<p>The zebra sleeps.</p>")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


def outcome(sandbox: Sandbox, file: str, data: bytes) -> str:
    """Why a file is not read; empty when it is."""
    try:
        sandbox.load(file, data)
    except LoadError as error:
        return str(error)
    return ""


def matches(expected: str, said: str) -> bool:
    return re.search(expected, said) is not None


def pid(sandbox: Sandbox) -> int:
    child = sandbox._child
    assert child
    return child.pid


class Peak(threading.Thread):
    """Watches how much memory a sandbox takes."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(daemon=True)
        self.sandbox, self.bytes, self.end = sandbox, 0, threading.Event()

    def run(self) -> None:
        while not self.end.wait(0.01):
            child = self.sandbox._child
            status = Path(f"/proc/{child.pid}/status") if child else Path("/nowhere")
            try:
                used = status.read_text().partition("VmHWM:")[2].split()
            except OSError:
                continue
            self.bytes = max(self.bytes, int(used[0]) * 1024 if used else 0)


@pytest.mark.parametrize("name", [*HOSTILE, *(pytest.param(name, marks=pytest.mark.heavy) for name in LARGE)])
def test_a_hostile_file_costs_itself_and_nothing_else(
    sandbox: Sandbox, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    suffix, make, expected = (HOSTILE | LARGE)[name]
    data = make()
    peak = Peak(sandbox)
    peak.start()
    started = time.perf_counter()
    said = outcome(sandbox, f"a.{suffix}", data)
    seconds = time.perf_counter() - started
    peak.end.set()
    peak.join()
    if name in LARGE:
        with capsys.disabled():
            print(
                f"\n{name}: {len(data) / 1e6:.1f} MB, {seconds:.1f} s, {peak.bytes / 1e6:.0f} MB: {said or 'read'}"
            )
    assert matches(expected or "^$", said)
    assert seconds < SECONDS + 10
    assert peak.bytes <= MEMORY
    assert sandbox.load("good.html", GOOD).text == "The zebra sleeps."


def test_nothing_outside_a_file_gets_into_its_text() -> None:
    found = load("a.epub", HOSTILE["a foreign entity, book"][1]())
    assert "zebra" in found.text
    assert "root:" not in found.text + found.title


# Names that lie

WRONG = {
    "a PDF as text": ("a.txt", samples.pdf("zebra"), "a PDF file under a wrong suffix"),
    "a Word document as text": ("a.txt", samples.word("zebra"), "a zip file or an office document"),
    "a Word document as Markdown": ("a.md", samples.word("zebra"), "a zip file or an office document"),
    "a PDF as a table": ("a.csv", samples.pdf("zebra"), "a PDF file"),
    "a picture as text": ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(99), "a picture"),
    "a picture as JSON": ("a.json", b"\xff\xd8\xff\xe0" + bytes(99), "a picture"),
    "a program as code": ("a.py", b"\x7fELF\2\1\1" + bytes(99), "a program"),
    "random bytes as text": (
        "a.txt",
        bytes((37 * n * n + 11 * n) % 256 for n in range(999)),
        "binary|unclear",
    ),
    "text as a PDF": ("a.pdf", b"The zebra sleeps.", "not a PDF file"),
    "text as a Word document": ("a.docx", b"The zebra sleeps.", "no Word file"),
    "a page as a workbook": ("a.xlsx", GOOD, "no Excel file"),
    "a PDF as slides": ("a.pptx", samples.pdf("zebra"), "but a PDF file"),
    "an old document as a new one": (
        "a.docx",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99),
        "an old or encrypted",
    ),
    "slides as a Word document": ("a.docx", samples.slides(("a", "b", "c")), "damaged, or not a .docx"),
    "a book as a workbook": ("a.xlsx", samples.epub("<p>x</p>"), "damaged, or not a .xlsx"),
    "text as a book": ("a.epub", b"zebra", "no EPUB file"),
    "text as rich text": ("a.rtf", b"zebra", "not an RTF file"),
    "text as subtitles": ("a.srt", b"zebra", "no subtitles"),
    "text as mail": ("a.eml", b"zebra", "not an e-mail"),
    "text as JSON": ("a.json", b"zebra", "not JSON"),
    "an empty page": ("a.html", b"", "no text"),
    "an encrypted PDF": ("a.pdf", samples.pdf("zebra", owner="o", password="p"), "password"),
    "a scan": ("a.pdf", samples.pdf(""), "perhaps a scan"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bytes_are_never_taken_for_text(sandbox: Sandbox, name: str) -> None:
    file, data, expected = WRONG[name]
    assert matches(expected, outcome(sandbox, file, data))


def test_a_reader_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    monkeypatch.delitem(sys.modules, "index.loaders.pdf", raising=False)
    with pytest.raises(LoadError, match="what reads it is not installed: pypdf"):
        load("a.pdf", samples.pdf("zebra"))


def test_a_folder_of_bad_files_is_an_index_of_the_good_ones(corpus: Path, tmp_path: Path) -> None:
    for number, (file, data, _) in enumerate(WRONG.values()):
        (corpus / f"{number:02} {file}").write_bytes(data)
    (corpus / "good.html").write_bytes(GOOD)
    (corpus / "zoo.docx").write_bytes(samples.word("The lion hunts."))
    (corpus / "out.txt").symlink_to("/etc/passwd")
    index = Index(corpus, tmp_path / "index", HashEmbedder())
    report = index.sync()
    assert {document.file for document in index.documents()} == {"good.html", "zoo.docx"}
    assert len(report.skipped) == len(WRONG) + 1
    assert report.skipped["out.txt"] == "a link that leads out of the folder"
    for number, (file, _, expected) in enumerate(WRONG.values()):
        assert matches(expected, report.skipped[f"{number:02} {file}"])
    index.close()


# Encodings: the exact text, or a reason

JAPANESE = "石破首相は二月七日、ワシントンで大統領と会談した。会談は約五時間に及んだ。"
WESTERN = "Le café est fermé à Noël — c’est l’été qu’on préfère. The naïve façade costs €5."
ENCODED = [
    *((JAPANESE, name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "shift_jis", "euc_jp", "iso2022_jp")),
    ("习近平主席星期一在北京会见了外宾。双方就经贸问题交换了意见。", "gb18030"),
    ("總統今天在台北會見外賓，討論經濟問題。", "big5"),
    ("대한민국 대통령은 오늘 기자회견을 열었다.", "euc_kr"),
    (WESTERN, "cp1252"),
    ("Grüße aus München, schöne Straße und Fußgängerübergänge.", "latin-1"),
    ("The café on the corner serves good coffee every morning.", "latin-1"),
    ("Привет, мир! Это обычный русский текст.", "cp1251"),
    ("Привет, мир! Это обычный русский текст.", "koi8-r"),
    ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "cp1250"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "encoding"), ENCODED, ids=lambda value: value if value.isascii() else "")
def test_the_exact_text_in_every_encoding(text: str, encoding: str) -> None:
    assert load("a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp", "iso2022_jp", "gb18030", "big5", "utf-16"])
@pytest.mark.parametrize("text", ["日本東京", "石破首相", "大統領府", "中央公園"])
def test_four_characters_are_read_right_or_not_at_all(text: str, encoding: str) -> None:
    check_few(text, encoding)


@pytest.mark.parametrize("text", ["café", "naïf", "Zoë!", "°C €5", "Æsop", "5 ½ £"])
def test_a_few_western_characters_are_read_right_or_not_at_all(text: str) -> None:
    check_few(text, "cp1252")


def check_few(text: str, encoding: str) -> None:
    try:
        found = load("a.txt", text.encode(encoding)).text
    except LoadError as error:
        found = str(error)
    assert found == text or found.startswith("encoding unclear")


@pytest.mark.parametrize("end", range(1, 9))
def test_utf8_cut_off_anywhere_is_what_is_whole(end: int) -> None:
    data = JAPANESE.encode()[:-end]
    assert load("a.txt", data).text == data.decode(errors="ignore")


def test_two_encodings_in_one_file_are_not_guessed() -> None:
    data = JAPANESE.encode() + b"\n" + JAPANESE.encode("shift_jis")
    with pytest.raises(LoadError, match="encoding unclear"):
        load("a.txt", data)


# The process


def test_plain_text_needs_no_process() -> None:
    with Sandbox() as opened:
        assert opened.load("a.txt", b"The zebra sleeps.").text
        assert opened.load("a.md", b"# Zebras").title == "Zebras"
        with pytest.raises(LoadError, match="not a format"):
            opened.load("a.png", b"x")
        assert opened._child is None


def test_one_process_reads_many_files(sandbox: Sandbox) -> None:
    sandbox.load("a.html", GOOD)
    first = pid(sandbox)
    for _ in range(20):
        sandbox.load("a.html", GOOD)
    assert pid(sandbox) == first


def test_a_reader_that_is_killed_costs_one_file(sandbox: Sandbox) -> None:
    sandbox.load("a.html", GOOD)
    os.kill(pid(sandbox), signal.SIGKILL)
    os.waitid(os.P_PID, pid(sandbox), os.WEXITED | os.WNOWAIT)
    assert sandbox.load("a.html", GOOD).text == "The zebra sleeps."
    suffix, make, _ = HOSTILE["100,000 levels, rich text"]
    data = make() * 50
    killer = threading.Timer(0.05, os.kill, (pid(sandbox), signal.SIGKILL))
    killer.start()
    assert outcome(sandbox, f"a.{suffix}", data) in ("its reader broke down", "")
    killer.join()
    assert sandbox.load("a.html", GOOD).text == "The zebra sleeps."


def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    serve = "import index.sandbox as s; s.SECONDS = 1; s.load = lambda *_: __import__('time').sleep(60); s.serve()"
    monkeypatch.setattr("index.sandbox.SERVE", serve)
    with Sandbox() as opened:
        started = time.perf_counter()
        assert outcome(opened, "a.html", GOOD) == f"reading it takes longer than {SECONDS} seconds"
        assert time.perf_counter() - started < 30


PARENT = """
import os, sys, time
from index.sandbox import Sandbox
opened = Sandbox()
opened.load("a.html", b"<p>zebra")
print(opened._child.pid, flush=True)
time.sleep(600)
"""


def test_the_process_ends_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        child = Path("/proc", parent.stdout.readline().strip())
        loaded = (child / "maps").read_text()
        parent.kill()
    for heavy in ("onnxruntime", "chromadb"):
        assert heavy not in loaded
    deadline = time.monotonic() + 20
    while child.exists() and "Z (zombie)" not in (child / "status").read_text():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_the_process_has_no_file_of_its_parent(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock, Sandbox() as opened:
        opened.load("a.html", GOOD)
        held = [os.readlink(file) for file in Path(f"/proc/{pid(opened)}/fd").iterdir()]  # noqa: PTH115
    assert lock.name not in held


# Names


@pytest.mark.parametrize(
    "name", ["new\nline.txt", "<img src=x>.txt", "😀.txt", "\u202egpj.txt", "é.txt", "e\u0301.txt"]
)
def test_a_strange_name_is_met_once(corpus: Path, name: str) -> None:
    (corpus / name).write_text("The zebra sleeps.")
    assert [(entry.file, entry.problem) for entry in walk(corpus)] == [(name, None)]
