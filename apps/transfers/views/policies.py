"""The page that says which way files take into a bucket, why, and what may be changed about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.access.forms.cors import document_text
from apps.access.rules.cors_words import rule_text
from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.storage.errors import StorageError
from apps.transfers.forms.policies import ALL_BUCKETS, THIS_BUCKET, PolicyForm
from apps.transfers.models import UploadPolicy
from apps.transfers.paths import Path, Policy, Reason, origin_of, path_for, rule_for
from apps.transfers.services.policies import policy_set


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def upload_path(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    if request.method == "GET":
        return _page(request, PolicyForm(initial=_chosen(request)))
    request.need(Role.ADMIN)
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    policy_set(
        connection=request.connection,
        bucket=bucket,
        policy=Policy(form.cleaned_data["policy"]),
        is_for_all=form.is_for_all,
        person=request.user,
    )
    messages.success(request, _("Saved. Files that begin from now on go by it."))
    return redirect(bucket_url(request, "transfers:upload-path"))


def _page(request: ConnectionRequest, form: PolicyForm, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    origin = origin_of(request)
    path = path_for(request.connection, request.bucket, origin, is_fresh=True)
    context = {
        "crumbs": bucket_crumbs(request, end=_("Uploads")),
        "bucket": request.bucket,
        "form": form,
        "path": path,
        "origin": origin,
        "action": bucket_url(request, "transfers:upload-path"),
        "lab_url": bucket_url(request, "access:lab"),
        "can_admin": request.can_admin,
        "denied": _("This needs the role “%(role)s”.") % {"role": Role.ADMIN.label},
    }
    return render(request, "transfers/path.html", context | _offer(request, path, origin), status=status)


def _chosen(request: ConnectionRequest) -> dict[str, str]:
    """Return the policy that counts and whose it is."""
    lines = UploadPolicy.objects.filter(connection=request.connection, bucket__in=("", request.bucket))
    line = lines.order_by("-bucket").first()
    if line is None:
        return {"policy": Policy.AUTO, "scope": THIS_BUCKET}
    return {"policy": line.policy, "scope": THIS_BUCKET if line.bucket else ALL_BUCKETS}


def _offer(request: ConnectionRequest, path: Path, origin: str) -> dict[str, Any]:
    """Return the rule that is missing, behind those that are there, for the review page of the rules."""
    if path.reason is not Reason.NO_RULE:
        return {}
    rule = rule_for(origin)
    offer: dict[str, Any] = {"rule_text": rule_text(rule), "cors_url": bucket_url(request, "access:cors")}
    if not request.can_admin:
        return offer
    try:
        current = request.store.get_bucket_cors(bucket=request.bucket, region=request.region)
    except StorageError as error:
        return offer | {"trouble": explain(error)}
    return offer | {"document": document_text([*current.rules, rule]), "seen": current.digest}
