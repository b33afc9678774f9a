from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from apps.objects.rows import ListQuery
from apps.objects.tokens import trail_unpack
from apps.transfers.fields import KeyField, is_key_length

PAGE_SIZES = (100, 250, 1000)


class ListForm(forms.Form):
    """The address of a page of a folder. Numbers that make no sense fall back; text is checked."""

    prefix = KeyField(required=False)  # type: ignore[assignment]
    find = KeyField(required=False, label=gettext_lazy("Names starting with"))
    marker = KeyField(required=False)
    limit = forms.CharField(required=False)
    first = forms.CharField(required=False)
    trail = forms.CharField(required=False)

    def clean(self) -> None:
        is_key_length(self.cleaned_data.get("prefix", "") + self.cleaned_data.get("find", ""))

    def to_query(self) -> ListQuery:
        data = self.cleaned_data
        limit = _number(data["limit"])
        return ListQuery(
            prefix=data["prefix"],
            find=data["find"],
            marker=data["marker"],
            limit=limit if limit in PAGE_SIZES else PAGE_SIZES[0],
            first=max(1, _number(data["first"])) if data["marker"] else 1,
            trail=trail_unpack(data["trail"]),
        )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
