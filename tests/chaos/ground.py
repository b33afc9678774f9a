"""Where people copy to: buckets of further connections, with the same account's key and with another's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint
from tests.chaos.console import BUCKET, CONNECTION, OPEN_BUCKET, REGION, TormentedConsole
from tests.chaos.person import Person, Stuck

NEAR_REGION = "ap-shanghai"


@dataclass(frozen=True)
class Place:
    """A bucket, the connection that people reach it by, and a key that may do everything there."""

    connection: str
    bucket: str
    region: str
    client: CosClient = field(repr=False)

    @property
    def at(self) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Region": self.region}

    def named_from(self, connection: str) -> str:
        """Return how a form calls this bucket that belongs to a page of a connection."""
        return self.bucket if connection == self.connection else f"{self.connection}/{self.bucket}"


@dataclass(frozen=True)
class Ground:
    """`own` is where things are, `open` takes browsers' parts, `near` has the same key, `far` another's."""

    own: Place
    open: Place
    near: Place
    far: Place

    @property
    def all(self) -> tuple[Place, ...]:
        return (self.own, self.open, self.near, self.far)

    def place_of(self, bucket: str) -> Place:
        return next(place for place in self.all if place.bucket == bucket)


def ground_lay(console: TormentedConsole, person: Person) -> Ground:
    """Create the buckets and the connections."""
    own = console.store_client()
    console.bucket_open()
    near, far = f"chaos-near-{BUCKET.rpartition('-')[2]}", console.account_add()
    first = json.loads((console.folder / "store" / "accounts.json").read_text())[0]
    return Ground(
        own=Place(CONNECTION, BUCKET, REGION, own),
        open=Place(CONNECTION, OPEN_BUCKET, REGION, own),
        near=_connected(console, person, "near", first, bucket=near, region=NEAR_REGION),
        far=_connected(console, person, "far", far, bucket=f"chaos-far-{far['appid']}", region=REGION),
    )


def _connected(
    console: TormentedConsole,
    person: Person,
    name: str,
    account: dict[str, Any],
    *,
    bucket: str,
    region: str,
) -> Place:
    """Create a bucket with an account's key, and a connection with the same key."""
    endpoint = Endpoint(scheme="http", connect_to=f"127.0.0.1:{console.store_port}")
    client = CosClient(
        credentials=Credentials(account["secret_id"], account["secret_key"]), endpoint=endpoint
    )
    client.put_bucket(Bucket=bucket, Region=region)
    fields = {
        "name": name,
        "appid": account["appid"],
        "secret_id": account["secret_id"],
        "secret_key": account["secret_key"],
        "default_region": region,
        "scheme": "http",
        "suffix": f"localhost:{console.store_port}",
        "connect_to": f"127.0.0.1:{console.store_port}",
    }
    answer = person.post("/connections/new/", fields)
    if answer.status != 302:
        raise Stuck(f"No connection: {answer.status} {answer.body[-2000:]!r}")
    # Whoever looked into it once is offered its buckets at any time.
    person.ask("GET", f"/b/{name}/{bucket}/")
    return Place(name, bucket, region, client)
