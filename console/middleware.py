"""What stands between every request and its view: signing in, and failures of a store in plain words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.connections.rules import cause_of
from apps.storage import errors

logger = logging.getLogger(__name__)


class SignInMiddleware(LoginRequiredMiddleware):
    """Ask strangers to sign in, each kind of request in a way that it can show."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        """Whole pages are led to the sign-in page; a fragment or a script must never receive one."""
        if request.headers.get("HX-Request"):
            return self._fragment_refused(request, view_func)
        accept = request.headers.get("Accept", "*/*")
        if "text/html" in accept or accept == "*/*":
            return super().handle_no_permission(request, view_func)
        return JsonResponse({"error": gettext("You are signed out. Sign in again.")}, status=401)

    def _fragment_refused(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = f"{page.path}?{page.query}" if page.query else page.path
        sign_in = redirect_to_login(back or "/", resolve_url(self.get_login_url(view_func)))
        return HttpResponse(status=401, headers={"HX-Redirect": sign_in.url})


@dataclass(frozen=True)
class Explanation:
    """What a failure of a store means for the person who waits for the page."""

    status: HTTPStatus
    title: str | Promise
    advice: str | Promise


# The first type that matches wins, so the narrow ones come first.
EXPLANATIONS: tuple[tuple[type[errors.StorageError], Explanation], ...] = (
    (
        errors.BucketNotFound,
        Explanation(
            HTTPStatus.NOT_FOUND,
            _("This bucket does not exist"),
            _("It was deleted or renamed outside the console, or it is in another region."),
        ),
    ),
    (
        errors.UploadNotFound,
        Explanation(
            HTTPStatus.NOT_FOUND,
            _("This upload does not exist any more"),
            _("It was completed or canceled in the meantime. Upload the file again if you miss it."),
        ),
    ),
    (
        errors.NotFound,
        Explanation(
            HTTPStatus.NOT_FOUND,
            _("This object does not exist"),
            _("It was deleted or renamed in the meantime. Go back to the folder to see what is there now."),
        ),
    ),
    (
        errors.Denied,
        Explanation(
            HTTPStatus.FORBIDDEN,
            _("The store refused the key of this connection"),
            _(
                "The key may not do this, was replaced, or the clock of the console is wrong. "
                "Ask whoever manages the connection to test it."
            ),
        ),
    ),
    (
        errors.Throttled,
        Explanation(
            HTTPStatus.SERVICE_UNAVAILABLE,
            _("The store asks to slow down"),
            _("It limits how many requests it answers. Wait a few seconds, then try again."),
        ),
    ),
    (
        errors.Unavailable,
        Explanation(
            HTTPStatus.SERVICE_UNAVAILABLE,
            _("The store did not answer"),
            _("It may have been done all the same: look before you repeat it."),
        ),
    ),
    (
        errors.Conflict,
        Explanation(
            HTTPStatus.CONFLICT,
            _("The store cannot do this now"),
            _("What is there has changed or stands in the way. Reload the page, look, and try again."),
        ),
    ),
    (
        errors.Refused,
        Explanation(
            HTTPStatus.BAD_REQUEST,
            _("The store did not accept this request"),
            _("Trying again will not help: change what you entered. The store says why below."),
        ),
    ),
)
UNEXPECTED = Explanation(
    HTTPStatus.BAD_GATEWAY,
    _("The store gave an answer that cannot be trusted"),
    _("Nothing was taken over from it. Try again; if it happens again, keep the request id for support."),
)
RETRY_AFTER_S = "5"


def explanation_of(error: errors.StorageError, *, is_change: bool = False) -> Explanation:
    """Return what to tell a person about a failed call; `is_change` when it may have changed something."""
    general = next((text for kind, text in EXPLANATIONS if isinstance(error, kind)), UNEXPECTED)
    cause = cause_of(error)
    if cause is None:
        return general
    title, advice = cause
    if is_change and isinstance(error, errors.Unavailable):
        advice = f"{advice} {general.advice}"
    # A heading has no full stop.
    return Explanation(general.status, title.rstrip(".。"), advice)


class StorageErrorMiddleware:
    """Turn a store's failure into a page or a fragment that says what to do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, errors.StorageError):
            return None
        explanation = explanation_of(exception, is_change=request.method == "POST")
        logger.warning(
            "A store refused or failed a request.",
            extra={
                "operation": exception.operation,
                "code": exception.code,
                "request_id": exception.request_id,
                "status": exception.status,
            },
        )
        return _answer(request, exception, explanation)


def _answer(request: HttpRequest, error: errors.StorageError, explanation: Explanation) -> HttpResponse:
    response = _rendered(request, error, explanation)
    response["Cache-Control"] = "no-store"
    if explanation.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = RETRY_AFTER_S
    return response


def _rendered(request: HttpRequest, error: errors.StorageError, explanation: Explanation) -> HttpResponse:
    if "application/json" in request.headers.get("Accept", ""):
        body = {
            "error": gettext("%(title)s. %(advice)s")
            % {"title": explanation.title, "advice": explanation.advice},
            "code": error.code,
            "request_id": error.request_id,
        }
        return JsonResponse(body, status=explanation.status)
    template = "errors/_storage_toast.html" if request.headers.get("HX-Request") else "errors/storage.html"
    context = {"error": error, "explanation": explanation}
    return render(request, template, context, status=explanation.status)
