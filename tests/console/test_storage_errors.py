from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import translation

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
    (errors.Unavailable, 503, "The store failed to answer"),
    (errors.Interrupted, 503, "The store failed to answer"),
    (errors.Corrupted, 502, "an answer that cannot be trusted"),
]


def answer_to(error: Exception, *, method: str = "GET", **headers: str) -> HttpResponse | None:
    request = RequestFactory(headers=headers).generic(method, "/b/demo/media-1250000000/")
    request.user = AnonymousUser()
    return middleware().process_exception(request, error)


def middleware() -> StorageErrorMiddleware:
    return StorageErrorMiddleware(lambda request: HttpResponse())


@pytest.mark.parametrize(("kind", "status", "title"), KINDS)
def test_page_says_what_happened(kind: type[errors.StorageError], status: int, title: str, db: None) -> None:
    error = kind("<Access> denied.", code="Code", status=500, request_id="NjA1M2Fk")

    response = answer_to(error, Accept="text/html")

    assert response is not None
    assert response.status_code == status
    text = response.content.decode()
    assert title in text
    assert "<code>Code</code>" in text
    assert "<code>500</code>" in text
    assert "NjA1M2Fk" in text
    assert "&lt;Access&gt; denied." in text


@pytest.mark.parametrize(("kind", "status", "title"), KINDS)
def test_fragment_is_a_notice(kind: type[errors.StorageError], status: int, title: str, db: None) -> None:
    response = answer_to(kind("No.", code="Code", status=500, request_id="Id"), **{"HX-Request": "true"})

    assert response is not None
    assert response.status_code == status
    text = response.content.decode()
    assert text.strip().startswith('<div class="notice notice-error" data-toast="error"')
    assert title in text


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (
            errors.Denied("Skewed.", code="RequestTimeTooSkewed", status=403),
            "The clock of this server is wrong",
        ),
        (errors.Denied("No.", code="InvalidAccessKeyId", status=403), "does not know this SecretId"),
        (errors.Unavailable("The host cannot be resolved."), "cannot be found (DNS)"),
        (errors.Unavailable("The certificate has expired."), "No trusted TLS connection"),
        (errors.Unavailable("The store did not answer in time."), "did not answer in time"),
        (errors.Unavailable("", status=500), "The store failed to answer"),
    ],
)
def test_plain_cause_comes_first(error: errors.StorageError, title: str, db: None) -> None:
    response = answer_to(error)

    assert response is not None
    assert title in response.content.decode().partition("<details")[0]


def test_refusal_of_a_head_may_be_a_limit_or_a_failure(db: None) -> None:
    response = answer_to(errors.Unavailable("The store failed to answer.", status=503, request_id="Id"))

    assert response is not None
    assert "The store is limiting requests, or fails" in response.content.decode()
    assert "did not answer" not in response.content.decode()


def test_words_without_a_code_are_not_the_stores(db: None) -> None:
    response = answer_to(errors.Unavailable("Ours.", status=500, request_id="Id"))

    assert response is not None
    assert "The store says" not in response.content.decode()
    assert "<dt>What happened</dt><dd>Ours.</dd>" in response.content.decode()


@pytest.mark.parametrize(("method", "count"), [("GET", 0), ("POST", 1)])
def test_change_that_got_no_answer_may_have_happened(method: str, count: int, db: None) -> None:
    error = errors.Unavailable("The store did not answer in time.")

    response = answer_to(error, method=method)

    assert response is not None
    assert response.content.decode().count("look before you repeat it") == count


def test_notice_in_chinese_has_no_latin_full_stop(db: None) -> None:
    with translation.override("zh-hans"):
        response = answer_to(errors.Throttled("Slow.", code="SlowDown"), **{"HX-Request": "true"})

    assert response is not None
    assert "</strong>" in response.content.decode()
    assert ". " not in response.content.decode().partition("<details")[0].partition("notice-text")[2]


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
        assert explanation_of(kind("")).status is explanation.status


def test_caches_keep_pages_and_fragments_apart(rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("page")

    assert "HX-Request" in StorageErrorMiddleware(view)(rf.get("/"))["Vary"]
