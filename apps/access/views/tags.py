from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.access.forms.cors import DocumentDamaged
from apps.access.forms.tags import (
    TagLine,
    count_problem,
    lines_checked,
    tags_carried,
    tags_posted,
    tags_text,
    tags_typed,
)
from apps.access.rules.tags import tag_differences, tags_merged, tags_pasted
from apps.access.services.tags import (
    TagsChanged,
    tags_look_around,
    tags_remember,
    tags_save,
    tags_suggest,
)
from apps.access.views.acl_page import status_of
from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import Explanation, explain
from apps.storage.errors import NotFound, StorageError
from apps.storage.tags import Tag, tags_digest

NOTHING = Tag("", "")


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def bucket_tags(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The tags of a bucket. Every button of the page posts all of them, so that nothing typed is lost."""
    if request.method == "GET":
        current = request.store.get_bucket_tags(bucket=bucket, region=request.region)
        tags_remember(request.connection, bucket=bucket, tags=current, now=timezone.now())
        return _editor(request, current, current)
    request.need(Role.ADMIN)
    try:
        current = request.store.get_bucket_tags(bucket=bucket, region=request.region)
    except NotFound:
        raise
    except StorageError as error:
        return _unread(request, error)
    try:
        return _posted(request, current)
    except DocumentDamaged:
        # Never taken for an empty list of tags, which would remove them all.
        messages.error(request, _("The tags on this page were damaged. Start again."))
        return redirect(bucket_url(request, "access:tags"))


@require_GET
@connection_required(Role.READER)
def tag_suggestions(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Keys and values of other buckets, some of which are read now."""
    tags_look_around(request.connection, besides=bucket, now=timezone.now())
    suggestions = tags_suggest(request.connection, besides=bucket)
    return render(request, "access/_tag_suggestions.html", {"suggestions": suggestions})


def _unread(request: ConnectionRequest, error: StorageError) -> HttpResponse:
    """Show what was typed again, because without the tags in the store no step can be taken.

    A fragment needs no such page: what was typed stands where it is, and a toast says what went wrong.
    """
    if request.htmx:
        raise error
    tags = tags_posted(request.POST)
    if "document" in request.POST:
        with suppress(DocumentDamaged):
            tags = tags_carried(request.POST["document"])
    return _editor(request, (), tags, trouble=explain(error), status=status_of(error))


def _posted(request: ConnectionRequest, current: tuple[Tag, ...]) -> HttpResponse:
    step, _colon, place = request.POST.get("do", "review").partition(":")
    if step == "save":
        return _save(request, current)
    if "document" in request.POST:
        tags = tags_carried(request.POST["document"])
        return _review(request, current, tags) if step == "review" else _editor(request, current, tags)
    tags = tags_posted(request.POST)
    match step:
        case "review":
            return _review(request, current, tags_typed(tags))
        case "add":
            return _editor(request, current, [*tags, NOTHING], focus=len(tags))
        case "remove" if place.isascii() and place.isdigit() and int(place) < len(tags):
            return _editor(request, current, [*tags[: int(place)], *tags[int(place) + 1 :]])
        case "paste" | "take":
            return _paste(request, current, tags, is_taken=step == "take")
    return _editor(request, current, tags)


def _paste(
    request: ConnectionRequest, current: tuple[Tag, ...], tags: Sequence[Tag], *, is_taken: bool
) -> HttpResponse:
    """Show what was understood of a pasted text, and put it into the lines once the person agrees."""
    text = request.POST.get("pasted", "")
    pasted = tags_pasted(text)
    if is_taken:
        return _editor(request, current, tags_merged(tags_typed(tags), pasted.tags))
    limits = request.store.features.bucket_tags
    there = {tag.key: tag.value for tag in tags}
    rows = [
        (
            line,
            "new"
            if line.tag.key not in there
            else "same"
            if there[line.tag.key] == line.tag.value
            else "other",
        )
        for line in lines_checked(tags_merged((), pasted.tags), limits=limits)
    ]
    is_empty = not pasted.tags and not pasted.problems
    more: dict[str, Any] = {
        "pasted": pasted,
        "pasted_rows": rows,
        "pasted_text": text,
        "is_paste_empty": is_empty,
    }
    return _editor(request, current, tags, **more)


def _review(request: ConnectionRequest, current: tuple[Tag, ...], tags: Sequence[Tag]) -> HttpResponse:
    limits = request.store.features.bucket_tags
    lines = lines_checked(tags, limits=limits, kept=current)
    problem = count_problem(tags, limits)
    if problem or any(line.key_error or line.value_error for line in lines):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _editor(request, current, tags, lines=lines, problem=problem, status=status)
    if not tag_differences(current, tags):
        messages.info(request, _("Nothing to save: the tags are like that already."))
        return redirect(bucket_url(request, "access:tags"))
    is_conflict = request.POST.get("seen") != tags_digest(current)
    status = HTTPStatus.CONFLICT if is_conflict else HTTPStatus.OK
    return _review_page(request, current, tags, is_conflict=is_conflict, status=status)


def _save(request: ConnectionRequest, current: tuple[Tag, ...]) -> HttpResponse:
    tags = tags_carried(request.POST.get("document", ""))
    limits = request.store.features.bucket_tags
    lines = lines_checked(tags, limits=limits, kept=current)
    if count_problem(tags, limits) or any(line.key_error or line.value_error for line in lines):
        return _review(request, current, tags)
    try:
        tags_save(
            connection=request.connection,
            bucket=request.bucket,
            region=request.region,
            person=request.user,
            tags=tags,
            seen=request.POST.get("seen", ""),
            now=timezone.now(),
        )
    except TagsChanged as error:
        return _review_page(request, error.current, tags, is_conflict=True, status=HTTPStatus.CONFLICT)
    except StorageError as error:
        status = HTTPStatus.BAD_GATEWAY if error.status >= 500 else HTTPStatus.UNPROCESSABLE_ENTITY
        return _review_page(request, current, tags, problem=explain(error), status=status)
    messages.success(request, _("Saved the tags.") if tags else _("Removed all tags."))
    return redirect(bucket_url(request, "access:tags"))


def _editor(
    request: ConnectionRequest,
    current: tuple[Tag, ...],
    tags: Sequence[Tag],
    *,
    lines: Sequence[TagLine] | None = None,
    focus: int | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    **more: Any,
) -> HttpResponse:
    limits = request.store.features.bucket_tags
    context = {
        "lines": lines if lines is not None else [TagLine(tag) for tag in tags],
        "focus": focus,
        "seen": request.POST.get("seen", tags_digest(current)),
        "is_changed": bool(tag_differences(current, tags_typed(tags))),
        "limits": limits,
        "reserved": ", ".join(limits.reserved),
        "symbols": " ".join(limits.symbols.replace(" ", "")),
        "suggestions": tags_suggest(request.connection, besides=request.bucket),
        "suggestions_url": bucket_url(request, "access:tags-suggestions"),
    }
    template = "access/tags.html#tag-editor" if request.htmx else "access/tags.html"
    status = HTTPStatus.OK if request.htmx else status
    return render(request, template, _frame(request) | context | more, status=status)


def _review_page(
    request: ConnectionRequest,
    current: tuple[Tag, ...],
    tags: Sequence[Tag],
    *,
    is_conflict: bool = False,
    problem: Explanation | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "payload": {"document": tags_text(tags), "seen": tags_digest(current)},
        "differences": tag_differences(current, tags),
        "theirs": current,
        "ours": tags,
        "is_empty": not tags,
        "is_conflict": is_conflict,
        "problem": problem,
    }
    return render(request, "access/tags_review.html", _frame(request) | context, status=status)


def _frame(request: ConnectionRequest) -> dict[str, Any]:
    return {
        "crumbs": bucket_crumbs(request, end=_("Tags")),
        "bucket": request.bucket,
        "action": bucket_url(request, "access:tags"),
        "can_admin": request.can_admin,
        "denied": _("This needs the role “%(role)s”.") % {"role": Role.ADMIN.label},
    }
