"""What templates of every app share: icons, sizes, times and keys."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import get_language, gettext, ngettext

from apps.connections.crumbs import bucket_url
from apps.jobs.models import Job
from apps.jobs.services import Figures
from apps.storage.keys import key_pieces, key_query, visible
from apps.storage.sizes import size_text
from apps.transfers.rules.costs import Price
from console import figures, script_strings
from console.navigation import BUCKET_TABS, SECTIONS, Section, section_of

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=1024)
def icon(name: str, css: str = "") -> SafeString:
    """Draw an icon of the sprite. It is decoration: the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("vendor/tabler-icons/sprite.svg"),
        name,
    )


@register.filter
def size(value: int | None) -> SafeString | str:
    """Show a size in binary units with the exact bytes on hover."""
    if value is None:
        return "–"
    exact = ngettext("%(count)s byte", "%(count)s bytes", value) % {"count": f"{value:,}"}
    return format_html('<span class="figure" title="{}">{}</span>', exact, size_text(value))


@register.filter
def size_plain(value: int) -> str:
    return size_text(value)


@register.simple_tag
def cost_text(price: Price, value: int) -> str:
    """Say what bytes cost in a month."""
    return price.text(value)


@register.filter
def rate(value: float) -> str:
    return figures.rate_text(value)


@register.filter
def count(value: int) -> str:
    return figures.count_text(value)


@register.simple_tag
def rate_of(of_job: Figures) -> str:
    """Say how fast a job is, in what it counts."""
    said = of_job.rate or 0.0
    return figures.objects_rate_text(said) if of_job.unit == Job.Unit.OBJECTS else figures.rate_text(said)


@register.simple_tag
def progress_text(job: Job, of_job: Figures) -> SafeString | str:
    """Say how far a job is: of everything once it is done, of what is known before."""
    is_done = job.state == Job.State.DONE
    if job.is_batch:
        return figures.files_text(of_job.done, of_job.total, is_done=is_done and not job.is_incomplete)
    if of_job.unit == Job.Unit.OBJECTS:
        return figures.objects_text(of_job.done, of_job.total, is_done=is_done)
    if is_done:
        return size(of_job.total)
    pair = {"done": size(of_job.done), "total": size(of_job.total)}
    # The words are ours, and `size` escapes what it draws.
    return mark_safe(gettext("%(done)s of %(total)s") % pair)  # noqa: S308


@register.simple_tag
def bytes_text(of_job: Figures) -> SafeString:
    """Say how many bytes a job has moved that counts files."""
    pair = {"done": size(of_job.bytes_done), "total": size(of_job.bytes_total)}
    # The words are ours, and `size` escapes what it draws.
    return mark_safe(gettext("%(done)s of %(total)s") % pair)  # noqa: S308


@register.simple_tag
def failed_text(number: int) -> str:
    return figures.failed_text(number) if number else ""


@register.simple_tag
def parts_url(job: Job) -> str:
    """Return where the app that owns a job shows more of it, '' where it has nothing to show."""
    try:
        return reverse(f"{job.feature}:job-parts", args=[job.pk])
    except NoReverseMatch:
        return ""


@register.simple_tag
def place_url(job: Job) -> str:
    """Return where the app that owns a job leads to the folder it works on, '' where it does not."""
    try:
        return reverse(f"{job.feature}:job-place", args=[job.pk])
    except NoReverseMatch:
        return ""


@register.filter
def duration(value: int) -> str:
    return figures.duration_text(value)


@register.filter(is_safe=False)
def ago(value: datetime | None) -> SafeString | str:
    """Show when something happened, relative to now, with the exact time on hover."""
    if value is None:
        return "–"
    past = timezone.now() - value
    text = gettext("just now") if past < timedelta(minutes=1) else _ago_text(value)
    exact = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S %Z}", text
    )


def _ago_text(value: datetime) -> str:
    # Two units ("3 weeks, 2 days") say more than anybody asks of a list.
    return gettext("%(time)s ago") % {"time": timesince(value, depth=1)}


@register.filter
def percent_of(done: int, total: int) -> int:
    return figures.percent(done, total)


@register.filter(name="key")
def visible_key(value: str) -> SafeString:
    """Show a key isolated from the direction of its surroundings, with hidden characters as signs."""
    pieces = format_html_join(
        "",
        "{}",
        (
            (format_html('<span class="sign">{}</span>', piece) if is_sign else piece,)
            for piece, is_sign in key_pieces(value)
        ),
    )
    return format_html('<bdi class="key">{}</bdi>', pieces)


