from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.finding import find, here_of

if TYPE_CHECKING:
    from apps.accounts.models import Person


@require_safe
def command(request: HttpRequest) -> HttpResponse:
    """What the command dialog lists while somebody types, and the same as a page of its own.

    `q` is the text, `here` the address of the page on which it is typed.
    """
    person = cast("Person", request.user)
    text = request.GET.get("q", "")
    groups = find(person, text, here_of(person, request.GET.get("here", "")))
    template = "command.html#command-results" if request.headers.get("HX-Request") else "command.html"
    return render(request, template, {"groups": groups, "q": text})
