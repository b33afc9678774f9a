"""What each operation really sends and returns: called against a recording server, and looked up there."""

from __future__ import annotations

import hashlib
import inspect
import socket
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import unquote

from apps.storage.cos import CosClient, Retries
from apps.storage.digest import crc64_update
from apps.storage.types import Credentials, Endpoint
from tests.storage import documents
from tests.storage.identity import SECRET_ID, SECRET_KEY
from tests.storage.operations import BY_METHOD, FILE, KEY, OBJECT, SOURCE, listens, xml
from tests.storage.recorder import Recorder, Seen, reply

MIB = 1 << 20
# Arguments that travel as nothing of their own, and what becomes of them.
INSTEAD = {
    "Output": "where the bytes are written",
    "Body": "the body",
    "FilePath": "the bodies",
    "onProgress": "called with bytes so far",
    "onHashProgress": "called with bytes read so far",
    "SliceSize": "how the bytes are cut",
    "ChunkSize": "how the bytes are cut",
    "AsyncLimit": "how many requests are in flight",
    "ExpectedSize": "compared when the answer is lost",
    "ExpectedCRC64": "compared when the answer is lost",
    "Metadata": "header `x-cos-meta-{name}`",
    "x-cos-meta-{*}": "header `x-cos-meta-{name}`",
    "AccessControlPolicy": "body `<AccessControlPolicy>`",
    "CORSRules": "body `<CORSRule>`, once per rule",
    "Tags": "body `<Tag>`, once per tag",
    "Objects": "body `<Object>`, once per object",
    "Parts": "body `<Part>`, once per part",
    "Extra": "body: elements of these names",
    "onUploadId": "called with the id of the upload",
    "slice_upload_file.UploadId": "the upload that is gone on with",
    "slice_copy_file.SliceSize": "the size above which it is copied in parts",
    "slice_copy_file.UploadId": "the upload that is gone on with",
    "slice_copy_file.MetadataDirective": "header `x-cos-metadata-directive` of a single request",
    "slice_copy_file.TaggingDirective": "header `x-cos-tagging-directive` of a single request",
    "slice_copy_file.TrafficLimit": "header `x-cos-traffic-limit` of a single request",
    "KeepUpload": "whether an upload that failed stays",
    "Cancel": "stops the call from another thread",
}
_HOST = "host name"


@dataclass(frozen=True)
class Sample:
    """A call with all its arguments, what it sent, and what it returned."""

    arguments: Mapping[str, Any]
    seen: tuple[Seen, ...]
    result: Mapping[str, Any]
    reports: tuple[Mapping[str, Any], ...] = ()


@cache
def sample_of(method: str) -> Sample:
    """Call `method` with every argument there is, and return what happened."""
    if method in SLICES:
        return SLICES[method]()
    operation = BY_METHOD[method]
    with Recorder(default=operation.answer) as recorder:
        result = operation.call(_client_of(recorder))
        return Sample(operation.arguments, tuple(recorder.seen), result)


def arguments_of(method: str) -> Iterator[str]:
    """Yield the keyword arguments of a method of the client, those of an unpacked dictionary included."""
    function: Callable[..., Any] = getattr(CosClient, method)
    hints = get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            yield from get_type_hints(get_args(hints[name])[0])
        elif name != "self":
            yield name


def wire_of(method: str, argument: str) -> str | None:
    """Return where an argument went, in words for a table; None when it cannot be found.

    A dotted `argument` is a field of a record in a list.
    """
    instead = INSTEAD.get(f"{method}.{argument}") or INSTEAD.get(argument)
    if instead:
        return instead
    sample = sample_of(method)
    texts = set(_texts(value_at(sample.arguments, argument)))
    places = [place for seen in sample.seen for text in texts if (place := _place(seen, text))]
    # The source of a copy is looked at under its own host name, too, which is not what the argument is for.
    return min(places, key=lambda place: place == _HOST, default=None)


def value_at(tree: Any, path: str) -> Any:
    """Return what a dotted path names; of a list, marked `[]`, the first entry. None when absent."""
    for step in path.split("."):
        name = step.removesuffix("[]")
        if not isinstance(tree, Mapping) or name not in tree:
            return None
        tree = tree[name]
        if step.endswith("[]"):
            if not isinstance(tree, list) or not tree:
                return None
            tree = tree[0]
    return tree


