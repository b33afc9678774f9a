"""A raw HTTP client and an independent signer: what goes out is exactly what a test wrote."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import time
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus
from xml.etree import ElementTree

from apps.localstore.accounts import Account

BUCKET = "demo-1250000000"
REGION = "ap-beijing"


def host_of(bucket: str, region: str = REGION) -> str:
    return f"{bucket}.cos.{region}.myqcloud.com"


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Exact case: clients index the raw names."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def code(self) -> str | None:
        return self.xml.findtext("Code")


def mac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha1).hexdigest()


def authorization(
    account: Account,
    method: str,
    target: str,
    headers: dict[str, str],
    *,
    signed: tuple[str, ...] = ("host",),
    times: str | None = None,
) -> str:
    """Sign every parameter of the target and the named headers."""
    path, _, query = target.partition("?")
    times = times or f"{int(time.time()) - 60};{int(time.time()) + 600}"
    pairs = [item.partition("=") for item in query.split("&") if item]
    params = sorted(
        (quote(unquote_plus(k), safe="").lower(), quote(unquote_plus(v), safe="")) for k, _, v in pairs
    )
    lower = {name.lower(): value for name, value in headers.items()}
    lines = sorted((name, quote(lower.get(name, "").encode("latin-1"), safe="")) for name in signed)
    http = "\n".join([method.lower(), unquote(path), joined(params), joined(lines), ""])
    text = f"sha1\n{times}\n{hashlib.sha1(http.encode()).hexdigest()}\n"
    fields = {
        "q-sign-algorithm": "sha1",
        "q-ak": account.secret_id,
        "q-sign-time": times,
        "q-key-time": times,
        "q-header-list": ";".join(name for name, _ in lines),
        "q-url-param-list": ";".join(name for name, _ in params),
        "q-signature": mac(mac(account.secret_key, times), text),
    }
    return joined(list(fields.items()))


def joined(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in pairs)


def md5_header(body: bytes) -> dict[str, str]:
    return {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}


class Wire:
    """One connection to one bucket's host, signing for one account (None: anonymous)."""

    def __init__(
        self, port: int, account: Account | None, bucket: str = BUCKET, region: str = REGION
    ) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.account = account
        self.host = host_of(bucket, region) if bucket else "service.cos.myqcloud.com"
        self._waiting = b""

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def head_bytes(self, method: str, target: str, headers: dict[str, str]) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def call(self, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        """Underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(method, target, named, body)

    def request(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        sent = {"Host": self.host} | headers
        if "Transfer-Encoding" not in sent:
            sent.setdefault("Content-Length", str(len(body)))
        if self.account and "Authorization" not in sent:
            sent["Authorization"] = authorization(self.account, method, target, sent)
        self.sock.sendall(self.head_bytes(method, target, sent) + body)
        return self.reply(method)

    def reply(self, method: str) -> Reply:
        head = self._until(b"\r\n\r\n").decode("latin-1")
        line, *rest = head.split("\r\n")
        status = int(line.split(" ")[1])
        headers = [(name, value.strip()) for name, _, value in (row.partition(":") for row in rest)]
        lower = {name.lower(): value for name, value in headers}
        if method == "HEAD" or status in (100, 204, 304):
            body = b""
        elif "chunked" in lower.get("transfer-encoding", ""):
            body = self._chunked()
        else:
            body = self._exactly(int(lower["content-length"]))
        return Reply(status, headers, body)

    def is_closed(self) -> bool:
        """Wait for the end of the connection."""
        try:
            return not self._waiting and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def _receive(self) -> None:
        piece = self.sock.recv(65536)
        if not piece:
            raise ConnectionError("the server ended the connection")
        self._waiting += piece

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._waiting:
            self._receive()
        piece, _, self._waiting = self._waiting.partition(mark)
        return piece

    def _exactly(self, size: int) -> bytes:
        while len(self._waiting) < size:
            self._receive()
        piece, self._waiting = self._waiting[:size], self._waiting[size:]
        return piece

    def _chunked(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            self._until(b"\r\n")
        self._until(b"\r\n")
        return body


def upload_begin(wire: Wire, target: str, **headers: str) -> str:
    reply = wire.call("POST", f"{target}?uploads", **headers)
    return reply.xml.findtext("UploadId") or ""


def part_put(wire: Wire, target: str, upload_id: str, number: int, body: bytes) -> str:
    reply = wire.call("PUT", f"{target}?partNumber={number}&uploadId={upload_id}", body)
    assert reply.status == 200, reply.body
    return reply.header("ETag") or ""


def complete_xml(parts: list[tuple[int, str]]) -> bytes:
    rows = [f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts]
    return f"<CompleteMultipartUpload>{''.join(rows)}</CompleteMultipartUpload>".encode()
