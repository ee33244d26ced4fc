"""A Chroma server as people start it, `chroma run`, on a free port of this machine."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx

CHROMA = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(sys.argv[1:])"
"""What the command `chroma` does, without first importing Chroma's client for seconds."""


class ChromaProcess:
    """A server that can be stopped, killed and started again, always at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        where = ["--path", str(self._folder), "--host", "127.0.0.1", "--port", str(self._port)]
        quiet = subprocess.DEVNULL  # It waits for ever for a reader of what it says.
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHROMA, "chroma", "run", *where], stdout=quiet, stderr=quiet
        )
        with httpx.Client(trust_env=False, timeout=30) as client:
            while not self._answers(client):
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=0.1)
                    raise RuntimeError("The Chroma server has ended.")

    def _answers(self, client: httpx.Client) -> bool:
        try:
            return client.get(f"{self.url}/api/v2/heartbeat").is_success
        except httpx.ConnectError:
            return False

    def stop(self) -> None:
        """Let it hang: connections are made, nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End the hanging."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
