"""What a provider can do and needs, as data: forms and pages are made from it."""

from __future__ import annotations

from dataclasses import dataclass

from apps.storage.grants import CannedAcl


@dataclass(frozen=True)
class CredentialField:
    """One input that a provider needs to open a store; `connections` turns it into a form field."""

    name: str
    label: str
    is_secret: bool = False
    is_required: bool = True
    help_text: str = ""


@dataclass(frozen=True)
class CorsLimits:
    """What CORS rules may hold; `document_bytes_max` is for all of them as they are sent."""

    rules_max: int
    document_bytes_max: int
    methods: tuple[str, ...]


@dataclass(frozen=True)
class TagLimits:
    """What tags may be: how many, how many characters, and of which kind.

    Letters and digits of any script are allowed, and `symbols`; a key must not begin with a `reserved` text.
    """

    count_max: int
    key_max: int
    value_max: int
    symbols: str
    reserved: tuple[str, ...]


@dataclass(frozen=True)
class Features:
    """What a provider can do, as data. Templates ask this, never the provider's name.

    The two lists of permissions are those that a grant on a bucket or on an object may name. `_max` are
    limits in bytes where the name says so, else counts. Objects of `archive_classes` must be restored before
    they can be read. Where a store `may_force_download`, a link to its own host may save what
    was to be shown.
    """

    regions: tuple[str, ...]
    storage_classes: tuple[str, ...]
    bucket_canned_acls: tuple[CannedAcl, ...]
    object_canned_acls: tuple[CannedAcl, ...]
    bucket_permissions: tuple[str, ...]
    object_permissions: tuple[str, ...]
    grants_max: int
    cors: CorsLimits
    bucket_tags: TagLimits
    object_tags: TagLimits
    metadata_bytes_max: int
    key_bytes_max: int
    archive_classes: tuple[str, ...]
    part_size_min: int
    part_size_max: int
    parts_max: int
    single_put_max: int
    single_copy_max: int
    delete_batch_max: int
    may_force_download: bool
    bucket_name_help: str

    @property
    def bucket_acls(self) -> tuple[str, ...]:
        """Return the canned names that a bucket takes."""
        return tuple(canned.name for canned in self.bucket_canned_acls)

    @property
    def object_acls(self) -> tuple[str, ...]:
        """Return the canned names that an object takes."""
        return tuple(canned.name for canned in self.object_canned_acls)
