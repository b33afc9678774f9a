"""What helps to write CORS rules: templates, pasted text, and trying them before they are saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.forms.cors import listed
from apps.access.rules.cors import EVERYBODY, Question
from apps.access.rules.cors_documents import NotRules, cors_read
from apps.access.rules.cors_limits import origin_problem
from apps.access.rules.cors_templates import BY_NAME, TEMPLATES
from apps.storage.cors import Cors, CorsRule
from apps.storage.features import CorsLimits


class TryForm(forms.Form):
    """A request to try the rules on before they are saved."""

    try_origin = forms.CharField(
        label=gettext_lazy("Origin"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "https://app.example.com", "spellcheck": "false"}),
    )
    try_method = forms.ChoiceField(label=gettext_lazy("Method"), required=False)
    try_headers = forms.CharField(
        label=gettext_lazy("Headers"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "content-type, content-md5", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, limits: CorsLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["try_method"].choices = [(name, name) for name in limits.methods]  # type: ignore[attr-defined]

    def clean_try_origin(self) -> str:
        origin: str = self.cleaned_data["try_origin"]
        if not origin:
            raise ValidationError(_("Type the origin of a page, like https://app.example.com."))
        return origin

    def to_question(self) -> Question:
        data = self.cleaned_data
        return Question(data["try_origin"], data["try_method"] or "GET", listed(data["try_headers"]))


class TemplateForm(forms.Form):
    """A rule to begin with, for one site."""

    template = forms.ChoiceField(
        label=gettext_lazy("What for"),
        required=False,
        choices=[(template.name, template.label) for template in TEMPLATES],
    )
    template_origin = forms.CharField(
        label=gettext_lazy("Origin of the site"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "https://app.example.com", "spellcheck": "false"}),
    )

    def clean_template_origin(self) -> str:
        origin: str = self.cleaned_data["template_origin"]
        if not origin:
            raise ValidationError(_("Type the origin of the site, like https://app.example.com."))
        if EVERYBODY in origin:
            raise ValidationError(_("A template is for one site. Name it without a *."))
        if problem := origin_problem(origin):
            raise ValidationError(problem)
        return origin.removesuffix("/")

    def to_rule(self) -> CorsRule:
        template = BY_NAME.get(self.cleaned_data["template"], TEMPLATES[0])
        return template.for_origin(self.cleaned_data["template_origin"])


class PasteForm(forms.Form):
    """Rules as text, to be put below those that are there."""

    pasted = forms.CharField(
        label=gettext_lazy("Rules as JSON or XML"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "font-monospace"}),
    )

    def clean_pasted(self) -> Cors:
        text: str = self.cleaned_data["pasted"]
        try:
            return cors_read(text)
        except NotRules as error:
            raise ValidationError(str(error)) from None

    def to_rules(self) -> tuple[CorsRule, ...]:
        cors: Cors = self.cleaned_data["pasted"]
        return cors.rules
