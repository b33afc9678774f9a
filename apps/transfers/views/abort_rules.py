from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.transfers.crumbs import place_crumbs, place_url
from apps.transfers.forms.unfinished import RuleForm, before_of
from apps.transfers.models import AbortRule
from apps.transfers.services.abort_rules import rule_off, rule_save
from apps.transfers.services.unfinished import Which, places_of, uploads_matching

RUNS_SHOWN = 10
SAMPLES = 10


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def unfinished_rule(request: ConnectionRequest, connection: str, bucket: str = "") -> HttpResponse:
    """The rule that aborts old uploads once a day: tried out with `days` before it is saved."""
    rule = (
        AbortRule.objects.filter(connection=request.connection, bucket=bucket).select_related("owner").first()
    )
    if request.method == "POST":
        request.need(Role.ADMIN)
        return _change(request, rule)
    form = RuleForm(
        request.GET if "days" in request.GET else None, initial={"days": rule.days if rule else 7}
    )
    context = {
        "rule": rule,
        "form": form,
        "runs": list(rule.walks.order_by("-started_at")[:RUNS_SHOWN]) if rule else [],
        "has_bucket": bool(bucket),
        "other": _other(request),
        "can_admin": request.can_admin,
        "action": place_url(request, "unfinished-rule"),
        "list_url": place_url(request, "unfinished"),
        "crumbs": place_crumbs(request, end=_("Abort every day")),
        **(_tried(request, form.cleaned_data["days"]) if form.is_bound and form.is_valid() else {}),
    }
    return render(request, "transfers/rule.html", context)


def _other(request: ConnectionRequest) -> AbortRule | None:
    """Return the connection's rule on the page of a bucket: it acts there, too."""
    if not request.bucket:
        return None
    return AbortRule.objects.filter(connection=request.connection, bucket="", is_on=True).first()


def _tried(request: ConnectionRequest, days: int) -> dict[str, object]:
    which = Which(before=before_of(str(days), timezone.now()))
    places = places_of(request.connection, request.bucket)
    matching = uploads_matching(request.connection, places=places, which=which)
    return {
        "days": days,
        "matching": matching,
        "samples": matching.uploads[:SAMPLES],
        "problems": [(name, explain(error)) for name, error in sorted(matching.problems.items())],
    }


def _change(request: ConnectionRequest, rule: AbortRule | None) -> HttpResponse:
    here = place_url(request, "unfinished-rule")
    if request.POST.get("do") == "off":
        if rule is not None:
            rule_off(rule, person=request.user)
            messages.success(request, _("Nothing is aborted by itself here any more."))
        return redirect(here)
    form = RuleForm(request.POST)
    if not form.is_valid():
        return redirect(place_url(request, "unfinished-rule", days=request.POST.get("days", "")[:10]))
    rule_save(request.connection, owner=request.user, bucket=request.bucket, days=form.cleaned_data["days"])
    messages.success(request, _("Saved. The first run begins within a minute."))
    return redirect(here)
