from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.activity.services import activity_record
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.connections.services import bucket_region
from apps.objects.forms.changes import CopyForm, DeleteForm
from apps.objects.forms.copying import CopyOptionsForm
from apps.objects.services import CopyOptions, ObjectChanged, copy_now, object_delete
from apps.objects.views.places import folder_url, object_context, ref_of
from apps.storage.errors import Conflict, Refused
from apps.storage.keys import key_name, key_parent, key_query, visible
from apps.storage.types import ObjectRef
from apps.transfers.services.beginning import TargetExists
from apps.transfers.services.copies import SameObject, copy_start
from apps.transfers.tasks import copy_hand_over


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
            activity_record(
                person=request.user,
                verb="object.delete",
                connection=connection,
                bucket=bucket,
                key=ref.key,
                before={"etag": seen},
            )
            messages.success(request, _("Deleted %(name)s.") % {"name": visible(key_name(ref.key))})
            return redirect(folder_url(request, key_parent(ref.key)))
    info = request.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    context = {"info": info, "form": DeleteForm(initial={"etag": info.etag})}
    return render(request, "objects/delete.html", object_context(request, ref.key) | context)


def _copied(
    request: ConnectionRequest, source: ObjectRef, wanted: Mapping[str, Any], options: CopyOptions
) -> HttpResponse:
    """Hand a plain copy of any size to the workers; one with options is one request that is waited for."""
    region = bucket_region(request.connection, wanted["bucket"])
    if options == CopyOptions():
        transfer = copy_start(
            owner=request.user,
            connection=request.connection,
            source=source,
            bucket=wanted["bucket"],
            region=region,
            key=wanted["key"],
            replace=wanted["replace"],
        )
        copy_hand_over(transfer.pk)
        return redirect("jobs:detail", job_id=transfer.job_id)
    target = ObjectRef(bucket=wanted["bucket"], region=region, key=wanted["key"])
    copy_now(request.store, source=source, target=target, options=options, replace=wanted["replace"])
    activity_record(
        person=request.user,
        verb="object.copy",
        connection=request.connection.slug,
        bucket=target.bucket,
        key=target.key,
        after={"source": f"{source.bucket}/{source.key}", "options": options},
    )
    messages.success(request, _("Copied to %(name)s.") % {"name": visible(target.key)})
    detail = reverse("objects:detail", args=[request.connection.slug, target.bucket])
    return redirect(f"{detail}?key={key_query(target.key)}")


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
    more = CopyOptionsForm(request.POST or None, features=request.store.features)
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid() and more.is_valid():
        try:
            return _copied(request, source, form.cleaned_data, more.to_options())
        except SameObject:
            form.add_error("key", _("This is the object itself. Choose another key or bucket."))
        except TargetExists as error:
            context["taken"] = error.info
            form.add_error("key", _("An object with this key exists already."))
        except Conflict as error:
            context["problem"] = replace(
                explain(error),
                title=_("The source is not what the conditions ask for."),
                advice=_("Nothing was copied. Look at it again, or change the conditions."),
            )
        except Refused as error:
            context["problem"] = explain(error)
    context |= object_context(request, source.key) | {"form": form, "more": more}
    context["is_more_open"] = more.is_bound and (bool(more.errors) or more.to_options() != CopyOptions())
    context["copy_max"] = request.store.features.single_copy_max
    context["is_key_altered"] = any(character in source.key for character in "\r\n\x00")
    return render(request, "objects/copy.html", context)
