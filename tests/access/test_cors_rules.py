"""The console and the embedded store, which share no code, read the same rules the same way."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.access.rules.cors import Question, evaluate
from apps.access.rules.cors_documents import cors_xml
from apps.access.rules.cors_limits import origin_problem
from apps.localstore.cors import CorsRule as StoredRule
from apps.localstore.cors import cors_headers, cors_parse
from apps.localstore.errors import StoreError
from apps.storage.cors import Cors, CorsRule
from apps.storage.cos.xmlwrite import cors_body
from apps.storage.providers.cos.settings import cors_options

ORIGINS = (
    "*",
    "https://a.example.com",
    "https://b.example.com",
    "https://*.example.com",
    "https://*",
    "http://a.example.com:8080",
    "http://*:8080",
    "HTTPS://A.EXAMPLE.COM",
    "https://a*a.example.com",
)
ASKED = (*ORIGINS[1:3], "https://evil.example", "http://a.example.com:8080", "https://A.example.com", "null")
HEADERS = ("*", "content-md5", "Content-Type", "x-cos-meta-a", "x-cos-*", "*-md5", "range")
METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")

few = {"min_size": 1, "max_size": 3, "unique": True}
rules = st.builds(
    CorsRule,
    origins=st.lists(st.sampled_from(ORIGINS), **few).map(tuple),
    methods=st.lists(st.sampled_from(METHODS), **few).map(tuple),
    allowed_headers=st.lists(st.sampled_from(HEADERS), max_size=3, unique=True).map(tuple),
    exposed_headers=st.lists(st.sampled_from(["ETag", "x-cos-request-id"]), max_size=2, unique=True).map(
        tuple
    ),
    max_age_s=st.none() | st.integers(0, 999_999),
    id=st.sampled_from(["", "one", "zwei & <drei>"]),
)
questions = st.builds(
    Question,
    origin=st.sampled_from(ASKED),
    method=st.sampled_from((*METHODS, "PATCH")),
    headers=st.lists(
        st.sampled_from(("content-md5", "Content-Type", "x-cos-meta-a", "if-match")), max_size=3
    ).map(tuple),
)


def stored(rule: CorsRule) -> StoredRule:
    age = "" if rule.max_age_s is None else str(rule.max_age_s)
    return StoredRule(rule.id, rule.origins, rule.methods, rule.allowed_headers, rule.exposed_headers, age)


@given(st.lists(rules, max_size=4), questions)
@settings(max_examples=400, deadline=None)
def test_evaluation_agrees_with_the_embedded_store(held: list[CorsRule], question: Question) -> None:
    verdict = evaluate(held, question)
    said = cors_headers(
        [stored(rule) for rule in held],
        origin=question.origin,
        method=question.method,
        requested=", ".join(question.headers),
    )

    assert verdict.answer.is_allowed == (said is not None)
    if said is None:
        assert verdict.number == 0
        assert len(verdict.misses) == len(held)
        return
    headers = dict(said)
    answer = verdict.answer
    assert headers["Access-Control-Allow-Origin"] == answer.origin
    assert ("Access-Control-Allow-Credentials" in headers) == answer.has_credentials
    assert headers["Access-Control-Allow-Methods"] == ",".join(answer.methods)
    assert headers.get("Access-Control-Allow-Headers", "") == ",".join(answer.headers)
    assert headers.get("Access-Control-Expose-Headers", "") == ",".join(answer.exposed_headers)
    assert headers.get("Access-Control-Max-Age", "") == (
        "" if answer.max_age_s is None else str(answer.max_age_s)
    )


@given(st.lists(rules, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_document_is_the_one_that_is_sent(held: list[CorsRule]) -> None:
    cors = Cors(rules=tuple(held))
    options = cors_options(cors)

    assert cors_xml(cors).encode() == cors_body(options["CORSRules"], extra=options["Extra"])


def test_nearest_rule_is_told_with_all_that_is_missing() -> None:
    held = [
        CorsRule(origins=("https://b.example.com",), methods=("PUT",), allowed_headers=("*",)),
        CorsRule(origins=("https://a.example.com",), methods=("GET",)),
        CorsRule(origins=("https://a.example.com",), methods=("PUT",), allowed_headers=("content-md5",)),
    ]

    verdict = evaluate(held, Question("https://a.example.com", "PUT", ("content-md5", "x-cos-meta-a")))

    assert verdict.nearest is not None
    assert verdict.nearest.number == 3
    assert verdict.nearest.headers == ("x-cos-meta-a",)


ORIGIN_TEXTS = st.sampled_from(ORIGINS) | st.from_regex(
    r"(https?://|)[a-z*.:/?#@\[\]0-9 é-]{0,12}", fullmatch=True
)


@given(ORIGIN_TEXTS)
@settings(max_examples=400, deadline=None)
def test_what_the_form_accepts_the_store_accepts(origin: str) -> None:
    if origin_problem(origin):
        return
    cors = Cors(rules=(CorsRule(origins=(origin,), methods=("GET",)),))
    try:
        cors_parse(cors_xml(cors).encode())
    except StoreError as error:
        raise AssertionError(f"{origin!r}: {error}") from None
