"""What a batch says in words: what was chosen, and why a line ended as it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.batches.models import Batch
from apps.batches.rules import INHERITED, KEPT, access_of, is_relayed
from apps.batches.selection import Selection
from apps.storage.keys import visible
from apps.storage.sizes import size_text

_REASONS = {
    "NoSuchKey": gettext_lazy("was gone when the list was made"),
    "AlreadyGone": gettext_lazy("was gone already"),
    "AsWanted": gettext_lazy("was as wanted already"),
    "Changed": gettext_lazy("was changed since the plan, and left alone"),
    "TargetTaken": gettext_lazy("the key of the copy is taken"),
    "SameTarget": gettext_lazy("another object of this plan has the same target"),
    "TargetIsSource": gettext_lazy(
        "its new key is that of another object of this plan; make a plan for it after this one"
    ),
    "SameObject": gettext_lazy("source and target are the same object"),
    "FolderMarker": gettext_lazy("only stands for a folder, and folders are left out"),
    "TargetLeaves": gettext_lazy(
        "another job moves or deletes what has the key of its copy; the source was kept"
    ),
    "SpoolFull": gettext_lazy("the console's disk had no room for the bytes that pass through it"),
    "KeyTooLong": gettext_lazy("the key of the copy would be longer than 850 bytes"),
    "KeyEmpty": gettext_lazy("the copy would have no name"),
    "InvalidKey": gettext_lazy("no object can have the key of the copy"),
    "CopyDiffers": gettext_lazy("the copy is not what was copied; the source was kept"),
    "BothGone": gettext_lazy("somebody deleted the object and its copy"),
    "NotMentioned": gettext_lazy("the store did not say what happened to it"),
    "UnknownGrants": gettext_lazy("has grants that a change would lose"),
    "Denied": gettext_lazy("the connection's key may not do this"),
    "AccessDenied": gettext_lazy("the connection's key may not do this"),
    "InvalidObjectState": gettext_lazy("is archived, and must be restored before it is read"),
    "ObjectNotFound": gettext_lazy("does not exist any more"),
    "SlowDown": gettext_lazy("the store was limiting requests all the time"),
}


def reason_words(code: str) -> str:
    """Return why a line was skipped or failed, in words; a code of the store that is unknown stays itself."""
    return str(_REASONS.get(code, code))


def options_words(batch: Batch) -> list[tuple[str, str]]:
    """Return what the person chose, as names and values for a list of facts."""
    options = batch.options
    facts = []
    if "name" in options:
        facts.append((_("New name"), visible(unquote(options["name"]))))
    if "prefix" in options:
        facts.append((_("To"), _place_words(batch)))
        facts += _copy_words(options)
    if "acl" in options and "prefix" not in options:
        facts.append((_("Access"), options["acl"]))
    for name, value in options.get("set", {}).items():
        facts.append((name, visible(value)))
    for name in options.get("remove", ()):
        facts.append((name, _("removed")))
    for name, value in options.get("metadata", {}).items():
        facts.append((f"x-cos-meta-{name}", _("removed") if value is None else visible(value)))
    if options.get("storage_class"):
        facts.append((_("Class"), options["storage_class"]))
    return facts


def _place_words(batch: Batch) -> str:
    options = batch.options
    place = f"{options['bucket']}/{visible(unquote(options['prefix']))}"
    if "connection" not in options:
        return place
    name = options["connection"] if batch.target_connection is None else batch.target_connection.name
    return f"{name}: {place} ({options['region']})"


def _copy_words(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what copies get besides their bytes, where somebody chose it."""
    facts = []
    access = access_of(options)
    if access != KEPT:
        label = _("as the bucket decides") if access == INHERITED else access
        facts.append((_("Access"), label))
    if options.get("is_flat"):
        facts.append((_("Folders"), _("left out: all go into one folder")))
    if options.get("is_replaced"):
        facts.append((_("Headers and metadata"), _("replaced by these")))
    return facts


def way_words(batch: Batch) -> str:
    """Return how the bytes of copies get to where they go, '' for what copies nothing."""
    if not batch.does_copy or not batch.figures:
        return ""
    if is_relayed(batch.figures):
        return _("relayed: %(size)s are read and sent on by the workers") % {
            "size": size_text(batch.figures["bytes"])
        }
    return _("by the store itself: no byte passes through this console")


def lost_words(batch: Batch) -> list[str]:
    """Return in sentences what copies cannot keep."""
    if not batch.does_copy or not batch.figures:
        return []
    figures, said = batch.figures, []
    if is_relayed(batch.figures):
        said.append(_("Tags of the objects do not come along: their bytes are stored anew."))
    elif figures.get("in_parts"):
        said.append(
            ngettext(
                "%(count)s object is so large that it is copied in parts: tags of its own do not come along.",
                "%(count)s objects are so large that they are copied in parts: tags of their own do not come "
                "along.",
                figures["in_parts"],
            )
            % {"count": figures["in_parts"]}
        )
    if figures.get("unknown_class"):
        said.append(
            ngettext(
                "%(count)s object has a class that is unknown there: it gets the standard one.",
                "%(count)s objects have a class that is unknown there: they get the standard one.",
                figures["unknown_class"],
            )
            % {"count": figures["unknown_class"]}
        )
    if batch.target_connection is not None and access_of(batch.options) == KEPT:
        said.append(
            _(
                "The owner of the copies is whoever owns the other connection's key. Access that was "
                "granted to named accounts is granted again."
            )
        )
    return said


def selection_names(selection: Selection, *, at_most: int = 10) -> tuple[list[str], int]:
    """Return the first folders and keys of a selection, and how many more there are."""
    names = [*selection.folders, *selection.keys]
    return names[:at_most], max(0, len(names) - at_most)
