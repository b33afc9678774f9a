"""The second half of docs/cos-api.md: every operation of the COS client, its arguments and its results.

`python -m tests.house.cos_api` writes it anew. Where an argument goes on the wire is not written down: each
operation is called against a recording server, and the argument is looked for in the request.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

from apps.storage.cos import CosClient
from tests.house.cos_requirement import REQUIREMENT, Documented
from tests.house.cos_wire import SLICES, arguments_of, paths_of, sample_of, shape_of, wire_of
from tests.storage.operations import BY_METHOD

FILE = Path(__file__).resolve().parents[2] / "docs" / "cos-api.md"
MARK = "<!-- From here on: python -m tests.house.cos_api -->\n"

# The pages that do an operation today, by URL name; a job that a page starts counts as the page.
PAGES: dict[str, tuple[str, ...]] = {
    "get_service": ("buckets:list", "connections:test"),
    "get_bucket": ("objects:list", "inventory:start", "inventory:folder-size"),
    "head_bucket": ("buckets:name-check", "buckets:overview", "access:explain"),
    "put_bucket": ("buckets:create",),
    "delete_bucket": ("buckets:delete",),
    "get_bucket_location": ("buckets:overview",),
    "get_bucket_acl": ("access:bucket", "access:object", "access:explain"),
    "put_bucket_acl": ("access:bucket",),
    "get_bucket_cors": ("access:cors", "access:lab"),
    "put_bucket_cors": ("access:cors", "access:cors-restore"),
    "delete_bucket_cors": ("access:cors",),
    "options_object": ("access:lab", "transfers:upload-path", "access:cors-tests", "access:explain"),
    "get_bucket_tagging": ("access:tags", "access:tags-suggestions"),
    "put_bucket_tagging": ("access:tags",),
    "delete_bucket_tagging": ("access:tags",),
    "head_object": ("objects:detail", "objects:read", "access:explain"),
    "get_object": ("objects:download", "objects:read", "objects:preview", "objects:zip"),
    "put_object": ("transfers:upload-sheet", "transfers:upload-start", "objects:folder-create"),
    "get_object_acl": ("access:object", "access:explain"),
    "put_object_acl": ("access:object",),
    "delete_object": ("objects:delete",),
    "delete_multiple_object": ("batches:create",),
    "put_object_copy": ("objects:copy", "objects:headers"),
    "multipart_init": ("transfers:upload-sheet", "transfers:upload-start", "objects:copy"),
    "multipart_upload": ("transfers:upload-start",),
    "multipart_upload_copy": ("objects:copy",),
    "multipart_complete": ("transfers:upload-start", "objects:copy", "transfers:unfinished-complete"),
    "multipart_list_part": ("transfers:unfinished-upload", "transfers:unfinished-parts"),
    "multipart_abort": ("transfers:cancel", "transfers:unfinished-abort", "transfers:unfinished-abort-all"),
    "multipart_list": (
        "transfers:unfinished",
        "transfers:all-unfinished",
        "buckets:overview",
        "buckets:danger",
    ),
    "slice_upload_file": ("transfers:upload-start",),
    "slice_copy_file": ("objects:copy",),
}
# What the document does not have, and today's service or a console needs.
BEYOND = {
    "put_object_copy": "Put Object - Copy",
    "multipart_upload_copy": "Upload Part - Copy",
    "get_object_url": "Presigned URL",
    "get_bucket_pages": "Get Bucket, page after page",
    "get_bucket_xml": "Get Bucket, as the store wrote it",
    "get_object_acls": "Get Object ACL, of many objects at once",
}
WITHOUT_WIRE = {
    "get_object_url": "nothing: a request to be sent by somebody else",
    "get_bucket_pages": "as Get Bucket, often",
    "get_bucket_xml": "as Get Bucket",
    "get_object_acls": "as Get Object ACL, often",
}


def implemented() -> list[Documented]:
    """Return the documented operations that the client has."""
    return [one for one in REQUIREMENT if hasattr(CosClient, one.python)]


def beyond() -> dict[str, str]:
    """Return the titles of the client's other methods, by method."""
    methods = {name for name, _ in inspect.getmembers(CosClient, inspect.isfunction) if name[0] != "_"}
    others = methods - {one.python for one in REQUIREMENT}
    return {name: BEYOND[name] for name in sorted(others, key=list(BEYOND).index)}


def generated() -> str:
    """Return the generated half of the page."""
    return "\n".join([MARK, *_summary(), *_others(), *_details()]).rstrip() + "\n"


def written() -> str:
    """Return the whole page as it should be: its first half is kept."""
    return FILE.read_text().partition(MARK)[0] + generated()


def _summary() -> Iterator[str]:
    yield "## Operations\n"
    yield "| operation | documented method | Python | on the wire | page |"
    yield "|---|---|---|---|---|"
    for one in implemented():
        title = f"[{one.title}](#{one.title.lower().replace(' ', '-')})"
        yield f"| {title} | `{one.method}` | `{one.python}` | {_shapes(one)} | {_pages(one.python)} |"
    yield ""


def _others() -> Iterator[str]:
    yield "Beyond the document:\n"
    yield "| operation | Python | on the wire | page |"
    yield "|---|---|---|---|"
    for method, title in beyond().items():
        wire = _shapes(Documented(title, method)) if method in BY_METHOD else WITHOUT_WIRE[method]
        yield f"| {title} | `{method}` | {wire} | {_pages(method)} |"
    yield ""


def _details() -> Iterator[str]:
    yield "## Arguments and results\n"
    yield "A filled dot (●) marks what the 2017 document has; a star, what it marks as required there.\n"
    for one in (*implemented(), *_more_operations()):
        yield f"### {one.title}\n"
        yield f"`{one.python}`: {_shapes(one)}\n"
        yield from _arguments(one)
        yield _results(one) + "\n"


def _more_operations() -> Iterator[Documented]:
    """Yield the operations of today's service that are not in the document, with nothing documented."""
    for method, title in beyond().items():
        if method in BY_METHOD:
            yield Documented(title, method)


def _arguments(one: Documented) -> Iterator[str]:
    documented = one.names
    more = [name for name in arguments_of(one.python) if name not in documented]
    if not documented and not more:
        return
    yield "| argument | 2017 | on the wire |"
    yield "|---|---|---|"
    for name in (*documented, *more):
        mark = ("●*" if name in one.required else "●") if name in documented else ""
        yield f"| `{name}` | {mark} | {wire_of(one.python, name) or '—'} |"
    yield ""


def _results(one: Documented) -> str:
    fields = [f"`{name}`" for name in one.fields]
    found = [name for name in paths_of(sample_of(one.python).result) if not name.startswith("x-cos-meta-")]
    more = [f"`{name}`" for name in found if name not in one.fields]
    texts = [f"Returns {', '.join(fields)}."] if fields else []
    if more:
        texts.append(f"Returns beyond the document: {', '.join(more)}.")
    if one.progress:
        texts.append(f"Progress: {', '.join(f'`{name}`' for name in one.progress.split())}.")
    return " ".join(texts)


def _shapes(one: Documented) -> str:
    shapes = [f"`{shape}`" for shape in shape_of(one.python, one.required)]
    return ", then ".join(shapes) if one.python in SLICES else ", ".join(shapes)


def _pages(method: str) -> str:
    return ", ".join(f"`{name}`" for name in PAGES.get(method, ())) or "—"


if __name__ == "__main__":
    FILE.write_text(written())
