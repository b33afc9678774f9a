from __future__ import annotations

from django import forms

from apps.transfers.fields import KeyField


class ScopeForm(forms.Form):
    """Which part of a bucket: everything below a prefix, all of it when that is empty."""

    prefix = KeyField(required=False)  # type: ignore[assignment]
