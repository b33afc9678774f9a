"""Where copies go and what they get: a bucket of any connection that the person may write to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.batches.forms.action import CHECK
from apps.batches.forms.headers import ContentForm
from apps.batches.models import Batch
from apps.batches.rules import KEPT
from apps.connections.models import Connection, Role
from apps.connections.services import bucket_region, store_for
from apps.storage.keys import key_parent, visible
from apps.transfers.fields import KeyField, is_key_length, is_new_key
from apps.transfers.forms.places import PlaceSelect, buckets_learn, may_write

ACL_LABELS = {
    "default": gettext_lazy("Inherit: as the bucket decides"),
    "private": gettext_lazy("Private: only this account"),
    "public-read": gettext_lazy("Public read: anybody who knows the address can download them"),
    "authenticated-read": gettext_lazy("Signed-in read: every Tencent Cloud account can download them"),
    "bucket-owner-read": gettext_lazy("The bucket's owner may read them"),
    "bucket-owner-full-control": gettext_lazy("The bucket's owner may do everything with them"),
}
REPLACED = "replaced"
Choice = tuple[str, str]
Group = tuple[str, list[Choice]]


class TargetForm(ContentForm):
    """Where copies go: a bucket, a folder of it, and what the copies get besides their bytes."""

    folded_names = (
        "content",
        "content_type",
        "cache_control",
        "content_disposition",
        "content_encoding",
        "content_language",
        "expires",
        "metadata",
    )
    field_order = ("bucket", "prefix", "is_flat", "access", "storage_class", *folded_names)

    bucket = forms.ChoiceField(label=gettext_lazy("To bucket"), widget=PlaceSelect)
    prefix = KeyField(  # type: ignore[assignment]
        label=gettext_lazy("To folder"),
        required=False,
        help_text=gettext_lazy("Such as archive/2026/. Empty is the top of the bucket."),
        widget=forms.TextInput(attrs={"list": "folders", "spellcheck": "false", "autocomplete": "off"}),
    )
    is_flat = forms.BooleanField(
        label=gettext_lazy("Put all of them into this one folder, without the folders they are in"),
        required=False,
    )
    access = forms.ChoiceField(
        label=gettext_lazy("Access"),
        initial=KEPT,
        required=False,
        help_text=gettext_lazy("In another account, kept access names the same accounts as before."),
    )
    storage_class = forms.ChoiceField(label=gettext_lazy("Class"), required=False)
    content = forms.ChoiceField(
        label=gettext_lazy("Headers and metadata"),
        choices=[
            (KEPT, gettext_lazy("Keep those of each object")),
            (REPLACED, gettext_lazy("Replace them by these; an empty Content-Type keeps that of the object")),
        ],
        initial=KEPT,
        required=False,
        widget=forms.RadioSelect(attrs=CHECK),
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, batch=batch, **kwargs)
        features = store_for(batch.connection).features
        self.fields["metadata"].help_text = _("One a line, such as owner: ana.")
        self._places_offer()
        labels = [(name, ACL_LABELS.get(name, name)) for name in features.object_acls]
        self._choose("access", [(KEPT, _("Keep the access of each object")), *labels])
        classes = [(name, name) for name in features.storage_classes]
        self._choose("storage_class", [("", _("Keep the class of each object")), *classes])

    def _choose(self, name: str, choices: list[Any]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _places_offer(self) -> None:
        own, person = self.batch.connection, self.batch.job.owner
        others = list(Connection.objects.visible_to(person).exclude(pk=own.pk).prefetch_related("members"))
        problems = buckets_learn([one for one in others if may_write(one, person)])
        refused = set[str]()
        groups: list[Any] = [self._group(own, {self.batch.bucket: self.batch.region}, "", refused)]
        groups += [self._group(one, {}, problems.get(one.pk, ""), refused) for one in others]
        self._choose("bucket", groups)
        self.fields["bucket"].initial = self.batch.bucket
        field: Any = self.fields["bucket"]
        field.widget.refused = frozenset(refused)

    def _group(self, connection: Connection, known: dict[str, str], problem: str, refused: set[str]) -> Group:
        """Return the buckets of a connection, or the one line that says why there are none to choose."""
        if not may_write(connection, self.batch.job.owner):
            problem = _("needs the role “%(role)s” there") % {"role": Role.WRITER.label}
        else:
            known |= dict(connection.known_buckets.values_list("name", "region"))
        before = "" if connection.pk == self.batch.connection_id else f"{connection.slug}/"
        if known and not problem:
            labels = [(f"{before}{name}", f"{name} · {region}") for name, region in sorted(known.items())]
            return connection.name, labels
        refused.add(f"{connection.slug}/")
        return connection.name, [(f"{connection.slug}/", problem or _("has no buckets"))]

    def clean_bucket(self) -> str:
        value: str = self.cleaned_data["bucket"]
        self.target, self.target_bucket = place_of(self.batch, value)
        if not self.target_bucket:
            raise ValidationError(_("Nothing can be stored there. Choose another bucket."))
        return value

    @property
    def target_connection(self) -> Connection:
        return getattr(self, "target", self.batch.connection)

    def clean_prefix(self) -> str:
        prefix: str = self.cleaned_data["prefix"]
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        if prefix:
            is_key_length(prefix)
            is_new_key(prefix)
        return prefix

    def clean(self) -> None:
        super().clean()
        data = self.cleaned_data
        is_kept = data.get("content") != REPLACED
        if is_kept and (self.headers_typed() or data.get("metadata")):
            self.add_error("content", _("Choose Replace to use what is typed below, or remove it."))
        # Names of buckets are unique in the whole service: by whichever connection, it is the same one.
        if "prefix" in data and "bucket" in data and self.target_bucket == self.batch.bucket:
            for problem in self._problems(data["prefix"]):
                self.add_error("prefix", problem)

    def _problems(self, prefix: str) -> Iterator[str]:
        """Yield what is wrong with a place in the bucket that the objects are in already."""
        selection = self.batch.selection
        for folder in selection.folders:
            name = {"folder": visible(folder)}
            if prefix.startswith(folder):
                yield _("The folder %(folder)s cannot go into itself. Choose another one.") % name
            elif prefix == key_parent(folder) and not self.cleaned_data.get("is_flat"):
                yield _("%(folder)s is in this folder already.") % name
        if selection.match is not None and prefix == selection.match.prefix:
            yield _("They are in this folder already. Choose another one.")

    def to_options(self) -> dict[str, Any]:
        data = self.cleaned_data
        options = {
            "bucket": self.target_bucket,
            "region": bucket_region(self.target, self.target_bucket),
            "prefix": quote(data["prefix"], safe="/"),
            "access": data["access"] or KEPT,
            "storage_class": data["storage_class"],
            "is_flat": data["is_flat"],
        }
        if data["content"] == REPLACED:
            metadata = {name: value for name, value in data["metadata"].items() if value is not None}
            options |= {"is_replaced": True, "set": self.headers_typed(), "metadata": metadata}
        return options

    def place(self) -> str:
        where = "" if self.target.pk == self.batch.connection_id else f"{self.target.name}: "
        return f"{self.batch.bucket} → {where}{self.target_bucket}/{visible(self.cleaned_data['prefix'])}"


def place_of(batch: Batch, value: str) -> tuple[Connection, str]:
    """Return what a choice means: a bucket of the batch's connection, or `connection/bucket` of another.

    A connection that the person does not see is taken for the batch's own one, where it finds no bucket.
    """
    slug, _slash, bucket = value.rpartition("/")
    visible = Connection.objects.visible_to(batch.job.owner)
    found = visible.filter(slug=slug).first() if slug else None
    return (batch.connection, bucket if not slug else "") if found is None else (found, bucket)
