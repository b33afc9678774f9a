from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.forms.cors import DocumentDamaged, ReviewForm, document_rules
from apps.access.forms.cors_aids import PasteForm, TemplateForm, TryForm
from apps.access.forms.cors_rows import Raw, forms_check, raw_of, raws_posted, raws_step, rule_forms
from apps.access.models import CorsVersion, PinnedTest
from apps.access.rules.browsers import browser_outcome, outcome_text
from apps.access.rules.cors import evaluate
from apps.access.rules.cors_words import cors_differences, verdict_text
from apps.access.services.cors import CorsChanged, CorsUnknown, cors_roll_back, cors_save
from apps.access.services.preflights import pins_run
from apps.access.views.acl_page import status_of
from apps.access.views.cors_page import editor_page, is_exposing, review_page, whole_page
from apps.connections.crumbs import bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import Explanation, explain
from apps.storage.cors import Cors, CorsRule
from apps.storage.errors import NotFound, StorageError


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def cors_edit(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The rules of a bucket. Every button of the page posts all of them, so that nothing typed is lost."""
    if request.method == "GET":
        current = request.store.get_bucket_cors(bucket=bucket, region=request.region)
        version = _version_asked(request)
        rules = version.cors_before.rules if version else current.rules
        return _editor(request, current, [raw_of(rule) for rule in rules], is_from_past=bool(version))
    request.need(Role.ADMIN)
    try:
        current = request.store.get_bucket_cors(bucket=bucket, region=request.region)
    except NotFound:
        raise
    except StorageError as error:
        return _unread(request, error)
    try:
        return _posted(request, current)
    except DocumentDamaged:
        # Never taken for an empty list of rules, which would remove them all.
        messages.error(request, _("The rules on this page were damaged. Start again."))
        return redirect(bucket_url(request, "access:cors"))


@require_POST
@connection_required(Role.ADMIN)
def cors_restore(request: ConnectionRequest, connection: str, bucket: str, version: int) -> HttpResponse:
    """Put back what was there before a saving. What would open the bucket to every site is reviewed first."""
    found = get_object_or_404(CorsVersion, pk=version, connection=request.connection, bucket=bucket)
    current = request.store.get_bucket_cors(bucket=bucket, region=request.region)
    rules = found.cors_before.rules
    if is_exposing(current, rules):
        return review_page(request, current=current, rules=rules)
    try:
        cors_roll_back(version=found, region=request.region, person=request.user, now=timezone.now())
    except CorsChanged as error:
        return review_page(
            request, current=error.current, rules=rules, is_conflict=True, status=HTTPStatus.CONFLICT
        )
    except CorsUnknown as error:
        return review_page(request, current=current, rules=rules, problem=_unknown(error))
    messages.success(request, _("Rolled back: the rules are what they were before."))
    return _tested(request)


def _posted(request: ConnectionRequest, current: Cors) -> HttpResponse:
    step, _colon, place = request.POST.get("do", "review").partition(":")
    match step:
        case "save":
            return _save(request, current)
        case "review":
            return _review(request, current)
        case "edit":
            return _editor(request, current, [raw_of(rule) for rule in _document(request)])
        case "try":
            return _try(request, current)
        case "template" | "paste":
            return _add(request, current, step)
    raws, focus = raws_step(
        raws_posted(request.POST), step, int(place) if place.isascii() and place.isdigit() else -1
    )
    return _editor(request, current, raws, focus=focus)


def _unread(request: ConnectionRequest, error: StorageError) -> HttpResponse:
    """Show what was typed again, because without the rules in the store no step can be taken.

    A fragment needs no such page: what was typed stands where it is, and a toast says what went wrong.
    """
    if request.htmx:
        raise error
    raws = raws_posted(request.POST)
    if "document" in request.POST:
        with suppress(DocumentDamaged):
            raws = [raw_of(rule) for rule in _document(request)]
    return _editor(request, Cors(), raws, trouble=explain(error), status=status_of(error))


def _editor(request: ConnectionRequest, current: Cors, raws: Sequence[Raw], **more: object) -> HttpResponse:
    # What the person started from stays through every button, so that a conflict is noticed at the end.
    seen = request.POST.get("seen", current.digest)
    around = {} if request.htmx else whole_page(request, current=current)
    return editor_page(request, current=current, raws=raws, seen=seen, **around, **more)  # type: ignore[arg-type]


def _review(request: ConnectionRequest, current: Cors) -> HttpResponse:
    if "document" in request.POST:
        raws = [raw_of(rule) for rule in _document(request)]
    else:
        raws = raws_posted(request.POST)
    limits = request.store.features.cors
    made = rule_forms(raws, limits=limits, kept=current.rules, is_checked=True)
    problems = forms_check(made, current=current, limits=limits)
    if problems:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _editor(request, current, raws, made=made, problems=problems, status=status)
    rules = [form.to_rule() for form in made]
    if not cors_differences(current, Cors(rules=tuple(rules), extras=current.extras if rules else ())):
        messages.info(request, _("Nothing to save: the rules are like that already."))
        return redirect(bucket_url(request, "access:cors"))
    is_conflict = request.POST.get("seen") != current.digest
    status = HTTPStatus.CONFLICT if is_conflict else HTTPStatus.OK
    return review_page(request, current=current, rules=rules, is_conflict=is_conflict, status=status)


def _save(request: ConnectionRequest, current: Cors) -> HttpResponse:
    form = ReviewForm(request.POST)
    rules = _document(request)
    limits = request.store.features.cors
    made = rule_forms(list(map(raw_of, rules)), limits=limits, kept=current.rules, is_checked=True)
    if not form.is_valid() or forms_check(made, current=current, limits=limits):
        return _review(request, current)
    if is_exposing(current, rules) and not form.is_confirmed():
        form.add_error("confirm", _("Pages of anybody get in. Type public to confirm."))
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return review_page(request, current=current, rules=rules, form=form, status=status)
    try:
        cors_save(
            connection=request.connection,
            bucket=request.bucket,
            region=request.region,
            person=request.user,
            rules=rules,
            seen=form.cleaned_data["seen"],
            now=timezone.now(),
            reason=form.cleaned_data["reason"],
        )
    except CorsChanged as error:
        return review_page(
            request, current=error.current, rules=rules, is_conflict=True, status=HTTPStatus.CONFLICT
        )
    except CorsUnknown as error:
        return review_page(request, current=current, rules=rules, problem=_unknown(error))
    except StorageError as error:
        status = HTTPStatus.BAD_GATEWAY if error.status >= 500 else HTTPStatus.UNPROCESSABLE_ENTITY
        return review_page(request, current=current, rules=rules, problem=explain(error), status=status)
    messages.success(request, _("Saved the CORS rules.") if rules else _("Removed all CORS rules."))
    return _tested(request)


def _tested(request: ConnectionRequest) -> HttpResponse:
    """Run the pinned tests after a change, tell what came of them, and go to the page with the rules."""
    now = timezone.now()
    pins = pins_run(request.connection, bucket=request.bucket, region=request.region, now=now, is_fresh=True)
    failed = sum(pin.state == PinnedTest.State.FAILED for pin in pins)
    if failed:
        text = ngettext("%(count)s pinned test fails.", "%(count)s pinned tests fail.", failed)
        messages.error(request, text % {"count": failed})
    elif pins and all(pin.state == PinnedTest.State.PASSED for pin in pins):
        text = ngettext("The pinned test passes.", "All %(count)s pinned tests pass.", len(pins))
        messages.success(request, text % {"count": len(pins)})
    elif pins:
        messages.warning(request, _("Some pinned tests got no answer. Run them again in a moment."))
    return redirect(bucket_url(request, "access:cors"))


def _try(request: ConnectionRequest, current: Cors) -> HttpResponse:
    """Evaluate the rules as they are typed, before anything is saved."""
    raws = raws_posted(request.POST)
    limits = request.store.features.cors
    made = rule_forms(raws, limits=limits, kept=current.rules, is_checked=True)
    problems = forms_check(made, current=current, limits=limits)
    form = TryForm(request.POST, limits=limits)
    if not form.is_valid() or problems:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _editor(request, current, raws, made=made, aids=[form], problems=problems, status=status)
    rules, question = [one.to_rule() for one in made], form.to_question()
    verdict = evaluate(rules, question)
    tried = {
        "is_allowed": verdict.answer.is_allowed,
        "reason": verdict_text(verdict, rules),
        "outcome": outcome_text(browser_outcome(question, verdict.answer)),
    }
    return _editor(request, current, raws, aids=[form], tried=tried)


def _add(request: ConnectionRequest, current: Cors, step: str) -> HttpResponse:
    raws = raws_posted(request.POST)
    form = TemplateForm(request.POST) if step == "template" else PasteForm(request.POST)
    if not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _editor(request, current, raws, aids=[form], status=status)
    added = [form.to_rule()] if isinstance(form, TemplateForm) else form.to_rules()
    return _editor(request, current, [*raws, *map(raw_of, added)], focus=len(raws) if added else None)


def _document(request: ConnectionRequest) -> tuple[CorsRule, ...]:
    return document_rules(request.POST.get("document", ""))


def _version_asked(request: ConnectionRequest) -> CorsVersion | None:
    text = request.GET.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        return None
    return get_object_or_404(CorsVersion, pk=int(text), connection=request.connection, bucket=request.bucket)


def _unknown(error: CorsUnknown) -> Explanation:
    return Explanation(
        title=_("These rules hold what the console does not understand, so it saves nothing over them."),
        advice=_("It would be lost: %(names)s.") % {"names": ", ".join(error.unknown)},
    )
