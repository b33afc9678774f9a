from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.activity.services import activity_record
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.objects.forms.changes import MOVE, CopyForm, DeleteForm
from apps.objects.forms.copying import CopyOptionsForm
from apps.objects.services import ObjectChanged, object_delete
from apps.objects.views.places import folder_url, object_context, ref_of
from apps.storage.errors import Conflict, Denied, NotFound, Refused
from apps.storage.keys import key_name, key_parent, visible
from apps.storage.types import ObjectRef
from apps.transfers.forms.places import places_offer
from apps.transfers.services.beginning import TargetExists
from apps.transfers.services.copies import CopyWanted, SameObject, copy_start
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


def _started(
    request: ConnectionRequest, source: ObjectRef, form: CopyForm, wanted: CopyWanted
) -> HttpResponse:
    """Hand a copy of any size to the workers, and go to the job that reports it."""
    place = form.to_place()
    transfer = copy_start(
        owner=request.user,
        connection=place.connection,
        source_connection=request.connection,
        source=source,
        bucket=place.bucket,
        region=place.region,
        key=form.cleaned_data["key"],
        replace=form.cleaned_data["replace"],
        wanted=wanted,
    )
    copy_hand_over(transfer.pk)
    return redirect("jobs:detail", job_id=transfer.job_id)


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def object_copy(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Copy or move an object to any bucket that the person may write to."""
    source = ref_of(request)
    offer = places_offer(request.user, own=request.connection, bucket=bucket, region=request.region)
    if not offer.places:
        raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": Role.WRITER.label})
    initial = {"bucket": bucket, "key": source.key}
    form = CopyForm(request.POST or None, offer=offer, can_delete=request.can_write, initial=initial)
    more = CopyOptionsForm(request.POST or None, features=request.store.features)
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid() and more.is_valid():
        wanted = more.to_wanted(is_move=form.cleaned_data["action"] == MOVE)
        try:
            return _started(request, source, form, wanted)
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
        except (Denied, NotFound, Refused) as error:
            context["problem"] = explain(error)
    context |= object_context(request, source.key) | {"form": form, "more": more}
    context["is_more_open"] = more.is_bound and (bool(more.errors) or more.to_wanted() != CopyWanted())
    context["is_key_altered"] = any(character in source.key for character in "\r\n\x00")
    return render(request, "objects/copy.html", context)