def paths_of(tree: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted path of everything in a result, records and lists included, in its order."""
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            inner = f"{path}.{name}" if path else str(name)
            yield f"{inner}[]" if isinstance(value, list) else inner
            yield from paths_of(value, inner)
    elif isinstance(tree, list) and tree:
        yield from paths_of(tree[0], f"{path}[]")


def shape_of(method: str, required: frozenset[str]) -> list[str]:
    """Return the requests of a call, as method and target; only what always travels is in the query."""
    shapes: dict[str, None] = {}
    for seen in sample_of(method).seen:
        names = [_parameter(method, name, value, required) for name, value in seen.query.items()]
        query = "&".join(filter(None, names))
        path = "/{Key}" if unquote(seen.path) == f"/{KEY}" else seen.path
        if seen.headers["host"].startswith("origin-"):
            path = "/{Key of CopySource}"
        shapes[f"{seen.method} {path}" + (f"?{query}" if query else "")] = None
    return list(shapes)


def _client_of(recorder: Recorder) -> CosClient:
    return CosClient(
        credentials=Credentials(SECRET_ID, SECRET_KEY),
        endpoint=Endpoint("http", connect_to=f"127.0.0.1:{recorder.port}"),
        retries=Retries(attempts=1),
    )


def _parameter(method: str, name: str, value: str, required: frozenset[str]) -> str:
    if value == "":
        return name
    given = {str(value_at(sample_of(method).arguments, argument)): argument for argument in required}
    if value in given:
        return f"{name}={{{given[value]}}}"
    return f"{name}={{{name[0].upper()}{name[1:]}}}" if name in ("partNumber", "uploadId") else ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value).replace("uin=", "id=").casefold()


def _place(seen: Seen, text: str) -> str | None:
    if unquote(seen.path) == f"/{KEY}" and text == KEY.casefold():
        return "path"
    if text in seen.headers["host"].split(".")[:3]:
        return _HOST
    query = {name for name, value in seen.query.items() if value.casefold() == text}
    headers = {name for name, value in seen.headers.items() if value.casefold() == text}
    near = {name for name, value in seen.headers.items() if len(text) > 7 and text in value.casefold()}
    found = [
        *(f"query `{name}`" for name in sorted(query)),
        *(f"header `{name}`" for name in sorted(headers - {"host"})),
        *(f"body `{path}`" for path in _elements(seen.body) if path),
        *(f"header `{name}`" for name in sorted(near - {"authorization"})),
    ]
    found = [place for place in found if not place.startswith("body") or _holds(seen.body, place[6:-1], text)]
    return found[0] if found else None


def _elements(body: bytes) -> dict[str, list[str]]:
    """Return the texts of a body by path, in tags."""
    if not body.startswith(b"<"):
        return {}
    texts: dict[str, list[str]] = {}

    def walk(node: ET.Element, path: str) -> None:
        for child in node:
            inner = f"{path}<{child.tag.rpartition('}')[2]}>"
            texts.setdefault(inner, []).append((child.text or "").casefold())
            walk(child, inner)

    walk(ET.fromstring(body), "")
    return texts


def _holds(body: bytes, path: str, text: str) -> bool:
    return text in _elements(body)[path]


class _ScriptedStore:
    """Answers the requests of one slice upload or slice copy, digests included."""

    def __init__(self, recorder: Recorder, data: bytes) -> None:
        self._recorder = recorder
        self._data = data

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(self._answer(self._recorder.seen[-1]))

    def _answer(self, seen: Seen) -> bytes:
        whole = {"x_cos_hash_crc64ecma": str(crc64_update(self._data)), "ETag": '"e-2"'}
        if seen.method == "HEAD":
            return reply(**whole, Content_Length=str(len(self._data)))
        if "uploads" in seen.query:
            return xml(documents.BEGUN)
        if seen.method == "POST":
            return xml(documents.COMPLETED, **whole)
        if "x-cos-copy-source" in seen.headers:
            return xml(documents.PART_COPIED)
        md5 = hashlib.md5(seen.body).hexdigest()
        return reply(ETag=f'"{md5}"', x_cos_hash_crc64ecma=str(crc64_update(seen.body)))


def _slice_sample(method: str, **arguments: Any) -> Sample:
    data = bytes(range(256)) * (MIB // 256) + b"end"
    reports: list[Mapping[str, Any]] = []
    with Recorder() as recorder, tempfile.NamedTemporaryFile() as file:
        recorder.default = _ScriptedStore(recorder, data)
        file.write(data)
        file.flush()
        given = {**OBJECT, **FILE, "onProgress": reports.append, **arguments}
        if "FilePath" in given:
            given["FilePath"] = file.name
        result = getattr(_client_of(recorder), method)(**given)
        return Sample(given, tuple(recorder.seen), result, tuple(reports))


SLICES: dict[str, Callable[[], Sample]] = {
    "slice_upload_file": lambda: _slice_sample(
        "slice_upload_file", FilePath=Path(), SliceSize=MIB, AsyncLimit=1, onHashProgress=listens
    ),
    "slice_copy_file": lambda: _slice_sample(
        "slice_copy_file",
        CopySource={"Bucket": "origin-1250000000", "Region": "ap-beijing", "Key": "from/x y"},
        ChunkSize=MIB,
        SliceSize=MIB,
        AsyncLimit=1,
        MetadataDirective="Replaced",
        TaggingDirective="Replaced",
        **SOURCE,
    ),
}
