from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.services import bucket_region
from apps.objects.forms.changes import CopyForm, DeleteForm
from apps.objects.services import ObjectChanged, object_delete
from apps.objects.views.places import folder_url, object_context, ref_of
from apps.storage.keys import key_name, key_parent, visible
from apps.transfers.services import SameObject, TargetExists, copy_start
from apps.transfers.tasks import copy_parts, hand_over


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def object_remove(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    ref = ref_of(request)
    if request.method == "POST":
        form = DeleteForm(request.POST)
        seen = form.cleaned_data["etag"] if form.is_valid() else ""
        try:
            object_delete(request.store, ref=ref, seen_etag=seen)
        except ObjectChanged:
            messages.warning(request, _("The object was replaced in the meantime. Look at it again."))
        else:
            messages.success(request, _("Deleted %(name)s.") % {"name": visible(key_name(ref.key))})
            return redirect(folder_url(request, key_parent(ref.key)))
    info = request.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    context = {"info": info, "form": DeleteForm(initial={"etag": info.etag})}
    return render(request, "objects/delete.html", object_context(request, ref.key) | context)


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def object_copy(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Hand a copy to the workers, and go to the job that reports it."""
    source = ref_of(request)
    known = request.connection.known_buckets.values_list("name", flat=True)
    form = CopyForm(
        request.POST or None,
        buckets=sorted({bucket, *known}),
        initial={"bucket": bucket, "key": source.key},
    )
    taken = None
    if request.method == "POST" and form.is_valid():
        try:
            transfer = copy_start(
                owner=request.user,
                connection=request.connection,
                source=source,
                bucket=form.cleaned_data["bucket"],
                region=bucket_region(request.connection, form.cleaned_data["bucket"]),
                key=form.cleaned_data["key"],
                replace=form.cleaned_data["replace"],
            )
        except SameObject:
            form.add_error("key", _("This is the object itself. Choose another key or bucket."))
        except TargetExists as error:
            taken = error.info
            form.add_error("key", _("An object with this key exists already."))
        else:
            hand_over(copy_parts, transfer_id=transfer.pk)
            return redirect("jobs:detail", job_id=transfer.job_id)
    context = object_context(request, source.key) | {"form": form, "taken": taken}
    context["is_key_altered"] = any(character in source.key for character in "\r\n\x00")
    return render(request, "objects/copy.html", context)
