"""What the objects of a batch get besides their bytes: every parameter of Put Object and Initiate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.rules.canned import Choice, canned_choice
from apps.access.rules.tags import key_problem, tags_pasted, value_problem
from apps.access.rules.words import Resource, short
from apps.storage.features import Features
from apps.storage.grants import EVERYONE, Grant, Grantee, account_grantee
from apps.storage.tags import Tag
from apps.storage.types import ObjectHeaders
from apps.transfers.content import NewObject
from apps.transfers.rules.headers import date_of, is_date, is_header_value, is_media_type, metadata_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PUBLIC_WORD = "public"
CONTENT = (
    "content_type",
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "expires",
)
_ACCOUNT = re.compile(r"([0-9]{5,20})(?:/([0-9]{5,20}))?", re.ASCII)


def _header(label: str, help_text: str | _StrPromise, *checks: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        help_text=help_text,
        validators=[is_header_value, *checks],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


def _lines(label: str | _StrPromise, help_text: str | _StrPromise) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, help_text=help_text, widget=widget)


class UploadOptionsForm(forms.Form):
    """Left alone it says nothing: the type is each file's own, all else is up to the bucket and the store."""

    content_type = _header(
        "Content-Type", gettext_lazy("For all files. Empty: each file's own type."), is_media_type
    )
    cache_control = _header(
        "Cache-Control", gettext_lazy("How long browsers may keep it, such as max-age=3600.")
    )
    content_disposition = _header(
        "Content-Disposition",
        gettext_lazy('attachment saves, inline shows; a name follows as ; filename="report.pdf".'),
    )
    content_encoding = _header(
        "Content-Encoding", gettext_lazy("How the bytes are packed, such as gzip. This does not pack them.")
    )
    content_language = _header("Content-Language", gettext_lazy("Such as zh-CN or en."))
    expires = _header(
        "Expires", gettext_lazy("A date, such as 2027-01-31 or Sun, 31 Jan 2027 00:00:00 GMT."), is_date
    )
    metadata = _lines("x-cos-meta-*", gettext_lazy("One on each line, such as team: blue."))
    tags = _lines(gettext_lazy("Tags"), gettext_lazy("One on each line, such as team=blue."))
    storage_class = forms.ChoiceField(label=gettext_lazy("Class"), required=False)
    acl = forms.ChoiceField(label=gettext_lazy("Access"), required=False)
    public = forms.CharField(
        label=gettext_lazy("Type the word public to confirm"),
        required=False,
        help_text=gettext_lazy("Strangers will be able to read everything in this upload."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, features: Features, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.features = features
        self.canned = [
            canned_choice(one, Resource.OBJECT, EVERYONE)
            for one in features.object_canned_acls
            if not one.is_inherited
        ]
        classes = [(one, one) for one in features.storage_classes]
        self._choose("storage_class", _("As the store decides"), classes)
        self._choose("acl", _("As the bucket decides"), [(one.name, one.title) for one in self.canned])
        for permission in features.object_permissions:
            self.fields[_grant_name(permission)] = self._grant_field(permission)

    def _choose(self, name: str, nothing: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = [("", nothing), *choices]  # type: ignore[attr-defined]

    def _grant_field(self, permission: str) -> forms.CharField:
        attrs = {"autocomplete": "off", "inputmode": "numeric", "spellcheck": "false"}
        return forms.CharField(
            label=f"{short(permission)} · {permission}", required=False, widget=forms.TextInput(attrs=attrs)
        )

    @property
    def header_fields(self) -> list[BoundField]:
        return [self[name] for name in CONTENT]

    @property
    def grant_fields(self) -> list[BoundField]:
        return [self[_grant_name(permission)] for permission in self.features.object_permissions]

    @property
    def exposing(self) -> list[Choice]:
        return [one for one in self.canned if one.is_exposing]

    def clean_metadata(self) -> dict[str, str]:
        return metadata_of(self.cleaned_data["metadata"], bytes_max=self.features.metadata_bytes_max)

    def clean_tags(self) -> tuple[Tag, ...]:
        limits = self.features.object_tags
        pasted = tags_pasted(self.cleaned_data["tags"])
        problems = [*pasted.problems]
        for tag in pasted.tags:
            problems += filter(None, (key_problem(tag.key, limits), value_problem(tag.value, limits)))
        if len(pasted.tags) > limits.count_max:
            words = _("These are %(count)s tags; an object has at most %(limit)s.")
            problems.append(words % {"count": len(pasted.tags), "limit": limits.count_max})
        if problems:
            raise ValidationError(problems)
        return pasted.tags

    def clean(self) -> None:
        data = self.cleaned_data
        names = {one.name for one in self.exposing}
        if data.get("acl") in names and data.get("public", "").strip().lower() != PUBLIC_WORD:
            self.add_error("public", _("Type the word public: strangers will be able to read these objects."))
        grants: list[Grant] = []
        for permission in self.features.object_permissions:
            try:
                found = _accounts_of(data.get(_grant_name(permission), ""))
            except ValidationError as error:
                self.add_error(_grant_name(permission), error)
                continue
            grants += [Grant(grantee, permission) for grantee in found]
        if len(grants) > self.features.grants_max:
            self.add_error(None, _("At most %d grants are possible.") % self.features.grants_max)
        data["grants"] = tuple(grants)

    def to_new_object(self) -> NewObject:
        data = self.cleaned_data
        headers = {name: data[name] or None for name in CONTENT if name != "content_type"}
        headers["expires"] = date_of(data["expires"]) if data["expires"] else None
        return NewObject(
            headers=ObjectHeaders(
                **headers, storage_class=data["storage_class"] or None, metadata=data["metadata"]
            ),
            acl=data["acl"],
            grants=data["grants"],
            tags=data["tags"],
        )


def _grant_name(permission: str) -> str:
    return f"grant_{permission.lower()}"


def _accounts_of(text: str) -> list[Grantee]:
    """Return the accounts in a text, each once; raises ValidationError for what is none."""
    found = []
    for word in re.split(r"[\s,;]+", text.strip()):
        match = _ACCOUNT.fullmatch(word)
        if word and match is None:
            raise ValidationError(
                _("“%(word)s” is no account: write its number (uin), or root/sub for a sub-account.")
                % {"word": word[:60]}
            )
        if match:
            found.append(account_grantee(match[1], match[2] or ""))
    return list(dict.fromkeys(found))
