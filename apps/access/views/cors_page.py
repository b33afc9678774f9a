"""What the pages about CORS rules show: rules with their risks, tests with their results, past versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.access.forms.cors import ReviewForm, RuleForm, document_text
from apps.access.forms.cors_aids import PasteForm, TemplateForm, TryForm
from apps.access.forms.cors_rows import Raw, rule_forms
from apps.access.models import CorsVersion, PinnedTest
from apps.access.rules.cors import evaluate
from apps.access.rules.cors_documents import cors_json, cors_xml_shown
from apps.access.rules.cors_limits import document_size
from apps.access.rules.cors_risks import Level, Risk, cors_risks, exposures
from apps.access.rules.cors_words import Difference, cors_differences, rule_name, rule_text, verdict_text
from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest
from apps.connections.models import Role
from apps.connections.rules import Explanation
from apps.storage.cors import Cors, CorsRule

# With more rules than these the page begins as a list of sentences.
OPEN_MAX = 3
VERSIONS_SHOWN = 10
NO_RULE = CorsRule(origins=(), methods=(), max_age_s=0)


@dataclass(frozen=True)
class RuleRow:
    """One rule on the page: its fields, what it says, and what to think about."""

    form: RuleForm
    number: int
    name: str
    text: str
    risks: Sequence[Risk]
    is_open: bool
    is_focused: bool

    @property
    def worst(self) -> str:
        """The level of the worst risk, for a rule that is folded; "" where nothing is more than a note."""
        levels = [risk.level for risk in self.risks if risk.level != Level.NOTE]
        return levels[0] if levels else ""


@dataclass(frozen=True)
class VersionRow:
    """One saving in the list of the past."""

    version: CorsVersion
    differences: Sequence[Difference]
    edit_url: str


@dataclass(frozen=True)
class PinRow:
    """A pinned test and what rules that are not saved yet would make of it."""

    pin: PinnedTest
    is_kept: bool
    reason: str


def editor_page(
    request: ConnectionRequest,
    *,
    current: Cors,
    raws: Sequence[Raw],
    seen: str,
    made: Sequence[RuleForm] | None = None,
    aids: Sequence[Form] = (),
    focus: int | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    **more: Any,
) -> HttpResponse:
    """The rules to edit. `made` are forms that were checked; `aids` are those that have something to say."""
    limits = request.store.features.cors
    shown = list(made) if made is not None else rule_forms(raws, limits=limits)
    rules = _rules_of(raws, request, kept=current.rules)
    template = "access/cors.html#cors-editor" if request.htmx else "access/cors.html"
    context = {
        "current": current,
        "rows": _rows(shown, rules, current=current, focus=focus),
        "seen": seen,
        "is_changed": [rule for rule in rules if rule is not NO_RULE] != list(current.rules),
        "template_form": _aid(TemplateForm, aids) or TemplateForm(),
        "paste_form": _aid(PasteForm, aids) or PasteForm(),
        "try_form": _aid(TryForm, aids) or TryForm(limits=limits),
        "xml": cors_xml_shown(current) if current.rules else "",
        "json": cors_json(current) if current.rules else "",
        "rules_max": limits.rules_max,
    }
    # A browser's console calls a fragment that is no 200 an error, and an invalid form is none.
    status = HTTPStatus.OK if request.htmx else status
    return render(request, template, _frame(request) | context | more, status=status)


def whole_page(request: ConnectionRequest, *, current: Cors) -> dict[str, Any]:
    """Return what stands around the editor: tests, and the past."""
    pins = PinnedTest.objects.filter(connection=request.connection, bucket=request.bucket)
    versions = CorsVersion.objects.filter(connection=request.connection, bucket=request.bucket)
    latest = versions.first()
    is_as_saved = latest is None or latest.after_digest == current.digest
    # Rolling back a roll back would do again what failed, without a look at it.
    can_roll_back = latest is not None and is_as_saved and latest.kind == CorsVersion.Kind.SAVE
    return {
        "pins": pins,
        "failed": [pin for pin in pins if pin.state == PinnedTest.State.FAILED],
        "versions": [
            _version_row(request, one) for one in versions.select_related("person")[:VERSIONS_SHOWN]
        ],
        "latest": latest if can_roll_back else None,
        "is_as_saved": is_as_saved,
        "lab_url": bucket_url(request, "access:lab"),
        "run_url": bucket_url(request, "access:cors-tests"),
    }


def review_page(
    request: ConnectionRequest,
    *,
    current: Cors,
    rules: Sequence[CorsRule],
    form: ReviewForm | None = None,
    problem: Explanation | None = None,
    is_conflict: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """What would change, and what to think about before it does. With a conflict, both versions in full."""
    after = Cors(rules=tuple(rules), extras=current.extras if rules else ())
    payload = {"document": document_text(rules), "seen": current.digest}
    if form is None:
        form = ReviewForm(initial=payload)
    risks = [risk for risk in cors_risks(rules) if risk.level != Level.NOTE]
    context = {
        "form": form,
        "payload": payload,
        "differences": cors_differences(current, after),
        "risks": [(risk, rule_name(risk.number, rules[risk.number - 1])) for risk in risks],
        "is_exposing": bool(exposures(rules) - exposures(current.rules)),
        "exposed_methods": sorted({method for method, _header in exposures(rules)}),
        "is_empty": not rules,
        "is_conflict": is_conflict,
        "problem": problem,
        "theirs": [_told(number, rule) for number, rule in enumerate(current.rules, 1)],
        "ours": [_told(number, rule) for number, rule in enumerate(rules, 1)],
        "pins": _pin_rows(request, rules),
        "xml": cors_xml_shown(after) if rules else "",
        "size": document_size(rules, after),
        "size_max": request.store.features.cors.document_bytes_max,
        "rule_count": len(rules),
    }
    return render(request, "access/cors_review.html", _frame(request) | context, status=status)


def is_exposing(current: Cors, rules: Sequence[CorsRule]) -> bool:
    """Tell whether rules let every site do more than those that are there."""
    return bool(exposures(rules) - exposures(current.rules))


def _frame(request: ConnectionRequest) -> dict[str, Any]:
    return {
        "crumbs": bucket_crumbs(request, end="CORS"),
        "bucket": request.bucket,
        "action": bucket_url(request, "access:cors"),
        "can_admin": request.can_admin,
        "denied": _("This needs the role “%(role)s”.") % {"role": Role.ADMIN.label},
    }


def _rules_of(raws: Sequence[Raw], request: ConnectionRequest, *, kept: Sequence[CorsRule]) -> list[CorsRule]:
    """Return the rules as far as they make sense already; NO_RULE stands for one that does not."""
    forms = rule_forms(raws, limits=request.store.features.cors, kept=kept, is_checked=True)
    return [form.to_rule() if form.is_valid() else NO_RULE for form in forms]


def _rows(
    forms: Sequence[RuleForm], rules: Sequence[CorsRule], *, current: Cors, focus: int | None
) -> list[RuleRow]:
    risks = cors_risks(rules)
    rows = []
    for place, (form, rule) in enumerate(zip(forms, rules, strict=True)):
        number = place + 1
        is_whole = rule is not NO_RULE
        has_errors = form.is_bound and bool(form.errors)
        is_new = not is_whole or rule not in current.rules
        rows.append(
            RuleRow(
                form=form,
                number=number,
                name=rule_name(number, rule if is_whole else CorsRule((), (), id=_typed_name(form))),
                text=rule_text(rule) if is_whole else "",
                risks=[risk for risk in risks if risk.number == number and is_whole],
                is_open=len(forms) <= OPEN_MAX or has_errors or is_new or place == focus,
                is_focused=place == focus,
            )
        )
    return rows


def _typed_name(form: RuleForm) -> str:
    return str(form["id"].value() or "")


def _aid(kind: type[Form], aids: Sequence[Form]) -> Form | None:
    return next((aid for aid in aids if isinstance(aid, kind)), None)


def _told(number: int, rule: CorsRule) -> tuple[str, str]:
    return rule_name(number, rule), rule_text(rule)


def _version_row(request: ConnectionRequest, version: CorsVersion) -> VersionRow:
    return VersionRow(
        version=version,
        differences=cors_differences(version.cors_before, version.cors_after),
        edit_url=bucket_url(request, "access:cors", version=version.pk),
    )


def _pin_rows(request: ConnectionRequest, rules: Sequence[CorsRule]) -> list[PinRow]:
    rows = []
    for pin in PinnedTest.objects.filter(connection=request.connection, bucket=request.bucket):
        verdict = evaluate(rules, pin.question)
        rows.append(PinRow(pin, verdict.answer.is_allowed == pin.is_allowed, verdict_text(verdict, rules)))
    return rows
