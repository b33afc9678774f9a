from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apps.storage import errors
from console.middleware import EXPLANATIONS, StorageErrorMiddleware, explanation_of

KINDS = [
    (errors.BucketNotFound, 404, "This bucket does not exist"),
    (errors.ObjectNotFound, 404, "This object does not exist"),
    (errors.UploadNotFound, 404, "This upload does not exist any more"),
    (errors.Denied, 403, "The store refused the key"),
    (errors.Conflict, 409, "The store cannot do this now"),
    (errors.Refused, 400, "The store did not accept this request"),
    (errors.Throttled, 503, "The store asks to slow down"),
    (errors.Unavailable, 503, "The store did not answer"),
    (errors.Interrupted, 503, "The store did not answer"),
    (errors.Corrupted, 502, "an answer that cannot be trusted"),
]


def answer_to(error: Exception, **headers: str) -> HttpResponse | None:
    request = RequestFactory(headers=headers).get("/b/demo/media-1250000000/")
    request.user = AnonymousUser()
    return middleware().process_exception(request, error)


def middleware() -> StorageErrorMiddleware:
    return StorageErrorMiddleware(lambda request: HttpResponse())


@pytest.mark.parametrize(("kind", "status", "title"), KINDS)
def test_page_says_what_happened(kind: type[errors.StorageError], status: int, title: str, db: None) -> None:
    error = kind("<Access> denied.", code="AccessDenied", status=403, request_id="NjA1M2Fk")

    response = answer_to(error, Accept="text/html")

    assert response is not None
    assert response.status_code == status
    text = response.content.decode()
    assert title in text
    assert "AccessDenied" in text
    assert "NjA1M2Fk" in text
    assert "&lt;Access&gt; denied." in text


@pytest.mark.parametrize(("kind", "status", "title"), KINDS)
def test_fragment_is_a_notice(kind: type[errors.StorageError], status: int, title: str, db: None) -> None:
    response = answer_to(kind("No.", code="Code", request_id="Id"), **{"HX-Request": "true"})

    assert response is not None
    assert response.status_code == status
    text = response.content.decode()
    assert text.strip().startswith('<div class="notice notice-error" data-toast="error"')
    assert title in text


def test_script_gets_json(db: None) -> None:
    response = answer_to(
        errors.Denied("No.", code="AccessDenied", request_id="Id"), Accept="application/json"
    )

    assert response is not None
    assert response.status_code == 403
    assert response["Content-Type"] == "application/json"
    assert b'"code": "AccessDenied"' in response.content


def test_passing_failure_says_when_to_try_again(db: None) -> None:
    response = answer_to(errors.Throttled("SlowDown."))

    assert response is not None
    assert response["Retry-After"] == "5"
    assert response["Cache-Control"] == "no-store"


def test_other_exceptions_are_left_alone() -> None:
    assert answer_to(ValueError("a bug")) is None


def test_every_kind_of_failure_has_words_of_its_own_or_is_unexpected() -> None:
    explained = {kind for kind, _ in EXPLANATIONS}

    direct = set(errors.StorageError.__subclasses__())

    assert direct - explained == {errors.Corrupted, errors.Canceled}


def test_narrow_kinds_come_before_wide_ones() -> None:
    for kind, explanation in EXPLANATIONS:
        assert explanation_of(kind("")) is explanation


def test_caches_keep_pages_and_fragments_apart(rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("page")

    assert "HX-Request" in StorageErrorMiddleware(view)(rf.get("/"))["Vary"]
