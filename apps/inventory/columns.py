"""A column for keys: text in Python, UTF-8 bytes in the database."""

from __future__ import annotations

from typing import Any

from django.db import models


class KeyColumn(models.BinaryField):  # type: ignore[type-arg]
    """A key or prefix exactly as it is.

    Bytes compare in the order in which a store lists keys, under every database and locale, and may hold
    NUL, which PostgreSQL's text cannot.
    """

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(key_bytes(value) if isinstance(value, str) else value)

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        return None if value is None else key_text(value)

    def to_python(self, value: Any) -> Any:
        return value


def key_bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def key_text(stored: bytes | memoryview) -> str:
    return bytes(stored).decode("utf-8", "surrogatepass")
