from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.buckets.rules import full_name, name_problem
from apps.buckets.services import appid_of
from apps.connections.models import Connection
from apps.storage.registry import provider_get

PUBLIC_WORD = "public"
PRIVATE = "private"

# What a canned ACL means, in the words of the person who will be surprised by it.
ACL_LABELS: dict[str, str | Promise] = {
    "private": gettext_lazy("Private: only this account"),
    "public-read": gettext_lazy("Public read: anybody can list and download everything in it"),
    "public-read-write": gettext_lazy("Public read and write: anybody can also upload and delete"),
    "authenticated-read": gettext_lazy("Signed-in read: every Tencent Cloud account can list and download"),
}


class BucketListForm(forms.Form):
    """How the list of buckets is narrowed and sorted. What makes no sense is ignored."""

    SORTS = ("name", "-name", "region", "-region", "created", "-created")

    q = forms.CharField(required=False)
    connection = forms.CharField(required=False)
    sort = forms.CharField(required=False)

    def clean_sort(self) -> str:
        sort: str = self.cleaned_data["sort"]
        return sort if sort in self.SORTS else "name"


class BucketForm(forms.Form):
    connection = forms.ChoiceField(label=gettext_lazy("Connection"))
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("Lower-case letters, digits and hyphens. It cannot be changed later."),
        widget=forms.TextInput(
            attrs={"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        ),
    )
    region = forms.ChoiceField(
        label=gettext_lazy("Region"),
        help_text=gettext_lazy("Where the data lies. It cannot be changed later."),
    )
    acl = forms.ChoiceField(
        label=gettext_lazy("Access"),
        initial=PRIVATE,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    confirm = forms.CharField(
        label=gettext_lazy("Only for public access: type the word public"),
        required=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, connections: list[Connection], **kwargs: Any) -> None:
        self.connections = {connection.slug: connection for connection in connections}
        super().__init__(*args, **kwargs)
        features = provider_get(self._chosen().provider).features
        self._choose("connection", [(slug, connection.name) for slug, connection in self.connections.items()])
        self._choose("region", [(region, region) for region in features.regions])
        self._choose("acl", [(acl, ACL_LABELS.get(acl, acl)) for acl in features.bucket_acls])
        self.initial.setdefault("region", self._chosen().default_region)

    def clean_acl(self) -> str:
        return self.cleaned_data["acl"] or PRIVATE

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if self.cleaned_data.get("acl", PRIVATE) != PRIVATE and typed.strip().lower() != PUBLIC_WORD:
            raise ValidationError(_("People outside this account will get in. Type public to confirm."))
        return typed

    def clean(self) -> None:
        if problem := self.name_problem():
            self.add_error("name", problem)

    def name_problem(self) -> str | None:
        """Return what is wrong with the name, None as long as something else is missing."""
        name = self.cleaned_data.get("name")
        connection = self.connections.get(self.cleaned_data.get("connection", ""))
        if not name or connection is None:
            return None
        appid = appid_of(connection)
        if not appid:
            return _("The connection has no APPID, which every name ends in. Add it to the connection first.")
        region = self.cleaned_data.get("region") or "ap-beijing"
        return name_problem(name, appid=appid, region=region, suffix=connection.suffix)

    @property
    def full_name(self) -> str:
        """The name as the store will know it, as far as it is known yet; '' without name or APPID."""
        name = str(self["name"].value() or "").strip()
        appid = appid_of(self._chosen())
        return full_name(name, appid) if name and appid else ""

    def to_connection(self) -> Connection:
        return self.connections[self.cleaned_data["connection"]]

    def _chosen(self) -> Connection:
        """Return the connection that was chosen, else the first one, whose choices are offered."""
        slug = self.data.get(self.add_prefix("connection")) or self.initial.get("connection")
        return self.connections.get(str(slug)) or next(iter(self.connections.values()))

    def _choose(self, name: str, choices: list[tuple[str, str | Promise]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


class DeleteForm(forms.Form):
    """The bucket's name, typed, because nothing brings a deleted bucket back."""

    name = forms.CharField(label=gettext_lazy("Name of the bucket"), max_length=100)

    def __init__(self, *args: Any, bucket: str, **kwargs: Any) -> None:
        self.bucket = bucket
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.bucket:
            raise ValidationError(_("Type %(name)s to confirm."), params={"name": self.bucket})
        return name
