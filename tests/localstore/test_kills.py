"""kill -9 at any moment, again and again: what was confirmed is there, and everything is whole."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from apps.localstore import LocalStore
from tests.localstore.conftest import OWNER
from tests.localstore.test_durability import Process, files
from tests.localstore.wire import Wire, complete_xml, md5_header, part_put, upload_begin

ROUNDS = 4
MIB = 1024 * 1024
KINDS = ("small", "large", "copy", "joined", "part", "tags", "cors", "acl")


@dataclass
class Ledger:
    """The last version of each thing that was tried, and the last that was confirmed."""

    tried: dict[str, int] = field(default_factory=dict)
    confirmed: dict[str, int] = field(default_factory=dict)

    def next(self, name: str) -> int:
        self.tried[name] = self.tried.get(name, 0) + 1
        return self.tried[name]

    def allows(self, name: str, version: int) -> bool:
        return self.confirmed.get(name, 0) <= version <= self.tried.get(name, 0)


def content(kind: str, version: int) -> bytes:
    size = {"small": 1000, "large": 300_000, "copy": 60_000, "joined": 40_000, "part": MIB}[kind]
    return (f"{version:09}" * (size // 9)).encode()


def tags_xml(version: int) -> bytes:
    return f"<Tagging><TagSet><Tag><Key>v</Key><Value>{version}</Value></Tag></TagSet></Tagging>".encode()


def cors_xml(version: int) -> bytes:
    rule = f"<ID>{version}</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    return f"<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>".encode()


def write(wire: Wire, kind: str, version: int) -> int:
    """Write one version of one kind of thing and return the last status."""
    if kind in ("small", "large"):
        return wire.call("PUT", f"/{kind}", content(kind, version)).status
    if kind == "copy":
        wire.call("PUT", "/source", content(kind, version))
        return wire.request("PUT", "/copy", {"x-cos-copy-source": f"{wire.host}/source"}).status
    if kind in ("joined", "part"):
        upload = upload_begin(wire, f"/{kind}")
        if kind == "part":
            wire.call("PUT", "/whole", content(kind, version))
            target = f"/part?partNumber=1&uploadId={upload}"
            source = {"x-cos-copy-source": f"{wire.host}/whole"}
            etag = wire.request("PUT", target, source).xml.findtext("ETag") or ""
        else:
            etag = part_put(wire, "/joined", upload, 1, content(kind, version))
        return wire.call("POST", f"/{kind}?uploadId={upload}", complete_xml([(1, etag)])).status
    if kind == "acl":
        return wire.call("PUT", "/?acl", x_cos_grant_read=f'id="{version}"').status
    target, body = ("/?tagging", tags_xml(version)) if kind == "tags" else ("/?cors", cors_xml(version))
    return wire.request("PUT", target, md5_header(body), body).status


def version_of(wire: Wire, kind: str) -> int:
    """Return the version that is stored, after checking that all of it is; 0 for none."""
    if kind in ("tags", "cors", "acl"):
        target, path = {
            "tags": ("/?tagging", ".//Value"),
            "cors": ("/?cors", ".//CORSRule/ID"),
            "acl": ("/?acl", ".//Grant/Grantee/DisplayName"),
        }[kind]
        reply = wire.call("GET", target)
        text = "0" if reply.status == 404 else reply.xml.findtext(path) or "0"
        uin = text.rpartition("/")[2]
        return 0 if uin == OWNER.root_uin else int(uin)
    reply = wire.call("GET", f"/{kind}")
    if reply.status == 404:
        return 0
    version = int(reply.body[:9])
    assert reply.body == content(kind, version)
    if kind not in ("joined", "part"):
        assert reply.header("ETag") == f'"{hashlib.md5(reply.body).hexdigest()}"'
    return version


def work(port: int, kinds: tuple[str, ...], ledger: Ledger) -> None:
    """Write until the server is gone."""
    with suppress(OSError), Wire(port, OWNER) as wire:
        while True:
            for kind in kinds:
                version = ledger.next(kind)
                status = write(wire, kind, version)
                assert status in (200, 204)
                ledger.confirmed[kind] = version


@pytest.mark.timeout(120)
def test_kills_at_any_moment_leave_old_or_new(folder: Path) -> None:
    ledger, chance = Ledger(), random.Random(20261122)
    for _ in range(ROUNDS):
        process = Process(folder)
        with process.child:
            port = process.port()
            with Wire(port, OWNER) as wire:
                wire.call("PUT", "/")
            threads = [
                threading.Thread(target=work, args=(port, kinds, ledger))
                for kinds in (KINDS[:2], KINDS[2:4], KINDS[4:6], KINDS[6:])
            ]
            for thread in threads:
                thread.start()
            threads[0].join(0.1 + 0.3 * chance.random())
            process.end(signal.SIGKILL)
            for thread in threads:
                thread.join(30)
        verify(folder, ledger)

    assert set(ledger.confirmed) == set(KINDS)


def verify(folder: Path, ledger: Ledger) -> None:
    store = LocalStore(data=folder, accounts=[OWNER])
    store.start()
    try:
        with Wire(store.port, OWNER) as wire:
            found = {kind: version_of(wire, kind) for kind in KINDS}
        engine = store._engine
        assert engine is not None
        with engine.index.read() as db:
            kept = {row[0] for row in db.execute("SELECT id FROM blobs WHERE data IS NULL AND size > 0")}
    finally:
        store.stop()
    assert {kind: version for kind, version in found.items() if not ledger.allows(kind, version)} == {}
    assert {path.name for path in files(folder)} == kept


def test_success_comes_after_the_disk_has_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def spy(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "fsync", spy)
    store = LocalStore(data=folder, accounts=[OWNER])
    store.start()
    try:
        with Wire(store.port, OWNER) as wire:
            wire.call("PUT", "/")
            synced.clear()
            assert wire.call("PUT", "/k", bytes(100_000)).status == 200
            (file,) = files(folder)

            assert {str(file), str(file.parent), str(file.parent.parent)} <= set(synced)
            engine = store._engine
            assert engine is not None
            with engine.index.read() as db:
                assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    finally:
        store.stop()
