"""What importing the package costs, and how it prepares the process."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ui import environment
from ui.guard import Hosts, is_loopback


def test_importing_the_package_loads_no_gradio() -> None:
    script = "import sys, ui; print('gradio' in sys.modules, 'rag' in sys.modules, ui.__all__)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False False ['build', 'serve']\n"


def test_gradio_variables_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRADIO_SHARE", "True")
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/elsewhere")
    environment.prepare()
    ours = {name: value for name, value in os.environ.items() if name.startswith("GRADIO_")}
    assert ours.pop("GRADIO_ANALYTICS_ENABLED") == "False"
    folder = Path(ours.pop("GRADIO_TEMP_DIR"))
    assert stat.filemode(folder.stat().st_mode) == "drwx------"
    assert ours == {}
    environment.prepare()
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_on_loopback_only_its_own_names_count(host: str) -> None:
    hosts = Hosts(host)
    assert is_loopback(host)
    for known in ("localhost", "LOCALHOST:7860", "127.0.0.1:1", "[::1]:7860", "[::1]"):
        assert known in hosts
    for foreign in (
        "",
        "evil.example",
        "192.168.1.5",
        "localhost.evil",
        "a@localhost",
        "[::1",
        "localhost:x",
        "::1",
    ):
        assert foreign not in hosts


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "rag.corp.local"])
def test_on_a_network_addresses_count_but_foreign_names_do_not(host: str) -> None:
    hosts = Hosts(host)
    assert not is_loopback(host)
    for known in (
        host,
        f"{host}:7860",
        "192.168.1.9:7860",
        "[fe80::1]:7860",
        "localhost",
        socket.gethostname(),
    ):
        assert known in hosts
    for foreign in ("", "evil.example", "corp.local", "192.168.1.5.evil.example", "1.2.3.4.5"):
        assert foreign not in hosts
