"""One operation with its arguments, as our client and both official SDKs spell them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.storage.cos import CosClient
from tests.storage.wire.facts import Differ

BUCKET = "photos-1250000000"
REGION = "ap-guangzhou"
HOST = f"{BUCKET}.cos.{REGION}.myqcloud.com"
AT = {"Bucket": BUCKET, "Region": REGION}
KEY = "dir/中 文+a(1)~!*'.txt"
Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """A method of an SDK, and how its request differs from ours.

    `instead` replaces arguments that it spells differently; None leaves one out. `missing` says what the SDK
    cannot express, so that it sends nothing.
    """

    method: str
    instead: Arguments = field(default_factory=dict)
    differs: Mapping[str, Differ] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True)
class Case:
    """`arguments` are ours, without bucket and region."""

    name: str
    arguments: Arguments
    python: Side
    node: Side
    answer: bytes = b""
    is_about_bucket: bool = True

    @property
    def operation(self) -> str:
        return self.name.partition(",")[0]

    def call(self, client: CosClient) -> Any:
        """Call our client, and read a download to its end."""
        result = getattr(client, self.operation)(**self._place(AT), **self.arguments)
        if result.get("Body"):
            result["Body"] = b"".join(result["Body"])
        return result

    def for_python(self) -> dict[str, Any]:
        """Return the arguments of the Python SDK, which knows its region already."""
        return {**self._place({"Bucket": BUCKET}), **_merged(_prefixed(self.arguments), self.python.instead)}

    def for_node(self) -> dict[str, Any]:
        """Return the parameters of the Node SDK, where metadata is not nested."""
        flat = dict(_prefixed(self.arguments))
        flat = {**flat, **flat.pop("Metadata", {})}
        return {**self._place(AT), **_merged(flat, self.node.instead)}

    def _place(self, place: Mapping[str, str]) -> Mapping[str, str]:
        return place if self.is_about_bucket else {}


def _merged(arguments: Arguments, instead: Arguments) -> dict[str, Any]:
    return {name: value for name, value in {**arguments, **instead}.items() if value is not None}


def _prefixed(arguments: Arguments) -> Arguments:
    if "Metadata" not in arguments:
        return arguments
    metadata = {f"x-cos-meta-{name}": value for name, value in arguments["Metadata"].items()}
    return {**arguments, "Metadata": metadata}
