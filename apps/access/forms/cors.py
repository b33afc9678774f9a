"""The CORS rules as a page holds them: everything typed is kept until it is saved or thrown away."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.forms.exposing import reason_field
from apps.access.rules.cors_documents import cors_record, record_read
from apps.access.rules.cors_limits import (
    MAX_AGE_MAX_S,
    allowed_header_problem,
    exposed_header_problem,
    id_problem,
    method_problem,
    origin_problem,
)
from apps.storage.cors import Cors, CorsRule
from apps.storage.features import CorsLimits

PUBLIC_WORD = "public"
TEXT_FIELDS = ("id", "origins", "allowed_headers", "exposed_headers", "max_age_s", "extras")
_SEPARATORS = re.compile(r"[\s,;，；]+")


class DocumentDamaged(Exception):
    """The hidden field of a page does not hold the rules that were put into it."""


class RuleForm(forms.Form):
    """One rule. Lists are typed one to a line, or separated by commas or blanks."""

    id = forms.CharField(
        label=gettext_lazy("Name"), required=False, help_text=gettext_lazy("Only for people. May stay empty.")
    )
    origins = forms.CharField(
        label=gettext_lazy("Origins"),
        help_text=gettext_lazy("One to a line, like https://app.example.com. One * stands for any text."),
        error_messages={"required": gettext_lazy("Type at least one origin.")},
    )
    methods = forms.MultipleChoiceField(
        label=gettext_lazy("Methods"),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    allowed_headers = forms.CharField(
        label=gettext_lazy("Headers that may be sent"),
        required=False,
        help_text=gettext_lazy("Names without a colon; * alone allows any header."),
    )
    exposed_headers = forms.CharField(
        label=gettext_lazy("Headers that pages may read"),
        required=False,
        help_text=gettext_lazy("Names one by one. Uploads in parts need ETag."),
    )
    max_age_s = forms.CharField(
        label=gettext_lazy("Browsers remember it for (seconds)"),
        required=False,
        help_text=gettext_lazy("Empty leaves it to the browser."),
    )
    extras = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, limits: CorsLimits, kept: Collection[CorsRule] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.limits, self.kept = limits, kept
        plain = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        for name in ("origins", "allowed_headers", "exposed_headers"):
            lines = str(self[name].value() or "").count("\n") + 1
            self.fields[name].widget = forms.Textarea(attrs={"rows": min(max(lines, 3), 12), **plain})
        self.fields["id"].widget.attrs |= plain
        self.fields["max_age_s"].widget.attrs |= {"inputmode": "numeric", **plain}
        known = list(dict.fromkeys([*limits.methods, *(self["methods"].value() or ())]))
        # What is chosen and unknown is told in a sentence of its own; it stays on the page until then.
        self.fields["methods"].choices = [(name, name) for name in known]  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Check what the store would refuse. A rule that it has already is its own proof that it takes it."""
        if self.errors or self.to_rule() in self.kept:
            return
        rule = self.to_rule()
        self._complain("id", [id_problem(rule.id)])
        self._complain("origins", map(origin_problem, rule.origins))
        self._complain("methods", (method_problem(method, self.limits) for method in rule.methods))
        self._complain("allowed_headers", map(allowed_header_problem, rule.allowed_headers))
        self._complain("exposed_headers", map(exposed_header_problem, rule.exposed_headers))

    def clean_id(self) -> str:
        return str(self.cleaned_data["id"])

    def clean_origins(self) -> tuple[str, ...]:
        origins = listed(self.cleaned_data["origins"])
        if not origins:
            raise ValidationError(_("Type at least one origin."))
        return origins

    def clean_methods(self) -> tuple[str, ...]:
        methods = tuple(self.cleaned_data["methods"])
        if not methods:
            raise ValidationError(_("Choose at least one method."))
        return methods

    def clean_allowed_headers(self) -> tuple[str, ...]:
        return listed(self.cleaned_data["allowed_headers"])

    def clean_exposed_headers(self) -> tuple[str, ...]:
        return listed(self.cleaned_data["exposed_headers"])

    def clean_max_age_s(self) -> int | None:
        text = self.cleaned_data["max_age_s"]
        if not text:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) > MAX_AGE_MAX_S:
            raise ValidationError(_("Type a whole number of seconds, like 600."))
        return int(text)

    def clean_extras(self) -> tuple[tuple[str, str], ...]:
        text = self.cleaned_data["extras"]
        try:
            return record_read({"CORSRules": [], "Extra": json.loads(text) if text else []}).extras
        except ValueError:
            raise ValidationError(
                _("The further elements of this rule were damaged. Reload the page.")
            ) from None

    def to_rule(self) -> CorsRule:
        values = {name: self.cleaned_data[name] for name in (*TEXT_FIELDS, "methods")}
        if values["max_age_s"] is not None:
            # An age that was no number is kept among the extras, until a person types a better one.
            values["extras"] = tuple(pair for pair in values["extras"] if pair[0] != "MaxAgeSeconds")
        return CorsRule(**values)

    def _complain(self, field: str, problems: Iterable[str | None]) -> None:
        found = [problem for problem in problems if problem]
        if found:
            self.add_error(field, found)


class ReviewForm(forms.Form):
    """The rules once more, on the page that shows what would change, and the word that exposing takes."""

    document = forms.CharField(widget=forms.HiddenInput)
    seen = forms.CharField(widget=forms.HiddenInput)
    confirm = forms.CharField(
        label=gettext_lazy("Type the word public to confirm"),
        required=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    reason = reason_field()

    def is_confirmed(self) -> bool:
        return str(self.cleaned_data.get("confirm", "")).strip().lower() == PUBLIC_WORD


def document_rules(text: str) -> tuple[CorsRule, ...]:
    """Return the rules in the hidden field of a page; raises DocumentDamaged."""
    try:
        return record_read(json.loads(text)).rules
    except (ValueError, RecursionError):
        raise DocumentDamaged from None


def document_text(rules: Sequence[CorsRule]) -> str:
    """Return rules for the hidden field of a page."""
    return json.dumps(cors_record(Cors(rules=tuple(rules))))


def listed(text: str) -> tuple[str, ...]:
    """Return each entry once, in the order in which it was typed."""
    return tuple(dict.fromkeys(part for part in _SEPARATORS.split(text) if part))
