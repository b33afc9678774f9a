"""What a batch says in words: what was chosen, and why a line ended as it did."""

from __future__ import annotations

from urllib.parse import unquote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.batches.models import Batch
from apps.batches.selection import Selection
from apps.storage.keys import visible

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
        place = f"{options['bucket']}/{visible(unquote(options['prefix']))}"
        facts.append((_("To"), place))
    if "acl" in options:
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


def selection_names(selection: Selection, *, at_most: int = 10) -> tuple[list[str], int]:
    """Return the first folders and keys of a selection, and how many more there are."""
    names = [*selection.folders, *selection.keys]
    return names[:at_most], max(0, len(names) - at_most)
