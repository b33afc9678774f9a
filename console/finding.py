"""What the command dialog finds: pages, buckets, places, jobs and keys, from the database alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from django.db.models.functions import Length
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from apps.connections.models import Connection, KnownBucket, Role
from apps.connections.places import places_of
from apps.jobs.models import Job
from apps.storage.keys import key_query
from console.navigation import BUCKET_TABS, SECTIONS

if TYPE_CHECKING:
    from apps.accounts.models import Person

TEXT_MAX = 1000
EACH_MAX = 6
WEB = ("https://", "http://")


@dataclass(frozen=True)
class Found:
    """One thing to go to. `label` is shown as a key: it may hold what somebody else chose."""

    label: str
    url: str
    icon: str
    hint: str = ""


@dataclass(frozen=True)
class Group:
    label: str
    items: list[Found] = field(default_factory=list)


@dataclass(frozen=True)
class Here:
    """The bucket and folder that the person looks at while asking."""

    connection: Connection
    bucket: str
    prefix: str
    role: Role


def here_of(person: Person, address: str) -> Here | None:
    """Return the place behind the address of a page; None for pages of no bucket, or of nobody's business."""
    parts = urlsplit(address)
    try:
        arguments = resolve(parts.path).kwargs
    except Resolver404:
        return None
    if "bucket" not in arguments:
        return None
    connection = Connection.objects.visible_to(person).filter(slug=arguments["connection"]).first()
    role = connection.role_of(person) if connection else None
    if connection is None or role is None:
        return None
    prefix = parse_qs(parts.query).get("prefix", [""])[0]
    return Here(connection, arguments["bucket"], prefix, role)


def find(person: Person, text: str, here: Here | None) -> list[Group]:
    """Return what fits `text`, most likely first; for no text, where the person most likely wants to go."""
    text = text[:TEXT_MAX]
    words = text.strip().lower()
    groups = [
        Group(_("Go to"), list(_keys(person, text))),
        Group(_("In this bucket"), list(_actions(here, words))),
        Group(_("Places"), list(_places(person, words))),
        Group(_("Buckets"), list(_buckets(person, words))),
        Group(_("Search here"), list(_searches(text, here))),
        Group(_("Jobs"), list(_jobs(person, words))),
        Group(_("Pages"), list(_pages(person, words))),
    ]
    return [group for group in groups if group.items]


def _keys(person: Person, text: str) -> Iterator[Found]:
    """Yield where `bucket/key`, or an address of the store that somebody sent, leads."""
    name, slash, key = text.lstrip().removeprefix("cos://").partition("/")
    if text.lstrip().startswith(WEB):
        # Without its query, which may be a signature, and so a key to the object.
        address = text.strip().partition("?")[0]
        name, slash, key = address.partition("://")[2].partition("/")
        name, key = name.partition(".")[0], unquote(key)
        url = f"{reverse('access:explain')}?url={key_query(address)}"
        yield Found(_("Who can open this?"), url, "lock-open", name)
    if slash:
        known = KnownBucket.objects.filter(connection__in=Connection.objects.visible_to(person), name=name)
        for bucket in known.select_related("connection")[:3]:
            yield from _key_pages(bucket.connection, bucket.name, key)


def _searches(text: str, here: Here | None) -> Iterator[Found]:
    """Yield what a text may mean in the bucket on screen."""
    if here and text.strip():
        words = {"prefix": here.prefix, "find": text}
        yield Found(
            _("Names starting with “%(text)s”") % {"text": text},
            _address("objects:list", here, words),
            "search",
            here.prefix or here.bucket,
        )
        if whole := _address("inventory:search", here, {"q": text}):
            yield Found(_("“%(text)s” in the whole bucket") % {"text": text}, whole, "search", here.bucket)


