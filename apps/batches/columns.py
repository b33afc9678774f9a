"""Keys in a column: opaque text of which PostgreSQL refuses one character."""

from __future__ import annotations

from typing import Any

from django.db import models

_ESCAPES = (("\x01", "\x01\x02"), ("\x00", "\x01\x01"))


def key_packed(key: str) -> str:
    """Return a key without NUL, which a text column of PostgreSQL cannot hold; `key_unpacked` undoes it."""
    if "\x00" not in key and "\x01" not in key:
        return key
    for plain, packed in _ESCAPES:
        key = key.replace(plain, packed)
    return key


def key_unpacked(text: str) -> str:
    """Return the key that `key_packed` made `text` of."""
    if "\x01" not in text:
        return text
    for plain, packed in reversed(_ESCAPES):
        text = text.replace(packed, plain)
    return text


class OpaqueKeyField(models.TextField):  # type: ignore[type-arg]
    """A key as it is, whatever characters it has."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return key_packed(prepared) if isinstance(prepared, str) else prepared

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return None if value is None else key_unpacked(value)
