"""docs/cos-api.md tells the truth, and the client has all that the 2017 document asks for."""

from __future__ import annotations

import inspect
import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from apps.storage.cos import CosClient
from tests.house.cos_api import BEYOND, FILE, PAGES, beyond, generated, implemented, written
from tests.house.cos_requirement import BUCKETS, MULTIPART, OBJECTS, REQUIREMENT, SERVICE, Documented
from tests.house.cos_wire import arguments_of, sample_of, value_at, wire_of

every = pytest.mark.parametrize("documented", implemented(), ids=lambda documented: documented.method)


def test_page_is_not_stale() -> None:
    assert FILE.read_text() == written(), "Run: python -m tests.house.cos_api"


def test_requirement_has_thirty_operations() -> None:
    assert [len(group) for group in (SERVICE, BUCKETS, OBJECTS, MULTIPART)] == [1, 13, 8, 8]
    assert len({one.method for one in REQUIREMENT}) == len({one.title for one in REQUIREMENT}) == 30


def test_client_has_every_documented_operation() -> None:
    missing = {one.python for one in REQUIREMENT if not callable(getattr(CosClient, one.python, None))}

    assert missing == set()


@every
def test_every_documented_argument_is_taken_and_goes_somewhere(documented: Documented) -> None:
    taken = set(arguments_of(documented.python))

    for name in documented.names:
        first = name.partition("[]")[0]
        assert first in taken or (first.startswith("x-cos-meta-") and "Metadata" in taken), name
        assert wire_of(documented.python, name), name


@every
def test_no_argument_is_dropped_in_silence(documented: Documented) -> None:
    assert [name for name in arguments_of(documented.python) if not wire_of(documented.python, name)] == []


@every
def test_every_documented_field_is_in_the_result(documented: Documented) -> None:
    result = sample_of(documented.python).result

    empty = {name: value_at(result, name.replace("{*}", "note")) for name in documented.fields}

    assert {name: value for name, value in empty.items() if value in (None, "", [], {})} == {}
    assert result["RequestId"]


@every
def test_progress_has_its_documented_fields(documented: Documented) -> None:
    reports = sample_of(documented.python).reports

    assert reports or not documented.progress
    assert all(report.keys() >= set(documented.progress.split()) for report in reports)


@every
def test_page_names_all_of_it(documented: Documented) -> None:
    section = generated().partition(f"\n### {documented.title}\n")[2].partition("\n### ")[0]

    for name in (*documented.names, *documented.fields, *documented.progress.split()):
        assert f"`{name}`" in section, name


@pytest.mark.parametrize("method", [*(one.python for one in implemented()), *BEYOND])
def test_docstring_says_errors_and_source(method: str) -> None:
    words = inspect.getdoc(getattr(CosClient, method)) or ""

    assert re.search(r"\braises\b", words, re.IGNORECASE)
    assert "Source: " in words


def test_methods_beyond_the_document_have_a_title() -> None:
    assert beyond().keys() == BEYOND.keys()


def test_pages_exist() -> None:
    names = set(_names(get_resolver().url_patterns))

    assert {name for pages in PAGES.values() for name in pages} <= names
    assert PAGES.keys() <= {one.python for one in REQUIREMENT} | BEYOND.keys()


def _names(patterns: list[URLPattern | URLResolver], namespace: str = "") -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            found += _names(pattern.url_patterns, inner)
        else:
            found.append(f"{namespace}{pattern.name}")
    return found
