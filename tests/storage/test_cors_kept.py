"""CORS configurations that hold more than the console knows are written back whole, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.storage import errors
from apps.storage.cors import Cors, CorsRule
from apps.storage.providers.cos import CosStore
from apps.storage.tags import Tag, tags_digest
from tests.storage.recorder import Recorder, reply

AT = {"bucket": "photos-1250000000", "region": "ap-guangzhou"}
PLAIN = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"


def document(*rules: str, rest: str = "") -> bytes:
    listed = "".join(f"<CORSRule>{rule}</CORSRule>" for rule in rules)
    return f"<CORSConfiguration>{listed}{rest}</CORSConfiguration>".encode()


@pytest.mark.parametrize(
    "known",
    [
        document(PLAIN),
        document(f"<ID>1</ID>{PLAIN}<MaxAgeSeconds>0</MaxAgeSeconds>", PLAIN),
        document(PLAIN, rest="<ResponseVary>true</ResponseVary>"),
        document(f"{PLAIN}<Comment>a &amp; b</Comment><Comment>c</Comment>"),
        document(f"{PLAIN}<MaxAgeSeconds>0600</MaxAgeSeconds>"),
        document(f"{PLAIN}<MaxAgeSeconds>a while</MaxAgeSeconds>"),
        document(f"{PLAIN}<MaxAgeSeconds>{'9' * 5000}</MaxAgeSeconds>"),
        document("<AllowedOrigin> *</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod>"),
    ],
)
def test_configuration_goes_back_byte_for_byte(
    recorder: Recorder, recorded_store: CosStore, known: bytes
) -> None:
    recorder.default = reply(body=known)

    recorded_store.put_bucket_cors(**AT, cors=recorded_store.get_bucket_cors(**AT))

    assert recorder.seen[-1].body == known


@pytest.mark.parametrize(
    ("intricate", "name"),
    [
        (document(f"{PLAIN}<Limits><Rate>1</Rate></Limits>"), "CORSRule/Limits"),
        (document(f'{PLAIN}<Comment lang="en">a</Comment>'), "CORSRule/Comment"),
        (document('<AllowedOrigin kind="x">*</AllowedOrigin>'), "CORSRule/AllowedOrigin"),
        (document(PLAIN, rest="<Vary><On>Origin</On></Vary>"), "CORSConfiguration/Vary"),
    ],
)
def test_element_that_cannot_be_kept_stops_the_write(
    recorder: Recorder, recorded_store: CosStore, intricate: bytes, name: str
) -> None:
    recorder.default = reply(body=intricate)
    cors = recorded_store.get_bucket_cors(**AT)

    with pytest.raises(errors.Refused, match=f"{name}.* would be lost"):
        recorded_store.put_bucket_cors(**AT, cors=replace(cors, rules=(CorsRule(("*",), ("GET",)),)))

    assert len(recorder.seen) == 1


def test_name_that_would_break_the_document_is_refused(recorded_store: CosStore) -> None:
    rule = CorsRule(("*",), ("GET",), extras=(("a><b", "c"),))

    with pytest.raises(errors.Refused, match="XML element"):
        recorded_store.put_bucket_cors(**AT, cors=Cors((rule,)))


def test_setting_without_a_rule_is_not_dropped(recorder: Recorder, recorded_store: CosStore) -> None:
    with pytest.raises(errors.Refused, match="Without a rule"):
        recorded_store.put_bucket_cors(**AT, cors=Cors(extras=(("ResponseVary", "true"),)))

    assert recorder.seen == []


def test_digest_knows_no_order_inside_a_rule() -> None:
    rule = CorsRule(("a", "b"), ("PUT", "GET"), ("x", "y"), ("e", "f"), 1)
    same = CorsRule(("b", "a"), ("GET", "PUT"), ("y", "x"), ("f", "e"), 1)

    assert Cors((rule,)).digest == Cors((same,)).digest


@pytest.mark.parametrize(
    "change",
    [
        {"rules": ()},
        {"rules": (CorsRule(("*",), ("GET",)), CorsRule(("*",), ("PUT",)))},
        {"rules": (CorsRule(("*",), ("PUT",), max_age_s=0), CorsRule(("*",), ("GET",)))},
        {"extras": (("ResponseVary", "true"),)},
        {"unknown": ("CORSRule/Limits",)},
    ],
)
def test_digest_notices_every_change(change: dict[str, object]) -> None:
    cors = Cors((CorsRule(("*",), ("PUT",)), CorsRule(("*",), ("GET",))))

    assert replace(cors, **change).digest != cors.digest


def test_digest_of_tags_knows_no_order() -> None:
    tags = [Tag("a", "1"), Tag("A", "2")]

    assert tags_digest(tags) == tags_digest(tags[::-1])
    assert tags_digest(tags) != tags_digest([Tag("a", "2"), Tag("A", "1")])
