from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.buckets.forms.entries import GrantForm, TagForm, entries_of, entries_typed
from apps.buckets.rules import full_name, name_problem, name_room
from apps.buckets.services.making import appid_of
from apps.connections.models import Connection
from apps.storage.features import Features
from apps.storage.grants import Grant
from apps.storage.registry import provider_get
from apps.storage.tags import Tag

PUBLIC_WORD = "public"
PRIVATE = "private"

# What a canned ACL means, in the words of the person who will be surprised by it.
ACL_LABELS: dict[str, str | Promise] = {
    "private": gettext_lazy("Private: only this account"),
    "public-read": gettext_lazy("Public read: anybody can list and download everything in it"),
    "public-read-write": gettext_lazy("Public read and write: anybody can also upload and delete"),
    "authenticated-read": gettext_lazy("Signed-in read: every Tencent Cloud account can list and download"),
}


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
        features = self.features
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

    @property
    def room(self) -> int:
        """How many characters a name may have beside the APPID, in the chosen region."""
        connection = self._chosen()
        region = str(self["region"].value() or "ap-beijing")
        return max(0, name_room(appid=appid_of(connection), region=region, suffix=connection.suffix))

    @property
    def short_name(self) -> str:
        """The name without its APPID."""
        return self.full_name.removesuffix(f"-{appid_of(self._chosen())}")

    @property
    def features(self) -> Features:
        return provider_get(self._chosen().provider).features

    def to_connection(self) -> Connection:
        return self.connections[self.cleaned_data["connection"]]

    def _chosen(self) -> Connection:
        """Return the connection that was chosen, else the first one, whose choices are offered."""
        slug = self.data.get(self.add_prefix("connection")) or self.initial.get("connection")
        return self.connections.get(str(slug)) or next(iter(self.connections.values()))

    def _choose(self, name: str, choices: list[tuple[str, str | Promise]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


class NewBucketForms:
    """Everything that is asked about a new bucket: itself, the accounts it lets in, and its tags."""

    def __init__(
        self, data: QueryDict | None = None, *, connections: list[Connection], connection: str = ""
    ) -> None:
        self.bucket = BucketForm(data, connections=connections, initial={"connection": connection})
        features = self.bucket.features
        self.grants = entries_of(GrantForm, "grants", data, features, count_max=features.grants_max)
        self.tags = entries_of(TagForm, "tags", data, features, count_max=features.bucket_tags.count_max)

    @classmethod
    def with_more(cls, data: QueryDict, *, connections: list[Connection], more: str) -> NewBucketForms:
        """Return what was typed with one more row of `more`, without a word about what is missing yet."""
        forms_ = cls(data, connections=connections)
        typed = {name: forms_.bucket[name].value() for name in forms_.bucket.fields}
        forms_.bucket = BucketForm(connections=connections, initial=typed)
        for name, kind in (("grants", GrantForm), ("tags", TagForm)):
            rows = getattr(forms_, name)
            values = [{field: form[field].value() for field in form.fields} for form in rows.forms]
            setattr(forms_, name, entries_typed(kind, name, values, forms_.bucket.features, name == more))
        return forms_

    def is_valid(self) -> bool:
        return all([self.bucket.is_valid(), self.grants.is_valid(), self.tags.is_valid()])

    def to_grants(self) -> list[Grant]:
        return [form.to_grant() for form in self.grants.forms if form.has_changed()]

    def to_tags(self) -> list[Tag]:
        return [form.to_tag() for form in self.tags.forms if form.has_changed()]
