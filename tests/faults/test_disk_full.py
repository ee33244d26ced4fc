"""Disks that are full in the middle of indexing, each a real file system of some megabytes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import FootnoteError
from tests.faults.children import Child, in_child
from tests.faults.library import Library, Seen, assert_right, look, sync

pytestmark = pytest.mark.heavy
SIZES = [6, 8, 11, 14, 18, 22, 28, 34]
"""Megabytes: from where the first new files do not fit to where the caches do not."""
ENOUGH = 400
SECONDS = 60.0


class Shelves:
    """Two folders of documents, the small one a part of the large one."""

    def __init__(self, folder: Path) -> None:
        self.small = Library(folder / "small", 60)
        self.large = Library(folder / "large", 60)
        for _ in range(1000):
            self.large.add()


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Shelves:
    return Shelves(tmp_path_factory.mktemp("shelves"))


def mounted(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    if os.geteuid() != 0 or not mounted(
        "-t", "tmpfs", "-o", f"size={request.param}m", "tmpfs", str(tmp_path)
    ):
        pytest.skip("only root can make a disk")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@pytest.mark.parametrize("disk", SIZES, indirect=True, ids=lambda size: f"{size} MB")
def test_a_full_disk_is_said_and_loses_nothing(
    disk: Path, shelves: Shelves, capsys: pytest.CaptureFixture[str]
) -> None:
    small, large, folder = shelves.small, shelves.large, disk / "index"
    assert in_child(sync, small.folder, folder) == []
    asked = small.questions(20)

    started, said = time.monotonic(), "nothing: all but a cache fitted"
    try:
        assert Child(sync, large.folder, folder).result(SECONDS) == []
    except FootnoteError as error:
        said = str(error)
        assert "full" in said or "space" in said
        assert str(folder) in said
    seconds = time.monotonic() - started

    fill(disk)
    texts = large.texts
    seen = Seen(*in_child(look, large.folder, folder, asked))
    assert small.texts.items() <= seen.documents.items() <= texts.items()
    for subject, file in asked.items():
        assert {where for where, _ in seen.answers(subject)} == {file}

    (disk / "filler").unlink()
    assert mounted("-o", f"remount,size={ENOUGH}m", str(disk))
    assert in_child(sync, large.folder, folder) == []
    asked = large.questions(20)
    seen = in_child(look, large.folder, folder, asked)
    assert_right(seen, texts, asked)
    assert all(seen.sound.values())
    with capsys.disabled():
        print(f"\nafter {seconds:.1f} s: {said}")
