"""Nothing leaves the machine."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NetworkBlockedError
from tests.corpora import TOWN, write

ROOT = Path(__file__).resolve().parent.parent
FOOTNOTE = str(Path(sys.executable).with_name("footnote"))
QUESTION = "Who was born in Oslo in 1950?"
WATCHED = """
import json, socket, sys
asked = []
def watch(event, arguments):
    if event == "socket.connect" and not isinstance(arguments[1], (str, bytes)):
        asked.append(repr(arguments[1]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        asked.append(f"{event} {arguments[:2]}")
sys.addaudithook(watch)
from rag import Assistant
from rag.doctor import examine
bot = Assistant(sys.argv[1], index_dir=sys.argv[2])
bot.sync()
status = bot.ask(sys.argv[3]).status
parts = {finding.part: finding.works for finding in examine(bot)}
print(json.dumps({"status": status, "parts": parts, "asked": asked}))
"""


def test_the_guard_of_these_tests_stops_a_connection_to_another_machine() -> None:
    with socket.socket() as outside, pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as outside, pytest.raises(NetworkBlockedError):
        outside.sendto(b"x", ("192.0.2.1", 53))


def test_the_guard_lets_this_machine_talk_to_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_indexing_asking_and_examining_look_up_and_connect_to_nobody(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", TOWN)
    ran = subprocess.run(
        [sys.executable, "-c", WATCHED, corpus, tmp_path / "index", QUESTION],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(ran.stdout)
    assert seen["asked"] == []
    assert seen["status"] == "answered"
    assert all(seen["parts"].values())


def _without_network() -> list[str] | None:
    """A command that runs others where there is no network but their own, or None where that is not allowed."""
    for options in (["-n"], ["-rn"]):
        command = ["unshare", *options]
        if (
            shutil.which("unshare")
            and subprocess.run([*command, "true"], capture_output=True).returncode == 0
        ):
            return command
    return None


def test_it_works_with_no_network_at_all(tmp_path: Path) -> None:
    isolated = _without_network()
    if isolated is None:
        pytest.skip("this machine does not let a test run without its network (unshare -n)")
    corpus = write(tmp_path / "corpus", TOWN)
    environment = os.environ | {"FOOTNOTE_INDEX_DIR": str(tmp_path / "index"), "FOOTNOTE_CORPUS": str(corpus)}
    for arguments in (["index"], ["ask", QUESTION], ["doctor"]):
        ran = subprocess.run(
            [*isolated, FOOTNOTE, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True
        )
        assert (ran.returncode, ran.stderr) == (0, ""), arguments
        if arguments[0] == "ask":
            assert "[1] bakery.txt: Ann Lee was born in Oslo in 1950." in ran.stdout
