"""One suite for every provider: run it with a real account by setting what `contract.place` names."""

from __future__ import annotations

from tests.storage.contract import access, addresses, buckets, copies, multipart, objects
from tests.storage.contract.access import *  # noqa: F403
from tests.storage.contract.addresses import *  # noqa: F403
from tests.storage.contract.buckets import *  # noqa: F403
from tests.storage.contract.copies import *  # noqa: F403
from tests.storage.contract.multipart import *  # noqa: F403
from tests.storage.contract.objects import *  # noqa: F403
from tests.storage.contract.place import embedded, own, place, real_account, real_bucket

__all__ = ["embedded", "own", "place", "real_account", "real_bucket"]


def test_no_topic_hides_a_test_of_another() -> None:
    topics = (access, addresses, buckets, copies, multipart, objects)

    names = [name for topic in topics for name in vars(topic) if name.startswith("test_")]

    assert len(names) == len(set(names))
