from __future__ import annotations

from django import forms

from apps.buckets.services.listing import ACCESS_FILTERS, Filters


class BucketListForm(forms.Form):
    """How the list of buckets is narrowed and sorted. What makes no sense is ignored."""

    SORTS = ("name", "connection", "region", "created")

    q = forms.CharField(required=False)
    connection = forms.CharField(required=False)
    region = forms.CharField(required=False)
    tag = forms.CharField(required=False)
    access = forms.CharField(required=False)
    sort = forms.CharField(required=False)

    def clean_access(self) -> str:
        access: str = self.cleaned_data["access"]
        return access if access in ACCESS_FILTERS else ""

    def clean_sort(self) -> str:
        sort: str = self.cleaned_data["sort"]
        return sort if sort.removeprefix("-") in self.SORTS else "name"

    def to_filters(self) -> Filters:
        self.full_clean()
        return Filters(**{name: self.cleaned_data.get(name, "") for name in self.fields})
