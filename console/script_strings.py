"""The words that scripts show, translated by the server so that one catalog holds every string."""

from __future__ import annotations

from django.utils.translation import gettext

from apps.jobs.models import Job


def words() -> dict[str, str]:
    """Return every word of `static/js`, by the name under which the scripts ask for it."""
    pages = _keys() | _browse() | _shell() | _command()
    return pages | _figures() | _states() | _uploads() | _conflicts() | _sheet()


def _shell() -> dict[str, str]:
    return {
        "dismiss": gettext("Dismiss"),
        "offline": gettext("The console cannot be reached. Check your connection and try again."),
        "failed": gettext("That did not work: the console answered {status}. Reload the page and try again."),
        "copied": gettext("Copied."),
        "not_copied": gettext("The browser does not let this page copy. Select the text yourself."),
        "leave": gettext("Files are still being sent from this page."),
    }


def _command() -> dict[str, str]:
    return {
        "close": gettext("Close"),
        "command-label": gettext("Search pages, buckets, places and jobs"),
        "command-hint": gettext("A page, a bucket, or bucket/key"),
        "command-none": gettext("Nothing fits. Type a part of a bucket's name, or bucket/key."),
        "command-found": gettext("{count} found"),
        "command-keys": gettext("↑ ↓ to choose · Enter to go · Esc to close"),
    }


def _figures() -> dict[str, str]:
    return {
        "second": gettext("{count} second"),
        "seconds": gettext("{count} seconds"),
        "minute": gettext("{count} minute"),
        "minutes": gettext("{count} minutes"),
        "hours": gettext("{hours} h {minutes} min"),
        "left": gettext("{time} left"),
        "measuring": gettext("measuring…"),
        "bytes": gettext("{count} bytes"),
        "of": gettext("{done} of {total}"),
        "objects-of": gettext("{done} of {total} objects"),
        "files-of": gettext("{done} of {total} files"),
        "objects-so-far": gettext("{count} objects so far"),
        "objects-rate": gettext("{count} objects/s"),
        "failed-objects": gettext("{count} failed"),
    }


def _states() -> dict[str, str]:
    return {f"state-{state.value}": str(state.label) for state in Job.State}


def _uploads() -> dict[str, str]:
    return {
        "drop": gettext("Drop to upload into {place}"),
        "starting": gettext("Starting…"),
        "sending": gettext("Sending from this browser"),
        "storing": gettext(
            "Everything was received. You may close this page; the console finishes the rest."
        ),
        "stored": gettext("Stored"),
        "waiting-store": gettext("Waiting for the store to catch up; sending goes on by itself."),
        "waiting-network": gettext("The console cannot be reached. Trying again in {time}."),
        "direct-busy": gettext("The store is busy. Sending goes on by itself."),
        "direct-failed": gettext("The store could not be reached from this browser. Trying another way."),
        "direct-refused": gettext(
            "The store does not let this browser send to it, and no other way is allowed here. "
            "The page “Uploads” of the bucket says why."
        ),
        "direct-changed": gettext("A part arrived changed in the store. It is sent again."),
        "waiting-turn": gettext("Waiting for its turn"),
        "paused": gettext("Paused"),
        "canceled": gettext("Canceled"),
        "skipped": gettext("Skipped"),
        "refused": gettext("The console refused this file: {status}. Reload the page and try again."),
        "signed-out": gettext("You are signed out. Sign in again, then choose the file again to go on."),
        "signed-out-here": gettext("You are signed out. Sign in on another page, then go on here."),
        "unreadable": gettext("The file cannot be read any more. Was it moved or changed? Choose it again."),
        "pause": gettext("Pause"),
        "resume": gettext("Resume"),
        "cancel": gettext("Cancel"),
        "retry": gettext("Try again"),
        "code": gettext("Code"),
        "request-id": gettext("Request id"),
        "waits": gettext("Waits for its file: choose it again to send the rest."),
        "choose": gettext("Choose the file"),
        "other-name": gettext("This upload is of “{expected}”, and the file you chose is “{actual}”."),
        "other-size": gettext("The file has {actual}, but the upload began with {expected}."),
        "comparing": gettext("Comparing the file with what is stored."),
        "part-differs": gettext(
            "This is not the file that the upload began with: part {number} differs. Nothing was sent, and "
            "what is stored stays. Choose the file as it was, or cancel this upload and begin anew."
        ),
        "parts-differ": gettext(
            "This is not the file that the upload began with: parts {numbers} differ. Nothing was sent, and "
            "what is stored stays. Choose the file as it was, or cancel this upload and begin anew."
        ),
        "doubtful-part-differs": gettext(
            "Part {number} does not fit this file, if its ETag is an MD5. Send this part again? It replaces "
            "the one that is there."
        ),
        "doubtful-parts-differ": gettext(
            "Parts {numbers} do not fit this file, if their ETags are MD5s. Send these parts again? They "
            "replace those that are there."
        ),
        "send-again": gettext("Send again"),
        "continued": gettext("The upload goes on, as a job of yours."),
        "waits-many": gettext("{count} uploads wait for their file."),
        "choose-many": gettext("Choose the files"),
        "waits-not": gettext("No upload waits for this, by name and size: {names}"),
        "waits-dropped": gettext(
            "The upload of {place} waits for its file, and this one has its name and size."
        ),
        "waits-dropped-many": gettext("Uploads wait for these {count} files, by their names and sizes."),
        "waits-continue": gettext("Continue the upload"),
        "waits-new": gettext("Upload anew"),
        "more": gettext("{count} more files wait for their turn."),
        "details": gettext("Details for support"),
        "pill": gettext("{count} running · {percent} %"),
        "batch-kind": gettext("Upload files"),
        "batch-files": gettext("Files"),
        "batch-sent": gettext("Sent {done} of {total} files"),
        "batch-stored": gettext("{count} stored"),
        "batch-left-out": gettext("{count} left out"),
        "batch-failed-one": gettext("One file was not sent: {why}"),
        "batch-failed": gettext("{count} files were not sent. The first says: {why}"),
        "sent": gettext("Sent {done} of {total}"),
        "kept": gettext("Stored {done} of {total}"),
    }


