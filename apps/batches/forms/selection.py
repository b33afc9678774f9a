from __future__ import annotations

from datetime import datetime, time
from typing import Any
from urllib.parse import unquote

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from apps.batches.models import Action
from apps.batches.selection import Match, Selection, endings_of
from apps.transfers.fields import KEY_BYTES_MAX, KeyField, SizeField, is_key_length

KEYS_MAX = 10_000


class MomentField(forms.CharField):
    """A date, which begins at midnight in the person's zone, or a whole ISO 8601 time."""

    def to_python(self, value: Any) -> datetime | None:  # type: ignore[override]
        text = super().to_python(value)
        if not text:
            return None
        try:
            day, moment = parse_date(text), parse_datetime(text)
        except ValueError:
            day = moment = None
        if moment is None and day is not None:
            moment = datetime.combine(day, time())
        if moment is None:
            raise ValidationError(_("A date is written as 2026-08-31."))
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)

    def run_validators(self, value: Any) -> None:
        return


class SelectionForm(forms.Form):
    """What the list page posts: keys and folders percent-encoded, or what all of them have in common."""

    action = forms.ChoiceField(choices=[choice for choice in Action.choices if choice[0] != Action.EMPTY])
    scope = forms.ChoiceField(choices=[("keys", ""), ("match", "")])
    prefix = KeyField(required=False)  # type: ignore[assignment]
    find = KeyField(required=False)
    contains = KeyField(required=False)
    endings = KeyField(required=False)
    min_size = SizeField()
    max_size = SizeField()
    after = MomentField(required=False)
    before = MomentField(required=False)
    storage_class = forms.CharField(max_length=40, required=False)
    flat = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict) -> None:
        # `class` cannot be the name of a Python attribute, and the contract of the page is older than this.
        data = data.copy()
        data.setdefault("storage_class", data.get("class", ""))
        for name in ("prefix", "find"):
            data[name] = unquote(data.get(name, ""))
        super().__init__(data)
        self._posted = data

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        is_key_length(data.get("prefix", "") + data.get("find", ""))
        if data.get("scope") == "keys":
            self._clean_keys(data)
        return data

    def _clean_keys(self, data: dict[str, Any]) -> None:
        keys = [unquote(key) for key in self._posted.getlist("key")]
        folders = [unquote(folder) for folder in self._posted.getlist("folder")]
        if len(keys) + len(folders) > KEYS_MAX:
            raise ValidationError(
                _("More than %(max)s are marked. Choose all that match instead.") % {"max": f"{KEYS_MAX:,}"}
            )
        for key in (*keys, *folders):
            if not key or len(key.encode(errors="surrogatepass")) > KEY_BYTES_MAX:
                raise ValidationError(_("One of the marked names cannot be a key. Reload the list."))
        data["keys"], data["folders"] = keys, folders

    def to_selection(self) -> Selection:
        data = self.cleaned_data
        if data["scope"] == "keys":
            return Selection(keys=tuple(data["keys"]), folders=tuple(data["folders"]))
        return Selection(
            match=Match(
                prefix=data["prefix"],
                find=data["find"],
                contains=data["contains"],
                endings=endings_of(data["endings"]),
                min_size=data["min_size"],
                max_size=data["max_size"],
                after=data["after"],
                before=data["before"],
                storage_class=data["storage_class"],
                is_flat=data["flat"],
            )
        )

    def sentence(self) -> str:
        """Return all that is wrong as one text: the form is a page of its own nowhere."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)
