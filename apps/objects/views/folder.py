from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.activity.services import activity_record
from apps.connections.crumbs import bucket_crumbs
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.objects.forms.changes import FolderForm
from apps.objects.services import FolderExists, folder_create
from apps.objects.views.places import folder_url, key_of, page_url
from apps.storage.keys import key_name, visible
from apps.storage.types import ObjectRef


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def folder_new(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    prefix = key_of(request, "prefix", is_required=False)
    form = FolderForm(request.POST or None, parent=prefix)
    if request.method == "POST" and form.is_valid():
        key = form.to_key()
        try:
            folder_create(request.store, ref=ObjectRef(bucket=bucket, region=request.region, key=key))
        except FolderExists:
            form.add_error("name", _("There is a folder with this name already."))
        else:
            activity_record(
                person=request.user, verb="folder.create", connection=connection, bucket=bucket, key=key
            )
            messages.success(request, _("Created the folder %(name)s.") % {"name": visible(key_name(key))})
            return redirect(folder_url(request, key))
    context = {"form": form, "prefix": prefix, "cancel_url": folder_url(request, prefix)}
    context["action"] = page_url(request, "folder-create", prefix=prefix)
    context["crumbs"] = [*bucket_crumbs(request, prefix), {"label": _("New folder"), "url": ""}]
    return render(request, "objects/folder.html", context)
