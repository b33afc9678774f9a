from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.activity.models import EntryQuerySet
from apps.activity.rules import VERBS
from apps.storage.keys import key_pack

DATE = {"type": "date"}


class EntryFilter(forms.Form):
    """What a person looks for in the log; an empty field asks for nothing."""

    person = forms.CharField(label=_("Person"), required=False, max_length=150)
    verb = forms.ChoiceField(label=_("What"), required=False)
    connection = forms.ChoiceField(label=_("Connection"), required=False)
    bucket = forms.CharField(label=_("Bucket"), required=False, max_length=100)
    key = forms.CharField(label=_("Key contains"), required=False, max_length=850, strip=False)
    since = forms.DateField(label=_("Since"), required=False, widget=forms.DateInput(attrs=DATE))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs=DATE))

    def __init__(self, *args: Any, connections: Iterable[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["verb"].choices = [("", _("Anything")), *VERBS.items()]  # type: ignore[attr-defined]
        self.fields["connection"].choices = [("", _("All")), *connections]  # type: ignore[attr-defined]

    def narrow(self, entries: EntryQuerySet) -> EntryQuerySet:
        """Return the entries that were looked for. The form has to be valid."""
        asked = self.cleaned_data
        for name in ("verb", "connection", "bucket"):
            if asked[name]:
                entries = entries.filter(**{name: asked[name]})
        if asked["person"]:
            entries = entries.filter(person_name__icontains=asked["person"])
        if asked["key"]:
            entries = entries.filter(packed_key__contains=key_pack(asked["key"]))
        # Days outside every entry's ask for nothing, and could not be moved into another time zone.
        if asked["since"] and asked["since"] > date(1970, 1, 1):
            entries = entries.filter(at__gte=_midnight(asked["since"]))
        if asked["until"] and asked["until"] < date(9000, 1, 1):
            entries = entries.filter(at__lt=_midnight(asked["until"] + timedelta(days=1)))
        return entries


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
