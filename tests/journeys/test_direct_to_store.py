"""A page of another origin and the embedded store, with a real browser's preflights in between."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request

from apps.localstore import LocalStore
from tests.localstore.conftest import OWNER
from tests.localstore.wire import BUCKET, REGION, Wire, authorization, md5_header

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

BODY = b"<script>document.title = 'taken over'</script>"
SEND = """async ([url, method, body]) => {
  try {
    const answer = await fetch(url, {method, body, credentials: "include", headers: body
      ? {"Content-Type": "text/html", "x-cos-meta-from": "browser"} : {}});
    return {status: answer.status, etag: answer.headers.get("ETag"),
      id: answer.headers.get("x-cos-request-id"), text: await answer.text()};
  } catch (error) {
    return {failed: error.name};
  }
}"""


class Blank(BaseHTTPRequestHandler):
    """A page with a session cookie, as a console's would be."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "session=secret; Path=/")
        self.end_headers()
        self.wfile.write(b"<title>origin</title>")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    server = LocalStore(data=tmp_path / "store", accounts=[OWNER])
    server.start()
    with Wire(server.port, OWNER) as wire:
        wire.call("PUT", "/")
    yield server
    server.stop()


@pytest.fixture
def visited(browser: Browser, origin: str) -> Iterator[Page]:
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(8_000)
    page = context.new_page()
    page.goto(origin)
    yield page
    context.close()


def rule_put(store: LocalStore, origin: str) -> None:
    body = (
        f"<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>"
        "<AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
        "<MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>"
    ).encode()
    with Wire(store.port, OWNER) as wire:
        assert wire.request("PUT", "/?cors", md5_header(body), body).status == 200


def link(store: LocalStore, method: str, target: str) -> str:
    """Return a presigned address on the host that browsers resolve to this machine by themselves."""
    host = f"{BUCKET}.cos.{REGION}.localhost:{store.port}"
    return f"http://{host}{target}?{authorization(OWNER, method, target, {'Host': host})}"


def stored(store: LocalStore, target: str) -> bytes | None:
    with Wire(store.port, OWNER) as wire:
        reply = wire.call("GET", target)
    return reply.body if reply.status == 200 else None


def test_without_a_rule_the_browser_may_not_upload(store: LocalStore, visited: Page) -> None:
    answer = visited.evaluate(SEND, [link(store, "PUT", "/k"), "PUT", BODY.decode()])

    assert answer == {"failed": "TypeError"}
    assert stored(store, "/k") is None
    assert [row["operation"] for row in store.journal][-2:] == ["OptionsObject", "GetObject"]


def test_with_a_rule_it_uploads_and_reads_what_is_exposed(
    store: LocalStore, visited: Page, origin: str
) -> None:
    rule_put(store, origin)
    sent: list[Request] = []
    visited.on("request", lambda request: sent.append(request))

    answer = visited.evaluate(SEND, [link(store, "PUT", "/a%20b/资料.html"), "PUT", BODY.decode()])
    read = visited.evaluate(SEND, [link(store, "GET", "/a%20b/资料.html"), "GET", None])

    assert (answer["status"], answer["etag"]) == (200, f'"{hashlib.md5(BODY).hexdigest()}"')
    assert answer["id"] is None
    assert read["text"] == BODY.decode()
    assert [row["operation"] for row in store.journal][-3:] == ["OptionsObject", "PutObject", "GetObject"]
    assert all("cookie" not in request.all_headers() for request in sent)


def test_a_rule_for_somebody_else_is_none(store: LocalStore, visited: Page) -> None:
    rule_put(store, "https://elsewhere.example.com")

    answer = visited.evaluate(SEND, [link(store, "PUT", "/k"), "PUT", BODY.decode()])

    assert answer == {"failed": "TypeError"}
    assert stored(store, "/k") is None


def test_a_method_outside_the_rule_is_refused(store: LocalStore, visited: Page, origin: str) -> None:
    rule_put(store, origin)
    with Wire(store.port, OWNER) as wire:
        wire.call("PUT", "/k", BODY)

    assert visited.evaluate(SEND, [link(store, "DELETE", "/k"), "DELETE", None]) == {"failed": "TypeError"}

    assert stored(store, "/k") == BODY


def test_a_link_to_a_hostile_page_downloads_it(store: LocalStore, visited: Page, tmp_path: Path) -> None:
    with Wire(store.port, OWNER) as wire:
        wire.call("PUT", "/evil.html", BODY, Content_Type="text/html")

    with visited.expect_download() as started:
        visited.evaluate("url => { location.href = url }", link(store, "GET", "/evil.html"))

    assert started.value.suggested_filename == "evil.html"
    assert started.value.path().read_bytes() == BODY
    assert visited.title() == "origin"
    assert visited.context.cookies(f"http://{BUCKET}.cos.{REGION}.localhost:{store.port}") == []
