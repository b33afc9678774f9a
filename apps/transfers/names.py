"""Names that files bring along: what a store refuses, what people cannot see or type, and better ones."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.storage.keys import key_name
from apps.transfers.fields import KEY_BYTES_MAX, is_key_length, is_new_key

# Control characters, direction marks, and what else a screen would hide or act upon.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True)
class NameProblem:
    """What is wrong with a key, in a sentence. One that `is_refused` cannot be stored under it at all.

    `better` is a key like it without the trouble, '' where there is none.
    """

    sentence: str
    is_refused: bool
    better: str = ""


def name_problem(key: str, *, prefix: str = "") -> NameProblem | None:
    """Return what is wrong with the key of a file that goes into the folder `prefix`, None if nothing is.

    The folder is there already or was chosen, so that only the store's own limits count for it.
    """
    if not key:
        return NameProblem(_("This has no name."), is_refused=True)
    try:
        is_key_length(key)
        is_new_key(key)
    except ValidationError as error:
        return NameProblem(error.messages[0], is_refused=True, better=_better_checked(key, prefix))
    sentence = _oddity(key.removeprefix(prefix))
    return NameProblem(sentence, is_refused=False, better=_better_checked(key, prefix)) if sentence else None


def name_better(key: str, *, prefix: str = "") -> str:
    """Return a key that looks the same to people and has none of the problems that names can have.

    Only what comes after `prefix` is changed, unless the store refuses the folder itself.
    """
    folder = prefix if key.startswith(prefix) and not _is_refused(prefix) else ""
    pieces = [_HIDDEN.sub("_", piece).strip() for piece in re.split(r"[/\\]", key.removeprefix(folder))]
    kept = [piece for piece in pieces if piece not in ("", ".", "..")]
    return _shortened(folder + "/".join(kept)) if kept else ""


def _oddity(name: str) -> str:
    """Return why a name that can be stored will be trouble, '' where it will not."""
    pieces = name.split("/")
    if _HIDDEN.search(name):
        return _("The name holds characters that nobody can see or type.")
    if any(piece != piece.strip() for piece in pieces):
        return _("The name begins or ends with a space, which nobody sees.")
    if ".." in pieces or "." in pieces:
        return _("The name holds “.” or “..”, which browsers and many tools take for a way.")
    if name.endswith("/"):
        return _("The name ends with /, so that it would be shown as a folder.")
    if "" in pieces:
        return _("The name holds an empty folder name: // or a / at the beginning.")
    return ""


def _better_checked(key: str, prefix: str) -> str:
    better = name_better(key, prefix=prefix)
    return "" if not better or better == key or _is_refused(better) else better


def _is_refused(key: str) -> bool:
    if not key:
        return False
    try:
        is_key_length(key)
        is_new_key(key)
    except ValidationError:
        return True
    return False


def _shortened(key: str) -> str:
    """Cut the name of a key that is too long, and keep its ending."""
    surplus = len(key.encode(errors="replace")) - KEY_BYTES_MAX
    if surplus <= 0:
        return key
    name = key_name(key)
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = name, "", ""
    kept = stem.encode(errors="replace")[: max(0, len(stem.encode(errors="replace")) - surplus)]
    cut = kept.decode(errors="ignore")
    return f"{key.removesuffix(name)}{cut}{dot}{ending}" if cut else ""
