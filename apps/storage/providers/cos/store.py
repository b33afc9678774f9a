"""The whole store contract on the COS client."""

from __future__ import annotations

from apps.storage.cos import CosClient, Retries, Timeouts
from apps.storage.providers.cos.addresses import AddressCalls
from apps.storage.providers.cos.buckets import BucketCalls
from apps.storage.providers.cos.copies import CopyCalls
from apps.storage.providers.cos.features import FEATURES
from apps.storage.providers.cos.multipart import MultipartCalls
from apps.storage.types import Credentials, Endpoint


class CosStore(BucketCalls, CopyCalls, MultipartCalls, AddressCalls):
    """`store.ObjectStore`, which says what each method does."""

    features = FEATURES

    def __init__(
        self,
        credentials: Credentials,
        endpoint: Endpoint,
        *,
        retries: Retries | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.client = CosClient(
            credentials=credentials, endpoint=endpoint, retries=retries, timeouts=timeouts
        )
        self._retries = retries
        self._timeouts = timeouts

    def anonymous(self) -> CosStore:
        return CosStore(_NOBODY, self.client.endpoint, retries=self._retries, timeouts=self._timeouts)


# Without an id there is nothing to sign with, and the client signs nothing.
_NOBODY = Credentials("", "")
