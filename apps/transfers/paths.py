"""Which way a file takes into a bucket: through the console, or directly from the browser to the store.

A policy may decide. Otherwise the store is asked what it would tell the person's browser, with the preflight
that the browser itself will send, and the answer is remembered for a short while. Whatever is said here, the
browser's own preflight decides in the end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.access.rules.browsers import Outcome, browser_outcome
from apps.access.rules.cors import Question
from apps.access.services.preflights import preflights_ask
from apps.connections.models import Connection
from apps.connections.services import bucket_region, store_for
from apps.storage.cors import CorsRule, Preflight
from apps.storage.errors import StorageError
from apps.transfers.models import Transfer, UploadPolicy

Policy = UploadPolicy.Policy

# Only the path of the address differs between keys, and no rule looks at it.
PROBE_KEY = "direct-upload"
PROBE_TIMEOUT_S = 4.0
ALLOWED_FOR_S = 60.0
REFUSED_FOR_S = 15.0
REMEMBERED_AT_MOST = 256
EXPOSED = ("ETag", "x-cos-hash-crc64ecma")
RULE_MAX_AGE_S = 600
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

_remembered: dict[tuple[object, ...], tuple[float, Preflight | StorageError]] = {}


class Reason(Enum):
    """Why a file takes the way that it takes."""

    ALLOWED = "allowed"
    POLICY = "policy"
    NO_RULE = "no rule"
    NO_ANSWER = "no answer"
    ELSEWHERE = "elsewhere"
    INSECURE = "insecure"
    KEY = "key"


@dataclass(frozen=True)
class Path:
    """The way of new files, and why. `policy` is the one that counts for this bucket.

    `exposed` are the headers of `EXPOSED` that the browser may read: what it cannot read it cannot compare,
    and the comparison of the whole has to do.
    """

    way: Transfer.Path
    reason: Reason
    policy: Policy
    host: str = ""
    exposed: tuple[str, ...] = ()

    @property
    def is_direct(self) -> bool:
        return self.way == Transfer.Path.DIRECT

    @property
    def is_impossible(self) -> bool:
        """Whether only the direct way is allowed, and the store refuses it."""
        return self.policy == Policy.DIRECT and not self.is_direct

    def for_key(self, key: str) -> Path:
        """Return the way of one key: a browser takes “..” out of an address, and asks for another object."""
        if self.is_direct and not {".", ".."}.isdisjoint(key.split("/")):
            return replace(self, way=Transfer.Path.CONSOLE, reason=Reason.KEY)
        return self

    @property
    def hidden(self) -> tuple[str, ...]:
        return tuple(name for name in EXPOSED if name not in self.exposed)

    @property
    def text(self) -> str:
        """Why this way and not the other, as a sentence."""
        return _SENTENCES[self.reason]() if self.reason in _SENTENCES else ""


_SENTENCES = {
    Reason.ALLOWED: lambda: _("The store lets this console's pages send to it."),
    Reason.POLICY: lambda: _("An administrator chose that all files go through the console."),
    Reason.NO_RULE: lambda: _(
        "The store does not let this console's pages send to it: a CORS rule is missing."
    ),
    Reason.NO_ANSWER: lambda: _("The store did not say whether this console's pages may send to it."),
    Reason.ELSEWHERE: lambda: _(
        "The console reaches this store in a way of its own, which a browser cannot take."
    ),
    Reason.INSECURE: lambda: _("The store's address has no https, so that browsers refuse it on this page."),
    Reason.KEY: lambda: _("The key holds “.” or “..”, which browsers take out of the store's address."),
}


def policy_of(connection: Connection, bucket: str) -> Policy:
    """Return what was decided for the bucket, or else for all buckets of the connection."""
    lines = UploadPolicy.objects.filter(connection=connection, bucket__in=("", bucket)).order_by("-bucket")
    chosen = lines.values_list("policy", flat=True).first()
    return Policy.AUTO if chosen is None else Policy(chosen)


def path_for(connection: Connection, bucket: str, origin: str, *, is_fresh: bool = False) -> Path:
    """Return the way of a new file. `origin` is the console's own, as the browser spells it.

    Asks the store at most once a minute, or now with `is_fresh`. Raises nothing: a store that does not
    answer gets its files through the console, or later.
    """
    policy = policy_of(connection, bucket)
    if policy == Policy.CONSOLE:
        return Path(Transfer.Path.CONSOLE, Reason.POLICY, policy)
    try:
        region = bucket_region(connection, bucket)
    except StorageError:
        return Path(Transfer.Path.CONSOLE, Reason.NO_ANSWER, policy)
    host = _origin_in(connection, bucket, region)
    obstacle = _obstacle(connection, host=host, origin=origin, policy=policy)
    if obstacle is not None:
        return Path(Transfer.Path.CONSOLE, obstacle, policy, host)
    answer = _probe(connection, bucket, region, origin, is_fresh=is_fresh)
    if isinstance(answer, StorageError):
        return Path(Transfer.Path.CONSOLE, Reason.NO_ANSWER, policy, host)
    if browser_outcome(Question(origin, "PUT"), answer) is not Outcome.SENT:
        return Path(Transfer.Path.CONSOLE, Reason.NO_RULE, policy, host)
    said = {name.lower() for name in answer.exposed_headers}
    exposed = tuple(name for name in EXPOSED if name.lower() in said)
    return Path(Transfer.Path.DIRECT, Reason.ALLOWED, policy, host, exposed)


def origin_of(request: HttpRequest) -> str:
    """Return the console's origin as the person's browser knows it.

    A proxy may have changed the host on the way; scripts' requests say the origin themselves, and Django has
    compared it with the trusted ones.
    """
    said = urlsplit(request.headers.get("Origin", ""))
    if request.method == "POST" and said.scheme in ("http", "https") and said.netloc:
        return f"{said.scheme}://{said.netloc}"
    return _trusted_origin(request) or f"{request.scheme}://{request.get_host()}"


def _trusted_origin(request: HttpRequest) -> str:
    """Return the origin that whoever runs the console named for this host, '' where there is none.

    A page's request says no origin, and behind a proxy that ends TLS it may look as if it came over http.
    """
    host = request.get_host()
    return next((one for one in settings.CSRF_TRUSTED_ORIGINS if urlsplit(one).netloc == host), "")


def store_origin(connection: Connection, bucket: str) -> str:
    """Return scheme and host of a bucket's public address; may ask for the region and raise StorageError."""
    return _origin_in(connection, bucket, bucket_region(connection, bucket))


