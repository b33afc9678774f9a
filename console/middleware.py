from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class StorageErrorMiddleware:
    """Turn a store's failure into a page or a fragment that says what to do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
