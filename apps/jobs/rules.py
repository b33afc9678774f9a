"""What a job's error code means to the person who looks at it, in their language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Some files of a batch were never begun, as the page that had them was closed.
NEVER_BEGUN = "NeverBegun"

# The store's own words stay beside these, folded, for whoever has to look further.
ERROR_SENTENCES: dict[str, Promise] = {
    "AccessDenied": _("The connection's key may not do this."),
    "InvalidAccessKeyId": _("The store does not know the connection's key."),
    "SignatureDoesNotMatch": _("The connection's secret key is wrong."),
    "NoSuchBucket": _("The bucket does not exist any more."),
    "NoSuchKey": _("The source object does not exist any more."),
    "NoSuchUpload": _("Somebody ended this upload in the store. Cancel it and begin again."),
    "PreconditionFailed": _("The source object was changed while it was copied. Cancel and begin again."),
    "SlowDown": _("The store is limiting requests."),
    "InternalError": _("The store failed to answer."),
    "ServiceUnavailable": _("The store failed to answer."),
    "Unavailable": _("The store could not be reached."),
    "Corrupted": _("What the store holds is not what was sent. Delete the object and send it again."),
    "TargetTaken": _(
        "Somebody stored an object with this key in the meantime. Try again to replace it, or cancel."
    ),
    NEVER_BEGUN: _("Not all files were sent: the page was closed before it came to them."),
    "SourceKept": _(
        "The copy is complete. The source was not deleted: the store refused. "
        "Try again, or cancel to keep both."
    ),
    "SourceChanged": _(
        "The copy is complete. The source was not deleted: it was changed since. Cancel to keep both."
    ),
    "CopyUnverified": _(
        "The source was not deleted: nothing proves that the copy holds the same bytes. Cancel to keep both."
    ),
    "TargetLeaves": _(
        "The copy is complete. The source was not deleted: another job moves or deletes what has the key of "
        "the copy. Try again when that job has ended, or cancel to keep both."
    ),
    "CopyReplaced": _("Somebody replaced the copy before it got its grants. Cancel to leave all as it is."),
    "SourceConnectionGone": _("The connection that the source is read through was deleted. Cancel this."),
    "GrantsRefused": _(
        "The copy is complete and private: the store refused the grants of its source. "
        "Try again, or cancel to keep it so."
    ),
    "CopyKept": _("Canceled after the copy was complete. The copy and its source are both there."),
    "InvalidObjectState": _("The source lies in an archive. Restore it first, then try again."),
    "TakenOver": _("Somebody else continues this upload, as a job of theirs."),
    "WorkersDied": _(
        "Every worker that tried this was killed, maybe because its memory ran out. "
        "Look at the workers, then try again."
    ),
    "SliceDamaged": _("A slice was damaged on the console's disk. Try again and choose the file once more."),
}


def error_sentence(code: str, message: str) -> str:
    """Return the sentence for a code; the store's own message where there is none."""
    known = ERROR_SENTENCES.get(code)
    return message if known is None else str(known)
