from __future__ import annotations

from math import ceil
from typing import cast

from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import services
from apps.accounts.forms import SignInForm
from apps.accounts.models import Person

BACKEND = "django.contrib.auth.backends.ModelBackend"
# Set by a sign-in link: whoever came by it may choose a password without knowing the old one.
MAY_SET_PASSWORD = "may_set_password"  # noqa: S105
THEMES = ("light", "dark", "auto")
YEAR_S = 365 * 24 * 3600


def _next_url(request: HttpRequest, *, default: str) -> str:
    """Return the page to go on to; an address of another site is never followed."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else default


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    home = reverse("home")
    if request.user.is_authenticated:
        return redirect(_next_url(request, default=home))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = _person_of(request, form)
        if person is not None:
            login(request, person, backend=BACKEND)
            return redirect(_next_url(request, default=home))
    status = 422 if form.errors else 200
    context = {"form": form, "next": _next_url(request, default="")}
    return render(request, "accounts/sign_in.html", context, status=status)


def _person_of(request: HttpRequest, form: SignInForm) -> Person | None:
    now = timezone.now()
    try:
        person = services.password_check(
            request, **form.cleaned_data, address=request.META.get("REMOTE_ADDR", ""), now=now
        )
    except services.TooManyFailures as error:
        minutes = max(1, ceil((error.again_at - now).total_seconds() / 60))
        text = ngettext(
            "Too many failed attempts. Try again in %(minutes)d minute.",
            "Too many failed attempts. Try again in %(minutes)d minutes.",
            minutes,
        )
        form.add_error(None, text % {"minutes": minutes})
        return None
    if person is None:
        form.add_error(None, gettext("User name and password do not match. Check both and try again."))
    return person


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("accounts:sign-in")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; only its POST uses the link up, because programs open links to preview them."""
    now = timezone.now()
    try:
        if request.method != "POST":
            person = services.sign_in_link_person(token=token, now=now)
            return render(request, "accounts/sign_in_link.html", {"person": person})
        person = services.sign_in_link_use(token=token, now=now)
    except services.LinkSpent:
        return render(request, "accounts/sign_in_link_spent.html", status=410)
    login(request, person, backend=BACKEND)
    request.session[MAY_SET_PASSWORD] = True
    return redirect("accounts:password")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password_change(request: HttpRequest) -> HttpResponse:
    person = cast(Person, request.user)
    is_first = bool(request.session.get(MAY_SET_PASSWORD))
    form_class = SetPasswordForm if is_first else PasswordChangeForm
    form = form_class(person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, person)
        request.session.pop(MAY_SET_PASSWORD, None)
        messages.success(request, gettext("Your password was saved."))
        return redirect("home")
    context = {"form": form, "is_first": is_first}
    return render(request, "accounts/password.html", context, status=422 if form.errors else 200)


@login_not_required
@require_POST
def theme_choose(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect(_next_url(request, default=reverse("home")))
    theme = request.POST.get("theme")
    if theme in THEMES:
        response.set_cookie(
            "console_theme", theme, max_age=YEAR_S, samesite="Lax", secure=request.is_secure()
        )
    return response


@login_not_required
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer 200 once the database answers; whoever watches over the console asks this."""
    Person.objects.exists()
    return HttpResponse("ok\n", content_type="text/plain")
