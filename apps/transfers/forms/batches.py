from __future__ import annotations

from typing import Any

from django import forms

from apps.transfers.fields import KeyField

FILES_MAX = 1_000_000
SIZE_MAX = 1 << 60


class UploadsStartForm(forms.Form):
    """What the browser says about many files before the first of them: where to, how many, how large."""

    # `prefix` and `files` in what is sent; a form uses these words itself.
    target = KeyField(required=False)
    count = forms.IntegerField(min_value=1, max_value=FILES_MAX)
    bytes = forms.IntegerField(min_value=0, max_value=SIZE_MAX)

    def __init__(self, sent: dict[str, Any]) -> None:
        super().__init__({**sent, "target": sent.get("prefix"), "count": sent.get("files")})

    def sentence(self) -> str:
        return " ".join(str(message) for messages in self.errors.values() for message in messages)


class UploadsReportForm(forms.Form):
    """What the browser will not send after all, and whether it has no more files to begin."""

    skipped = forms.IntegerField(min_value=0, max_value=FILES_MAX, required=False)
    skipped_bytes = forms.IntegerField(min_value=0, max_value=SIZE_MAX, required=False)
    is_closed = forms.BooleanField(required=False)

    def to_report(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "skipped": data["skipped"] or 0,
            "skipped_size": data["skipped_bytes"] or 0,
            "is_closed": data["is_closed"],
        }
