"""PUT /slices/<token>/<number>: what a browser's slice meets, over the standard WSGI interface."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from apps.storage.digest import crc64_update
from apps.storage.multipart import PartPlan
from apps.transfers import receiver, spool, tasks, tokens

PLAN = PartPlan(size=25, part_size=10, count=3)
TRANSFER = 7


@pytest.fixture
def spool_dir(settings: Any, tmp_path: Path) -> Path:
    settings.SPOOL_DIR = tmp_path / "spool"
    spool.spool_open(TRANSFER)
    return tmp_path / "spool" / str(TRANSFER)


@pytest.fixture(autouse=True)
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """Note what would be queued: the broker has a test of its own in `test_worker.py`."""
    noted: list[dict[str, int]] = []
    monkeypatch.setattr(tasks, "publish", lambda task, **arguments: noted.append(arguments))
    return noted


def put(
    body: bytes,
    *,
    number: int | str = 1,
    token: str = "",
    method: str = "PUT",
    length: Any = None,
    cookie: str = "",
) -> Any:
    token = token or tokens.token_create(TRANSFER, PLAN, now=time.time())
    answer: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        answer.update(status=int(status.split()[0]), headers=dict(headers))

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"{tokens.SLICES_PATH}{token}/{number}",
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": io.BytesIO(body),
        "HTTP_COOKIE": cookie,
    }
    payload = b"".join(receiver.slice_application(environ, start_response))
    return answer["status"], json.loads(payload), answer["headers"]


def test_slice_is_kept_with_its_crc(spool_dir: Path, handed_over: list[dict[str, int]]) -> None:
    status, answer, headers = put(b"0123456789", number=2)

    crc = crc64_update(b"0123456789")
    assert (status, answer) == (200, {"received": 2})
    assert headers["ETag"] == f'"{crc:016x}"'
    assert [(item.number, item.crc64) for item in spool.slices_waiting(TRANSFER)] == [(2, crc)]
    assert (spool_dir / f"2.{crc:016x}").read_bytes() == b"0123456789"
    assert handed_over == [{"transfer_id": TRANSFER, "number": 2}]


def test_last_slice_is_shorter(spool_dir: Path) -> None:
    assert put(b"54321", number=3)[0] == 200
    assert put(b"0123456789", number=3)[0] == 400


def test_slice_sent_again_replaces_itself(spool_dir: Path) -> None:
    put(b"aaaaaaaaaa")
    put(b"bbbbbbbbbb")

    (only,) = spool.slices_waiting(TRANSFER)
    assert only.path.read_bytes() == b"bbbbbbbbbb"


@pytest.mark.parametrize("number", [0, 4, -1, "x", "1/2", ""])
def test_number_outside_the_plan_is_refused(spool_dir: Path, number: int | str) -> None:
    assert put(b"0123456789", number=number)[0] in {400, 403}
    assert spool.slices_waiting(TRANSFER) == []


@pytest.mark.parametrize("length", ["", "9", "11", "-1", "many", "1e1"])
def test_length_that_was_not_agreed_is_refused(spool_dir: Path, length: str) -> None:
    assert put(b"0123456789", length=length)[0] == 400
    assert list(spool_dir.iterdir()) == []


def test_body_that_ends_early_leaves_nothing(spool_dir: Path, handed_over: list[dict[str, int]]) -> None:
    status, answer, _headers = put(b"01234", length="10")

    assert status == 400
    assert "too early" in answer["error"]
    assert list(spool_dir.iterdir()) == []
    assert handed_over == []


def test_changed_token_is_refused(spool_dir: Path) -> None:
    token = tokens.token_create(TRANSFER, PLAN, now=time.time())

    assert put(b"0123456789", token=token[:-2] + "zz")[0] == 403
    assert put(b"0123456789", token="nonsense")[0] == 403
    assert list(spool_dir.iterdir()) == []


def test_token_of_yesterday_is_refused(spool_dir: Path) -> None:
    token = tokens.token_create(TRANSFER, PLAN, now=time.time() - tokens.LIFETIME_S - 1)

    assert put(b"0123456789", token=token)[0] == 403


def test_ended_upload_answers_gone(spool_dir: Path) -> None:
    spool.spool_remove(TRANSFER)

    assert put(b"0123456789")[0] == 410
    assert not spool_dir.exists()


def test_upload_that_ends_while_a_slice_arrives_keeps_nothing(spool_dir: Path) -> None:
    draft = spool.Draft(TRANSFER, 1)
    draft.write(memoryview(b"0123456789"))
    spool.spool_remove(TRANSFER)

    with pytest.raises(spool.SpoolClosed):
        draft.keep(1)
    assert not spool_dir.exists()


def test_other_methods_are_refused(spool_dir: Path) -> None:
    assert put(b"", method="GET")[0] == 405


def test_full_spool_asks_to_come_back(
    spool_dir: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SPOOL_SLICES_PER_UPLOAD = 1
    monkeypatch.setattr(receiver, "WAIT_FOR_ROOM_S", 0.1)
    put(b"0123456789", number=1)

    status, answer, headers = put(b"0123456789", number=2)

    assert status == 503
    assert headers["Retry-After"] == "3"
    assert answer["error"] == "Waiting for the store."
    assert len(spool.slices_waiting(TRANSFER)) == 1


def test_held_back_slices_leave_threads_for_pages(
    spool_dir: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SPOOL_SLICES_PER_UPLOAD = 1
    put(b"0123456789", number=1)
    monkeypatch.setattr(receiver, "_held_back", threading.BoundedSemaphore(1))
    assert receiver._held_back.acquire(blocking=False)

    begun = time.monotonic()
    status, answer, _headers = put(b"0123456789", number=2)

    assert (status, answer["error"]) == (503, "Waiting for the store.")
    assert time.monotonic() - begun < receiver.WAIT_FOR_ROOM_S / 2


def test_full_disk_asks_to_come_back(spool_dir: Path, settings: Any) -> None:
    settings.SPOOL_FREE_BYTES = 1 << 60

    status, answer, _headers = put(b"0123456789")

    assert status == 503
    assert "disk is full" in answer["error"]
    assert list(spool_dir.iterdir()) == []


def test_refusal_speaks_the_language_of_the_person(spool_dir: Path) -> None:
    spool.spool_remove(TRANSFER)

    _status, english, _headers = put(b"0123456789")
    _status, chinese, _headers = put(b"0123456789", cookie="a=1; console_language=zh-hans")
    _status, unknown, _headers = put(b"0123456789", cookie="console_language=xx; ;;")

    assert english["error"] == unknown["error"] == "This upload has ended."
    assert not chinese["error"].isascii()


def test_empty_file_is_one_empty_slice(spool_dir: Path) -> None:
    token = tokens.token_create(TRANSFER, PartPlan(size=0, part_size=10, count=1), now=time.time())

    assert put(b"", token=token)[0] == 200
    assert spool.slices_waiting(TRANSFER)[0].crc64 == 0
