"""Links that somebody made: the address is told once, and what remains is who made it and until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from apps.activity.services import activity_record
from apps.connections.models import Connection
from apps.connections.secrets import secret_decrypt
from apps.connections.services import store_for
from apps.sharing.models import ShareLink
from apps.storage.types import ObjectRef, ResponseHeaders

if TYPE_CHECKING:
    from apps.accounts.models import Person


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a link. An empty `filename` leaves the name to the store."""

    lifetime: timedelta
    is_inline: bool = False
    filename: str = ""
    response: ResponseHeaders = field(default_factory=ResponseHeaders)


def share_create(
    *, person: Person, connection: Connection, ref: ObjectRef, wish: Wish, now: datetime
) -> tuple[ShareLink, str]:
    """Sign an address of an object and keep that it was made; return both. Nothing is sent.

    The address is a secret: show it once, never log or store it. Raises Refused, or SecretUnreadable.
    """
    url = store_for(connection).presign_get(
        bucket=ref.bucket,
        region=ref.region,
        key=ref.key,
        expires_s=int(wish.lifetime.total_seconds()),
        filename=wish.filename or None,
        is_inline=wish.is_inline,
        response=wish.response,
    )
    link = ShareLink.objects.create(
        person=person,
        made_by=person.get_username(),
        connection=connection,
        bucket=ref.bucket,
        key=ref.key,
        is_inline=wish.is_inline,
        filename=wish.filename,
        signed_by=connection.masked_secret_id,
        is_key_temporary=is_key_temporary(connection),
        created_at=now,
        expires_at=now + wish.lifetime,
    )
    activity_record(
        person=person,
        verb="share.create",
        connection=connection.slug,
        bucket=ref.bucket,
        key=ref.key,
        after={"until": link.expires_at, "inline": wish.is_inline, "filename": wish.filename},
    )
    return link, url


def is_key_temporary(connection: Connection) -> bool:
    """Tell whether the connection's key has a token, and so ends by itself. Raises SecretUnreadable."""
    return bool(secret_decrypt(bytes(connection.encrypted_token)))


def links_forget(person: Person, *, now: datetime) -> int:
    """Remove the rows of expired links that the person may see; return how many. Active ones always stay."""
    count, _by_model = ShareLink.objects.visible_to(person).expired(now).delete()
    return count