def _origin_in(connection: Connection, bucket: str, region: str) -> str:
    address = urlsplit(store_for(connection).object_url(bucket=bucket, region=region, key=PROBE_KEY))
    return f"{address.scheme}://{address.netloc}"


def rule_for(origin: str) -> CorsRule:
    """Return the one rule that direct uploads need: this console, PUT, no header of ours, two to read."""
    return CorsRule(
        origins=(origin,),
        methods=("PUT",),
        exposed_headers=EXPOSED,
        max_age_s=RULE_MAX_AGE_S,
        # No two rules of a bucket may have the same name, and several consoles may send to it.
        id=f"direct-uploads-{urlsplit(origin).netloc.replace(':', '-')}",
    )


def _obstacle(connection: Connection, *, host: str, origin: str, policy: Policy) -> Reason | None:
    """Return why a browser would not get to the store at all, as far as addresses tell."""
    is_local = _is_loopback(host)
    if host.startswith("http:") and origin.startswith("https:") and not is_local:
        return Reason.INSECURE
    if policy == Policy.DIRECT:
        # Somebody who knows the network decided that browsers get there.
        return None
    if is_local:
        return None if _is_loopback(origin) else Reason.ELSEWHERE
    return Reason.ELSEWHERE if connection.connect_to else None


def _is_loopback(address: str) -> bool:
    name = urlsplit(address).hostname or ""
    return name in _LOOPBACK or name.endswith(".localhost")


def _probe(
    connection: Connection, bucket: str, region: str, origin: str, *, is_fresh: bool
) -> Preflight | StorageError:
    place = (connection.pk, connection.suffix, connection.connect_to, bucket, origin)
    known = _remembered.get(place)
    if known is not None and known[0] > time.monotonic() and not is_fresh:
        return known[1]
    answer = preflights_ask(
        connection,
        bucket=bucket,
        region=region,
        asked=[(PROBE_KEY, Question(origin, "PUT"))],
        timeout_s=PROBE_TIMEOUT_S,
    )[0]
    if len(_remembered) >= REMEMBERED_AT_MOST:
        _remembered.clear()
    is_good = isinstance(answer, Preflight) and answer.is_allowed
    _remembered[place] = (time.monotonic() + (ALLOWED_FOR_S if is_good else REFUSED_FOR_S), answer)
    return answer
