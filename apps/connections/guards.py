"""Who gets through: every page below a connection fetches it and authorises the person in one step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, wraps
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from apps.accounts.models import Person
from apps.connections.models import Connection, Role
from apps.connections.services import bucket_region, store_for
from apps.storage.store import ObjectStore

# As long as the rows that hold one; stores allow less.
BUCKET_NAME_MAX = 100


class PersonRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: Person
    htmx: HtmxDetails


class ConnectionRequest(PersonRequest):
    """A request of somebody who was let in to the connection that the address names.

    The store and the region are found on first use, so that a page can show their failures itself.
    """

    connection: Connection
    role: Role
    bucket: str

    @cached_property
    def store(self) -> ObjectStore:
        """Return the store; may raise SecretUnreadable."""
        return store_for(self.connection)

    @cached_property
    def region(self) -> str:
        """Return the region of the bucket in the address; may ask the store and raise its StorageError."""
        return bucket_region(self.connection, self.bucket)

    def need(self, role: Role) -> None:
        """Raise PermissionDenied unless the person holds `role` or a higher one."""
        if self.role < role:
            raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": role.label})

    @property
    def can_write(self) -> bool:
        return self.role >= Role.WRITER

    @property
    def can_admin(self) -> bool:
        return self.role >= Role.ADMIN


View = Callable[..., HttpResponseBase]


def connection_required(role: Role) -> Callable[[View], View]:
    """Return a decorator for views whose address holds `connection` and maybe `bucket`.

    Strangers get 404, as if the connection did not exist; members whose role is too low get 403. The view
    is called with the same arguments and with a ConnectionRequest.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *, connection: str, **kwargs: Any) -> HttpResponseBase:
            _require_bucket(kwargs.get("bucket", ""))
            found, held = _fetch(cast(PersonRequest, request).user, connection)
            admitted = _admit(request)
            admitted.connection, admitted.role, admitted.bucket = found, held, kwargs.get("bucket", "")
            admitted.need(role)
            return view(admitted, connection=connection, **kwargs)

        return guarded

    return decorate


def _require_bucket(name: str) -> None:
    """Find nothing under a name that no bucket can have, and that no database could be asked about."""
    if len(name) > BUCKET_NAME_MAX or not name.isprintable():
        raise Http404


def _fetch(person: Person, slug: str) -> tuple[Connection, Role]:
    try:
        found = Connection.objects.get(slug=slug)
    except Connection.DoesNotExist:
        raise Http404 from None
    held = found.role_of(person) if person.is_authenticated else None
    if held is None:
        raise Http404
    return found, held


def _admit(request: HttpRequest) -> ConnectionRequest:
    """Return the request as a ConnectionRequest: the same object, now with the lazy properties above."""
    request.__class__ = _admitted_class(type(request))  # type: ignore[arg-type]
    return cast(ConnectionRequest, request)


@cache
def _admitted_class(kind: type[Any]) -> type[Any]:
    if issubclass(kind, ConnectionRequest):
        return kind
    return type("AdmittedRequest", (ConnectionRequest, kind), {})
