"""Keys at rest: encrypted with the first of CREDENTIAL_KEYS, read with any of them."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _

from apps.storage.errors import Denied


class SecretUnreadable(Denied):
    """What a connection keeps was encrypted with a key that CREDENTIAL_KEYS no longer names."""


def secret_encrypt(text: str) -> bytes:
    """Return `text` encrypted with today's key; an empty text stays empty."""
    return _cipher().encrypt(text.encode()) if text else b""


def secret_decrypt(blob: bytes) -> str:
    """Return what `secret_encrypt` was given. Raises SecretUnreadable when no key fits."""
    if not blob:
        return ""
    try:
        return _cipher().decrypt(bytes(blob)).decode()
    except InvalidToken:
        raise SecretUnreadable(
            _("The saved key cannot be decrypted: CREDENTIAL_KEYS has changed. Enter the key again.")
        ) from None


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(_fernet_key(text)) for text in settings.CREDENTIAL_KEYS])


def _fernet_key(text: str) -> bytes:
    """Return a Fernet key for a setting that may be any text; long random text is asked for, not checked."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
