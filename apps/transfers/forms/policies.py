"""Which way files take into a bucket, as an administrator chooses it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.transfers.models import UploadPolicy

THIS_BUCKET, ALL_BUCKETS = "bucket", "connection"


class PolicyForm(forms.Form):
    """A policy and what it is for."""

    policy = forms.ChoiceField(
        label=_("Files go"),
        choices=UploadPolicy.Policy.choices,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        error_messages={"required": _("Choose one."), "invalid_choice": _("Choose one of these.")},
    )
    scope = forms.ChoiceField(
        label=_("For"),
        choices=(
            (THIS_BUCKET, _("This bucket")),
            (
                ALL_BUCKETS,
                _("All buckets of this connection without a choice of their own, this one included"),
            ),
        ),
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        error_messages={"required": _("Choose one."), "invalid_choice": _("Choose one of these.")},
    )

    @property
    def is_for_all(self) -> bool:
        data: dict[str, Any] = self.cleaned_data
        return bool(data["scope"] == ALL_BUCKETS)
