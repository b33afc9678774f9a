from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.supervisor.output import LOG_BYTES, LONGEST_LINE, PartLog, Terminal


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(tmp_path: Path, screen: io.StringIO) -> Iterator[PartLog]:
    log = PartLog("web", folder=tmp_path, terminal=Terminal(screen))
    yield log
    log.close()


def test_lines_get_a_prefix_and_are_kept(log: PartLog, screen: io.StringIO, tmp_path: Path) -> None:
    log.feed(b"one\ntw")
    log.feed("o\r\n你好".encode())
    log.close()

    assert screen.getvalue() == "web     | one\nweb     | two\nweb     | 你好\n"
    assert (tmp_path / "web.log").read_text() == "one\ntwo\n你好\n"
    assert log.tail(2) == "    two\n    你好"


def test_characters_that_arrive_in_halves_are_put_together(log: PartLog, screen: io.StringIO) -> None:
    for byte in "日志\n".encode():
        log.feed(bytes([byte]))

    assert screen.getvalue() == "web     | 日志\n"


def test_endless_line_is_cut(log: PartLog, tmp_path: Path) -> None:
    log.feed(b"x" * (LONGEST_LINE + 1))

    assert (tmp_path / "web.log").stat().st_size == LONGEST_LINE + 2


def test_file_rotates_by_size(log: PartLog, tmp_path: Path) -> None:
    line = b"x" * 50_000 + b"\n"

    for _ in range(LOG_BYTES // len(line) + 2):
        log.feed(line)

    assert (tmp_path / "web.log.1").stat().st_size <= LOG_BYTES
    assert (tmp_path / "web.log").stat().st_size <= 2 * len(line)


def test_terminal_that_went_away_ends_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    terminal = Terminal(Gone())

    terminal.say("one")
    terminal.say("two")


def test_terminal_on_a_full_disk_goes_on_when_there_is_room() -> None:
    class Full(io.StringIO):
        has_room = False

        def write(self, text: str) -> int:
            if not self.has_room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(text)

    full = Full()
    terminal = Terminal(full)

    terminal.say("one")
    full.has_room = True
    terminal.say("two")

    assert full.getvalue() == "two\n"


def test_lines_that_a_full_disk_does_not_take_end_nothing(
    tmp_path: Path, screen: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.log").symlink_to("/dev/full")
    log = PartLog("web", folder=tmp_path, terminal=Terminal(screen))

    log.feed(b"one\n")
    log.close()

    assert screen.getvalue() == "web     | one\n"
    assert capsys.readouterr().err == ""
