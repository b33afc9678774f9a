"""The upload sheet: its page, and what the objects of a batch are to get."""

from __future__ import annotations

import json
from http import HTTPStatus

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.transfers.forms.options import UploadOptionsForm
from apps.transfers.rules.headers import PRESETS
from apps.transfers.tokens import options_pack
from apps.transfers.views.answers import place_of


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def upload_sheet(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The sheet as a script puts it into a page. Options posted here come back checked and signed."""
    features = request.store.features
    if request.method == "GET":
        presets = {name.replace("-", "_"): json.dumps(_preset_fields(name)) for name in PRESETS}
        context = {"form": UploadOptionsForm(features=features), "presets": presets}
        return render(request, "transfers/sheet.html", context)
    form = UploadOptionsForm(request.POST, features=features)
    if not form.is_valid():
        errors = {name: [str(message) for message in found] for name, found in form.errors.items()}
        return JsonResponse({"errors": errors}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    token = options_pack(form.to_new_object().to_json(), place=place_of(request))
    return JsonResponse({"options": token, "type": form.cleaned_data["content_type"]})


def _preset_fields(name: str) -> dict[str, str]:
    return {field: value for field, value in vars(PRESETS[name]).items() if value}