def _conflicts() -> dict[str, str]:
    return {
        "exists": gettext("“{key}” is already there ({size}, changed {modified})."),
        "replace": gettext("Replace"),
        "keep-both": gettext("Keep both"),
        "skip": gettext("Skip"),
        "same": gettext("Do the same for all other files"),
    }


def _sheet() -> dict[str, str]:
    return {
        "sheet-problem": gettext("Look at the name"),
        "sheet-different": gettext("Different"),
        "sheet-comparing": gettext("Comparing…"),
        "sheet-unknown": gettext("Not checked"),
        "sheet-new": gettext("New"),
        "sheet-identical": gettext("Identical"),
        "sheet-checking": gettext("Checking…"),
        "sheet-twice": gettext("Another file of this upload has the same name."),
        "sheet-twin": gettext("“{key}” is in this upload, too, and differs in upper and lower case only."),
        "sheet-folder": gettext("A folder of this upload has the same name."),
        "sheet-becomes": gettext("Becomes “{name}”."),
        "sheet-there": gettext("There: {size}, changed {modified}."),
        "sheet-no-sum": gettext("The store tells no checksum, so that the contents cannot be compared."),
        "sheet-do": gettext("What to do with {name}"),
        "sheet-do-ask": gettext("Decide…"),
        "sheet-do-send": gettext("Send"),
        "sheet-do-skip": gettext("Skip"),
        "sheet-do-replace": gettext("Replace"),
        "sheet-do-keep-both": gettext("Keep both"),
        "sheet-do-rename": gettext("Use a better name"),
        "sheet-edit": gettext("Edit name and type of {name}"),
        "sheet-edit-short": gettext("Name and type"),
        "sheet-key": gettext("Name in the bucket"),
        "sheet-done": gettext("Done"),
        "sheet-range": gettext("{from}–{to} of {total} files"),
        "sheet-total": gettext("{count} files, {size}"),
        "sheet-total-one": gettext("{count} file, {size}"),
        "sheet-time": gettext("about {time} at {rate}, as before"),
        "sheet-start": gettext("Send {count} files"),
        "sheet-start-one": gettext("Send {count} file"),
        "sheet-none": gettext("Nothing is left to send."),
        "sheet-open": gettext("{count} still need a decision."),
        "sheet-wait": gettext("Files of the same size are being compared."),
        "sheet-check": gettext("Checked {done} of {total} names."),
        "sheet-nothing": gettext("Nothing special: the bucket and each file's type decide."),
        "sheet-reading": gettext(
            "The files of the last drop are still being read. Drop these again in a moment."
        ),
        "sheet-pasted": gettext("pasted"),
    }


def _browse() -> dict[str, str]:
    return {
        "selected": gettext("{count} selected"),
        "selected-folders": gettext("{folders} of them folders, not counted yet"),
        "selected-elsewhere": gettext("{elsewhere} on other pages"),
        "path": gettext("Path: folders with their slashes, then the beginning of a name"),
        "close": gettext("Close"),
    }


def _keys() -> dict[str, str]:
    return {
        "keys-title": gettext("Keyboard"),
        "keys-on": gettext("Keys act on this page"),
        "keys-anywhere": gettext("Anywhere"),
        "keys-rows": gettext("In a list of objects"),
        "keys-folder": gettext("This folder"),
        "keys-drawer": gettext("Details beside the list"),
        "keys-help": gettext("Show this help"),
        "keys-command": gettext("Search and commands"),
        "keys-buckets": gettext("Go to the buckets"),
        "keys-uploads": gettext("Go to the uploads"),
        "keys-jobs": gettext("Go to the jobs"),
        "keys-activity": gettext("Go to the activity"),
        "keys-down": gettext("Next row"),
        "keys-up": gettext("Previous row"),
        "keys-open": gettext("Open"),
        "keys-select": gettext("Select or unselect"),
        "keys-range-down": gettext("Select as far as the next row"),
        "keys-range-up": gettext("Select as far as the previous row"),
        "keys-all": gettext("Select the page; again, all that match"),
        "keys-clear": gettext("Close the details, or clear the selection"),
        "keys-menu": gettext("Menu of the row"),
        "keys-preview": gettext("Preview"),
        "keys-copy": gettext("Copy to"),
        "keys-move": gettext("Move to"),
        "keys-rename": gettext("Rename"),
        "keys-delete": gettext("Delete"),
        "keys-find": gettext("Find names in this folder"),
        "keys-pages": gettext("Previous and next page"),
        "keys-parent": gettext("Parent folder"),
        "keys-path": gettext("Edit the path"),
        "keys-folder-new": gettext("New folder"),
        "keys-upload": gettext("Upload"),
        "keys-info": gettext("Show or hide the details"),
        "keys-turn": gettext("Next and previous object"),
    }