def _key_pages(connection: Connection, bucket: str, key: str) -> Iterator[Found]:
    place = [connection.slug, bucket]
    hint = f"{connection.name} · {bucket}"
    folder = key if not key or key.endswith("/") else f"{key}/"
    if key and not key.endswith("/"):
        url = f"{reverse('objects:detail', args=place)}?key={key_query(key)}"
        yield Found(_("Object %(key)s") % {"key": key}, url, "file", hint)
    label = _("Folder %(key)s") % {"key": folder} if folder else _("All of the bucket")
    yield Found(label, f"{reverse('objects:list', args=place)}?prefix={key_query(folder)}", "folder", hint)


def _actions(here: Here | None, words: str) -> Iterator[Found]:
    """Yield the pages of the bucket on screen, and what can be made in its folder."""
    if here is None:
        return
    if here.role >= Role.WRITER and _fits(words, _("New folder"), "new folder"):
        url = _address("objects:folder-create", here, {"prefix": here.prefix})
        yield Found(_("New folder"), url, "folder-plus", here.prefix or here.bucket)
    if here.role >= Role.WRITER and _fits(words, _("Upload"), "upload"):
        url = _address("objects:list", here, {"prefix": here.prefix})
        yield Found(_("Upload"), f"{url}#upload", "upload", here.prefix or here.bucket)
    for tab in BUCKET_TABS:
        if _fits(words, str(tab.label), tab.routes[0]) and (url := _address(tab.routes[0], here, {})):
            yield Found(str(tab.label), url, tab.icon, here.bucket)


def _places(person: Person, words: str) -> Iterator[Found]:
    fitting = (place for place in places_of(person) if words in f"{place.bucket}/{place.prefix}".lower())
    for _number, place in zip(range(EACH_MAX), fitting, strict=False):
        query = f"?prefix={key_query(place.prefix)}" if place.packed_prefix else ""
        url = reverse("objects:list", args=[place.connection.slug, place.bucket]) + query
        label = f"{place.bucket}/{place.prefix}"
        yield Found(label, url, "star" if place.is_favorite else "clock", place.connection.name)


def _buckets(person: Person, words: str) -> Iterator[Found]:
    if not words:
        return
    visible = Connection.objects.visible_to(person)
    known = KnownBucket.objects.filter(connection__in=visible, name__icontains=words.partition("/")[0])
    for bucket in known.select_related("connection").order_by(Length("name"), "name")[:EACH_MAX]:
        url = reverse("objects:list", args=[bucket.connection.slug, bucket.name])
        yield Found(bucket.name, url, "bucket", f"{bucket.connection.name} · {bucket.region}")


def _jobs(person: Person, words: str) -> Iterator[Found]:
    jobs = Job.objects.filter(owner=person)
    found = jobs.filter(title__icontains=words) if words else jobs.active().topmost()
    for job in found[: EACH_MAX // 2]:
        hint = f"{job.get_kind_display()} · {job.get_state_display()}"
        yield Found(job.title, reverse("jobs:detail", args=[job.pk]), "list-check", hint)


def _pages(person: Person, words: str) -> Iterator[Found]:
    more = (
        (_("New bucket"), "plus", "buckets:create"),
        (_("New connection"), "plug-connected", "connections:new"),
        (_("Change password"), "key", "accounts:password"),
    )
    sections = ((str(section.label), section.icon, section.route) for section in SECTIONS)
    for label, icon, route in (*sections, *more):
        if _fits(words, label, route) and (url := _route(route)):
            yield Found(label, url, icon)
    if words:
        for connection in Connection.objects.visible_to(person).filter(name__icontains=words)[:EACH_MAX]:
            url = reverse("connections:detail", args=[connection.slug])
            yield Found(connection.name, url, "plug-connected", _("Connection"))


def _fits(words: str, *names: str) -> bool:
    return not words or any(words in name.lower() for name in names)


def _address(route: str, here: Here, query: dict[str, str]) -> str:
    path = _route(route, here.connection.slug, here.bucket)
    said = "&".join(f"{name}={key_query(value)}" for name, value in query.items() if value)
    return f"{path}?{said}" if path and said else path


def _route(route: str, *arguments: str) -> str:
    """Return the address of a route, '' for one that nobody built."""
    try:
        return reverse(route, args=arguments)
    except NoReverseMatch:
        return ""
