"""The CORS lab: what the store answers to browsers, beside what its rules say, and tests made of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.access.forms.lab import LabForm, PinForm, lab_defaults
from apps.access.models import PinnedTest
from apps.access.rules.browsers import answer_differences, browser_outcome, outcome_text
from apps.access.rules.cors import Question, Verdict, evaluate
from apps.access.rules.cors_words import verdict_text
from apps.access.services.preflights import (
    PINS_MAX,
    TIMEOUT_S,
    PinsFull,
    pin_add,
    pins_run,
    preflights_ask,
)
from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import Explanation, explain
from apps.storage.cors import Cors, Preflight
from apps.storage.errors import StorageError


@dataclass(frozen=True)
class Cell:
    """One question: what the rules say, what the store says, and what a browser makes of that."""

    question: Question
    verdict: Verdict | None
    reason: str
    live: Preflight | None = None
    problem: Explanation | None = None
    differences: Sequence[str] = ()
    outcome: str = ""

    @property
    def headers(self) -> str:
        return ",".join(self.question.headers)


@dataclass(frozen=True)
class Row:
    """One origin with one set of headers."""

    origin: str
    headers: str
    cells: Sequence[Cell]


@require_GET
@connection_required(Role.READER)
def cors_lab(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The grid. A whole page has what the rules say; the fragment, or `live=1`, what the store says."""
    cors, problem = _rules(request)
    limits = request.store.features.cors
    given = request.GET.copy()
    given.pop("live", None)
    if not given:
        for name, value in lab_defaults(cors.rules if cors else (), limits).items():
            given.setlist(name, value if isinstance(value, list) else [value])
    form = LabForm(given, limits=limits)
    is_valid = form.is_valid()
    is_fragment = request.htmx and not request.htmx.history_restore_request
    is_live = is_valid and bool(is_fragment or request.GET.get("live"))
    context = _page(request, form, given) | {
        "rules_problem": problem,
        "rows": _rows(request, form, cors, is_live=is_live) if is_valid else [],
        "methods": form.cleaned_data.get("methods", ()),
        "is_live": is_live,
    }
    status = HTTPStatus.OK if is_valid else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "access/lab.html" + ("#lab-grid" if is_fragment else ""), context, status=status)


@require_POST
@connection_required(Role.ADMIN)
def cors_pin(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Make a cell a test that runs after each change of the rules."""
    form = PinForm(request.POST, limits=request.store.features.cors)
    if not form.is_valid():
        return _pins(request, problem=_("This cell cannot be pinned. Reload the page and try again."))
    try:
        pin_add(
            connection=request.connection,
            bucket=bucket,
            key=form.cleaned_data["key"],
            question=form.to_question(),
            is_allowed=form.cleaned_data["expected"] == "allowed",
            person=request.user,
            now=timezone.now(),
        )
    except PinsFull:
        text = _("A bucket has at most %(count)s pinned tests. Unpin one first.") % {"count": PINS_MAX}
        return _pins(request, problem=text)
    pins_run(request.connection, bucket=bucket, region=request.region, now=timezone.now())
    return _pins(request)


@require_POST
@connection_required(Role.ADMIN)
def cors_unpin(request: ConnectionRequest, connection: str, bucket: str, test: int) -> HttpResponse:
    pin = get_object_or_404(PinnedTest, pk=test, connection=request.connection, bucket=bucket)
    pin.delete()
    return _pins(request)


@require_POST
@connection_required(Role.READER)
def cors_tests(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Run the pinned tests now. Asking changes nothing at the store, so that readers may."""
    pins_run(request.connection, bucket=bucket, region=request.region, now=timezone.now())
    return _pins(request)


def _rules(request: ConnectionRequest) -> tuple[Cors | None, Explanation | None]:
    """Return the rules, or why they cannot be read: the store can be asked about browsers all the same."""
    try:
        return request.store.get_bucket_cors(bucket=request.bucket, region=request.region), None
    except StorageError as error:
        return None, explain(error)


def _rows(request: ConnectionRequest, form: LabForm, cors: Cors | None, *, is_live: bool) -> list[Row]:
    questions = form.to_rows()
    key = form.cleaned_data["key"]
    flat = [question for row in questions for question in row]
    answers: Sequence[Preflight | StorageError | None] = [None] * len(flat)
    if is_live:
        answers = preflights_ask(
            request.connection,
            bucket=request.bucket,
            region=request.region,
            asked=[(key, question) for question in flat],
            timeout_s=TIMEOUT_S,
        )
    cells = iter([_cell(cors, question, answer) for question, answer in zip(flat, answers, strict=True)])
    return [
        Row(row[0].origin, ", ".join(row[0].headers), [next(cells) for _question in row]) for row in questions
    ]


def _cell(cors: Cors | None, question: Question, answer: Preflight | StorageError | None) -> Cell:
    verdict = evaluate(cors.rules, question) if cors else None
    reason = verdict_text(verdict, cors.rules) if cors and verdict else _("The rules cannot be read.")
    if isinstance(answer, StorageError):
        return Cell(question, verdict, reason, problem=explain(answer))
    if answer is None:
        return Cell(question, verdict, reason)
    return Cell(
        question,
        verdict,
        reason,
        live=answer,
        differences=answer_differences(answer, verdict.answer) if verdict else (),
        outcome=outcome_text(browser_outcome(question, answer)),
    )


def _page(request: ConnectionRequest, form: LabForm, given: QueryDict) -> dict[str, Any]:
    return _pins_context(request) | {
        "form": form,
        "key": form.cleaned_data.get("key", ""),
        "query": given.urlencode(),
        "action": bucket_url(request, "access:lab"),
        "cors_url": bucket_url(request, "access:cors"),
        "crumbs": [
            *bucket_crumbs(request),
            {"label": "CORS", "url": bucket_url(request, "access:cors")},
            {"label": _("Lab"), "url": ""},
        ],
    }


def _pins_context(request: ConnectionRequest) -> dict[str, Any]:
    return {
        "pins": PinnedTest.objects.filter(connection=request.connection, bucket=request.bucket),
        "bucket": request.bucket,
        "run_url": bucket_url(request, "access:cors-tests"),
        "pin_url": bucket_url(request, "access:cors-pin"),
        "can_admin": request.can_admin,
        "denied": _("This needs the role “%(role)s”.") % {"role": Role.ADMIN.label},
    }


def _pins(request: ConnectionRequest, *, problem: str = "") -> HttpResponse:
    """The list of tests as a fragment; without htmx the page from which the button was pressed."""
    if request.htmx:
        context = _pins_context(request) | {"pin_problem": problem, "back": request.POST.get("back", "")}
        return render(request, "access/_pins.html", context)
    if problem:
        messages.error(request, problem)
    # Encoded anew, because it came with the form.
    query = QueryDict(request.POST.get("back", "")).urlencode()
    return redirect(f"{bucket_url(request, 'access:lab')}?{query}#pins")