@register.filter
def unlocalized(value: int) -> str:
    """Write a number for machines: attributes know no thousands separators."""
    return str(int(value))


@register.filter
def coordinate(value: float) -> str:
    """Write a length of a drawing: with a point in every language, and no digits that nobody sees."""
    return f"{value:g}"


@register.simple_tag
def action_url(job: Job, action: str) -> str:
    """Return where an action on a job is posted, in the app that owns its work."""
    return reverse(f"{job.feature}:{action}", args=[job.pk])


@register.simple_tag(takes_context=True)
def page_url(context: Context, page: Page[Any], direction: str) -> str:
    """Return the address of the neighbouring page with the filters of this one, '' at either end."""
    if not (page.has_next() if direction == "next" else page.has_previous()):
        return ""
    query = context["request"].GET.copy()
    query["page"] = str(page.next_page_number() if direction == "next" else page.previous_page_number())
    return f"?{query.urlencode()}"


@register.simple_tag
@cache
def page_head(is_signed_in: bool) -> SafeString:
    """Draw the style sheets and scripts of every page. They change with the program only."""
    return SafeString(render_to_string("_parts/head.html", {"is_signed_in": is_signed_in}))


@register.simple_tag
def tray() -> SafeString:
    """Draw the tray, which is empty until its script fills it, and so the same for everybody."""
    return _tray_html(get_language() or "", get_script_prefix())


@cache
def _tray_html(_language: str, _script_prefix: str) -> SafeString:
    return SafeString(render_to_string("_parts/tray.html"))


@register.simple_tag(takes_context=True)
def rail_links(context: Context, only_minor: bool = False) -> SafeString:
    """Draw the entries of the rail, which are the same for everybody on pages of one section."""
    request = context["request"]
    match = request.resolver_match
    name = match.view_name if match else ""
    here = section_of(name, has_bucket=bool(getattr(request, "bucket", "")))
    return _rail_html(get_language() or "", here, only_minor)


@cache
def _rail_html(language: str, here: str, only_minor: bool) -> SafeString:
    sections = [(section, url) for section, url in _sections() if section.is_minor or not only_minor]
    words = {"sections": sections, "here": here, "only_minor": only_minor}
    return SafeString(render_to_string("_parts/rail_links.html", words))


def _sections() -> list[tuple[Section, str]]:
    """Return every section with its address; one whose pages are not built is left out."""
    found = []
    for section in SECTIONS:
        with suppress(NoReverseMatch):
            found.append((section, reverse(section.route)))
    return found


@register.simple_tag(takes_context=True)
def bucket_tabs(context: Context) -> SafeString:
    """Draw the tabs of the bucket that the page belongs to; nothing on pages of no bucket."""
    request = context.get("request")
    if request is None or not getattr(request, "bucket", ""):
        return SafeString()
    here = request.resolver_match.view_name
    urls = tuple(bucket_url(request, tab.routes[0]) for tab in BUCKET_TABS)
    shown = next((number for number, tab in enumerate(BUCKET_TABS) if here in tab.routes), None)
    return _tabs_html(get_language() or "", urls, shown)


@lru_cache(maxsize=1024)
def _tabs_html(_language: str, urls: tuple[str, ...], shown: int | None) -> SafeString:
    tabs = [
        (tab, url, number == shown) for number, (tab, url) in enumerate(zip(BUCKET_TABS, urls, strict=True))
    ]
    return SafeString(render_to_string("_parts/bucket_tabs.html", {"tabs": tabs}))


@register.filter
def query_value(value: str) -> str:
    """Write a key as the value of a query parameter."""
    return key_query(value)


@register.filter
def key_text(value: str) -> str:
    """Show a key where only text can stand, as in titles and labels."""
    return visible(value)


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """Draw the input of a field. The form names what it asks for; how it looks is decided here."""
    widget = field.field.widget
    css = "form-control"
    if isinstance(widget, CheckboxInput | CheckboxSelectMultiple | RadioSelect):
        css = "form-check-input"
    elif isinstance(widget, Select):
        css = "form-select"
    elif isinstance(widget, FileInput):
        css = "form-control form-file"
    if field.errors:
        css += " is-invalid"
    return field.as_widget(attrs={"class": f"{css} {widget.attrs.get('class', '')}".strip()})


@register.simple_tag
def script_words() -> SafeString:
    """Hand the scripts their words in the language of the page, as data that no policy has to allow."""
    return _script_words(get_language() or "")


@lru_cache(maxsize=16)
def _script_words(_language: str) -> SafeString:
    return json_script(script_strings.words(), "words")
