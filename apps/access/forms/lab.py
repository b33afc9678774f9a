"""What the CORS lab asks: a grid of origins, methods and sets of headers, and which cells become tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.forms.cors import listed
from apps.access.rules.cors import EVERYBODY, Question
from apps.access.rules.cors_limits import allowed_header_problem
from apps.access.services.preflights import CELLS_MAX
from apps.storage.cors import CorsRule
from apps.storage.features import CorsLimits

HOSTILE_ORIGIN = "https://evil.example"
NO_HEADERS = "-"
ORIGIN_MAX = 500
DEFAULT_KEY = "cors-lab.txt"
_ORIGINS_SUGGESTED = 3
_SETS_SUGGESTED = 2
_ORIGIN = re.compile(r"[!-~]+")


class LabForm(forms.Form):
    """The grid. Nothing given means what the rules suggest."""

    origins = forms.CharField(
        label=gettext_lazy("Origins"),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("One to a line: the sites whose pages ask."),
    )
    headers = forms.CharField(
        label=gettext_lazy("Sets of headers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("One set to a line, names separated by commas. A dash alone means none."),
    )
    methods = forms.MultipleChoiceField(
        label=gettext_lazy("Methods"),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    key = forms.CharField(
        label=gettext_lazy("Object"),
        required=False,
        strip=False,
        help_text=gettext_lazy("Any key. The object need not exist."),
    )

    def __init__(self, *args: Any, limits: CorsLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["methods"].choices = [(name, name) for name in limits.methods]  # type: ignore[attr-defined]

    def clean_origins(self) -> tuple[str, ...]:
        return tuple(_origin_checked(origin) for origin in listed(self.cleaned_data["origins"]))

    def clean_headers(self) -> tuple[tuple[str, ...], ...]:
        lines = [line.strip() for line in self.cleaned_data["headers"].splitlines() if line.strip()]
        return tuple(dict.fromkeys(_set_checked(line) for line in lines or [NO_HEADERS]))

    def clean_key(self) -> str:
        return self.cleaned_data["key"] or DEFAULT_KEY

    def clean(self) -> None:
        data = self.cleaned_data
        if not {"origins", "headers", "methods"} <= data.keys():
            return
        count = len(data["origins"]) * len(data["headers"]) * len(data["methods"])
        if count > CELLS_MAX:
            text = _(
                "That makes %(count)s cells; a grid has at most %(limit)s. Take some lines or methods away."
            )
            self.add_error("origins", text % {"count": count, "limit": CELLS_MAX})

    def to_rows(self) -> list[list[Question]]:
        """Return the cells by row: one row for each origin and set of headers."""
        data = self.cleaned_data
        return [
            [Question(origin, method, headers) for method in data["methods"]]
            for origin in data["origins"]
            for headers in data["headers"]
        ]


class PinForm(forms.Form):
    """One cell of the grid as a test."""

    origin = forms.CharField(max_length=ORIGIN_MAX)
    method = forms.ChoiceField()
    headers = forms.CharField(required=False, max_length=2000)
    key = forms.CharField(strip=False, max_length=850)
    expected = forms.ChoiceField(choices=(("allowed", "allowed"), ("refused", "refused")))

    def __init__(self, *args: Any, limits: CorsLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["method"].choices = [(name, name) for name in limits.methods]  # type: ignore[attr-defined]

    def clean_origin(self) -> str:
        return _origin_checked(self.cleaned_data["origin"])

    def clean_headers(self) -> tuple[str, ...]:
        return _set_checked(self.cleaned_data["headers"] or NO_HEADERS)

    def to_question(self) -> Question:
        data = self.cleaned_data
        return Question(data["origin"], data["method"], data["headers"])


def lab_defaults(rules: Sequence[CorsRule], limits: CorsLimits) -> dict[str, str | list[str]]:
    """Return a grid that the rules suggest: their own sites and headers, and a site that is in no rule."""
    origins = dict.fromkeys(_concrete(origin) for rule in rules for origin in rule.origins)
    origins.pop("", None)
    origins.pop(HOSTILE_ORIGIN, None)
    named = [tuple(name.lower() for name in rule.allowed_headers if EVERYBODY not in name) for rule in rules]
    sets = list(dict.fromkeys(names for names in named if names)) or [("content-type", "content-md5")]
    return {
        "origins": "\n".join([*list(origins)[:_ORIGINS_SUGGESTED], HOSTILE_ORIGIN]),
        "headers": "\n".join([NO_HEADERS, *(", ".join(names) for names in sets[:_SETS_SUGGESTED])]),
        "methods": list(limits.methods),
        "key": DEFAULT_KEY,
    }


def _concrete(origin: str) -> str:
    """Return an origin that a browser could send: a `*` becomes a host; "" where everybody is meant."""
    return "" if origin == EVERYBODY else origin.replace(EVERYBODY, "any").removesuffix("/")


def _origin_checked(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin) or len(origin) > ORIGIN_MAX:
        raise ValidationError(_("“%(origin)s” is nothing that a browser sends.") % {"origin": origin})
    if EVERYBODY in origin:
        raise ValidationError(
            _("“%(origin)s”: a page has one origin, so name one without *.") % {"origin": origin}
        )
    return origin


def _set_checked(line: str) -> tuple[str, ...]:
    names = () if line == NO_HEADERS else listed(line.lower())
    for name in names:
        problem = allowed_header_problem(name.replace(EVERYBODY, " "))
        if problem:
            raise ValidationError(problem)
    return names
