"""What a browser carries and cannot change: where slices may be sent, and what their object is to get."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core import signing

from apps.storage.multipart import PartPlan, plan_of

SLICES_PATH = "/slices/"
SALT = "console.transfers.slices"
LIFETIME_S = 6 * 3600
OPTIONS_SALT = "console.transfers.options"
# Ten thousand files over a slow line take days.
OPTIONS_LIFETIME_S = 7 * 24 * 3600


@dataclass(frozen=True)
class SliceToken:
    """What a slice's URL proves: which transfer it belongs to and how that is cut."""

    transfer_id: int
    plan: PartPlan


class TokenRefused(Exception):
    """The token was changed, has expired, or is none of ours."""


def token_create(transfer_id: int, plan: PartPlan, *, now: float) -> str:
    """Return a token for the slices of one transfer, valid for six hours from `now` in unix seconds."""
    return signing.dumps([transfer_id, plan.size, plan.part_size, int(now) + LIFETIME_S], salt=SALT)


def token_read(token: str, *, now: float) -> SliceToken:
    """Return what a token proves; raises TokenRefused with nothing that helps to forge one."""
    try:
        transfer_id, size, part_size, expires_at = _loads(token)
    except (signing.BadSignature, ValueError, TypeError):
        raise TokenRefused from None
    if now > expires_at:
        raise TokenRefused
    return SliceToken(transfer_id=transfer_id, plan=plan_of(size=size, part_size=part_size))


@lru_cache(maxsize=1024)
def _loads(token: str) -> tuple[int, int, int, int]:
    # Cached, because all slices of an upload carry the same token.
    transfer_id, size, part_size, expires_at = signing.loads(token, salt=SALT)
    return transfer_id, size, part_size, expires_at


def options_pack(document: dict[str, Any], *, place: str) -> str:
    """Return what was checked for the objects of a batch as text that a browser can carry and not change.

    `place` says for whom and where it was checked: it counts nowhere else.
    """
    return signing.dumps(document, salt=f"{OPTIONS_SALT}:{place}", compress=True)


def options_read(token: str, *, place: str) -> dict[str, Any]:
    """Return what `options_pack` was given; raises TokenRefused, also after a week."""
    try:
        document: dict[str, Any] = signing.loads(
            token, salt=f"{OPTIONS_SALT}:{place}", max_age=OPTIONS_LIFETIME_S
        )
    except (signing.BadSignature, ValueError, TypeError):
        raise TokenRefused from None
    return document
