"""The demo: a connection to the embedded store with something in it, made once, on the first run."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from apps.connections.models import Connection
from apps.connections.services import connection_create, connection_update
from apps.localstore.accounts import Account
from apps.storage.cos.client import CosClient
from apps.storage.errors import Conflict, StorageError
from apps.storage.types import Credentials, Endpoint
from console.demo.contents import APPID, DemoBucket, DemoObject, demo_buckets
from console.supervisor.datafolder import DataFolder

if TYPE_CHECKING:
    from apps.accounts.models import Person

NAME = "Demo store"
MARKER = "demo"
SCHEME = "http"
# Browsers resolve every name below localhost to their own machine: presigned addresses then work in one that
# runs beside the store, and files can go to it directly.
SUFFIX = "localhost:{port}"
CONCURRENCY = 8


def demo_ensure(folder: DataFolder, *, owner: Person, port: int, account: Account) -> list[str]:
    """Create the demo once per database, or follow the store to its port. Returns what to tell the person.

    A demo that somebody deleted stays away: the marker says that it was there. A marker older than the first
    person belongs to an earlier database, so that it counts for nothing.
    """
    place = f"127.0.0.1:{port}"
    suffix = SUFFIX.format(port=port)
    marker = folder.read(MARKER)
    if marker and datetime.fromisoformat(marker["created_at"]) >= owner.date_joined:
        _follow(
            Connection.objects.filter(pk=marker["connection"]).first(),
            place=place,
            suffix=suffix,
            account=account,
        )
        return []
    try:
        _fill(_client(account, place))
    except StorageError as error:
        return [f"The demo objects could not be created ({error}); the next start tries again."]
    connection = connection_create(
        owner=owner,
        name=NAME,
        scheme=SCHEME,
        suffix=suffix,
        connect_to=place,
        appid=APPID,
        default_region="ap-guangzhou",
        secret_id=account.secret_id,
        secret_key=account.secret_key,
    )
    folder.write(MARKER, {"connection": connection.pk, "created_at": datetime.now(UTC).isoformat()})
    return []


def _follow(connection: Connection | None, *, place: str, suffix: str, account: Account) -> None:
    """Point the demo to where the store runs now, unless a person made something else of it."""
    if connection is None or not connection.connect_to.startswith("127.0.0.1:"):
        return
    known = (connection.connect_to, connection.suffix, connection.secret_id)
    if known != (place, suffix, account.secret_id):
        connection_update(
            connection,
            connect_to=place,
            suffix=suffix,
            secret_id=account.secret_id,
            secret_key=account.secret_key,
        )


def _client(account: Account, place: str) -> CosClient:
    return CosClient(
        credentials=Credentials(account.secret_id, account.secret_key),
        endpoint=Endpoint(scheme=SCHEME, connect_to=place),
    )


def _fill(client: CosClient) -> None:
    """Write everything; what an interrupted first run already wrote is written again."""
    for bucket in demo_buckets():
        # It exists after a first run that was interrupted.
        with suppress(Conflict):
            client.put_bucket(Bucket=bucket.name, Region=bucket.region)
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            for _ in pool.map(partial(_put, client, bucket), bucket.objects):
                pass
        _configure(client, bucket)


def _put(client: CosClient, bucket: DemoBucket, item: DemoObject) -> None:
    client.put_object(Bucket=bucket.name, Region=bucket.region, Key=item.key, Body=item.data, **item.options)


def _configure(client: CosClient, bucket: DemoBucket) -> None:
    where: dict[str, Any] = {"Bucket": bucket.name, "Region": bucket.region}
    if bucket.grants:
        client.put_bucket_acl(**where, **_with_owner(client, where, bucket.grants))
    if bucket.cors:
        client.put_bucket_cors(**where, CORSRules=bucket.cors)
    if bucket.tags:
        client.put_bucket_tagging(
            **where, Tags=[{"Key": key, "Value": value} for key, value in bucket.tags.items()]
        )


def _with_owner(client: CosClient, where: Mapping[str, Any], grants: Mapping[str, Any]) -> dict[str, Any]:
    """Return the grants, a policy among them with the owner that the store demands in it."""
    policy = grants.get("AccessControlPolicy")
    if policy is None:
        return dict(grants)
    owner = client.get_bucket_acl(**where)["Owner"]
    return {"AccessControlPolicy": {**policy, "Owner": owner}}
