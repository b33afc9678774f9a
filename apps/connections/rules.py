"""What a failed call to a store means for the person in front of the page."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.storage import errors


@dataclass(frozen=True)
class Explanation:
    """A sentence about the cause, one about what to do, and the store's own words to quote to its support."""

    title: str
    advice: str
    code: str = ""
    request_id: str = ""
    message: str = ""


def explain(error: errors.StorageError) -> Explanation:
    """Return the plain cause of a failure and what to do about it. Never holds a secret."""
    title, advice = cause_of(error) or _by_kind(error)
    return Explanation(
        title=title,
        advice=advice,
        code=error.code,
        request_id=error.request_id,
        message="" if error.message == title else error.message,
    )


def cause_of(error: errors.StorageError) -> tuple[str, str] | None:
    """Return the one plain cause of a failure and what to do, None where only its kind is known."""
    return _by_code(error) or (_unanswered(error) if isinstance(error, errors.Unavailable) else None)


def _by_code(error: errors.StorageError) -> tuple[str, str] | None:
    match error.code:
        case "InvalidAccessKeyId":
            return _("The store does not know this SecretId."), _(
                "Check it for missing characters, or whether the key was deleted or disabled."
            )
        case "SignatureDoesNotMatch":
            return _("The SecretKey does not belong to this SecretId."), _("Enter the SecretKey again.")
        case "RequestTimeTooSkewed":
            return _("The clock of this server is wrong by more than 15 minutes."), _(
                "Set the clock, for example with NTP, and try again."
            )
        case "ExpiredToken" | "InvalidToken":
            return _("The temporary key has expired."), _("Enter a new key and token.")
        case "AccessDenied" if "expired" in error.message.lower():
            return _("The store says that the request has expired."), _(
                "The clock of this server is probably wrong: set it, and try again."
            )
        case _other:
            return None


def _by_kind(error: errors.StorageError) -> tuple[str, str]:
    match error:
        case errors.BucketNotFound():
            return _("This bucket does not exist."), _(
                "It was deleted or renamed outside the console, or it never existed."
            )
        case errors.ObjectNotFound():
            return _("This object does not exist."), _("It was deleted or moved in the meantime.")
        case errors.Denied(status=0):
            return error.message, ""
        case errors.Denied():
            return _("The connection's key may not do this."), _("Ask whoever manages the key to allow it.")
        case errors.Throttled():
            return _("The store is limiting requests."), _("Wait a moment, then try again.")
        case _other:
            return error.message, ""


def _unanswered(error: errors.Unavailable) -> tuple[str, str]:
    if error.status == 0:
        return _unreachable(error.message)
    if error.status == 503 and not error.code:
        # An answer to HEAD has no body, so that SlowDown and ServiceUnavailable look alike.
        return _("The store is limiting requests, or fails."), _(
            "It did not say which of the two. Wait a moment, then try again."
        )
    return _("The store failed to answer."), _("Nothing is wrong on your side. Try again in a moment.")


def _unreachable(message: str) -> tuple[str, str]:
    """Return the words for a call that got no answer; the reason is known only from the transport's text."""
    text = message.lower()
    if "resolve" in text:
        return _("The host name of the store cannot be found (DNS)."), _(
            "Check the region and the domain suffix, and the name server of this machine."
        )
    if "certificate" in text or "encrypted" in text:
        return _("No trusted TLS connection to the store is possible."), _(
            "Check the scheme, and whether a proxy replaces certificates."
        )
    if "reached" in text or "refused" in text:
        return _("The store refused the network connection."), _(
            "Check the address and port, and whether a firewall is in between."
        )
    if "in time" in text or "timed out" in text or "sent nothing" in text:
        return _("The store did not answer in time."), _("Check the address and the network, then try again.")
    return _("The store could not be reached."), _("Check the address and the network, then try again.")
