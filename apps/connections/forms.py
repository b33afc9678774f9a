from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Person
from apps.connections.models import Connection, Role
from apps.connections.services import ConnectionValues
from apps.storage.registry import provider_get, provider_names

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_CONNECT_TO = re.compile(rf"({_HOST}|\[[0-9A-Fa-f:.]+\]):([0-9]{{1,5}})")

is_host_suffix = RegexValidator(
    rf"^{_HOST}(?::[0-9]{{1,5}})?\Z",
    gettext_lazy("Enter a domain such as myqcloud.com, without scheme or path."),
)
is_digits = RegexValidator(r"^[0-9]+\Z", gettext_lazy("An APPID has digits only, such as 1250000000."))
is_one_word = RegexValidator(
    r"^[\x21-\x7e]+\Z", gettext_lazy("A key has no spaces or line breaks. Copy it once more.")
)


def is_host_and_port(value: str) -> None:
    found = _CONNECT_TO.fullmatch(value)
    if found is None or not 1 <= int(found[2]) <= 65535:
        raise ValidationError(_("Enter host:port, such as 127.0.0.1:9100."))


class SecretInput(forms.PasswordInput):
    """A field that is written and never shown again, not even after a mistake elsewhere in the form."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"}, render_value=False)


class ConnectionForm(forms.Form):
    """A connection's fields. `saved` is the row that an empty SecretKey keeps its key from."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    provider = forms.ChoiceField(label=gettext_lazy("Provider"), required=False)
    appid = forms.CharField(
        label=gettext_lazy("APPID"),
        max_length=20,
        required=False,
        validators=[is_digits],
        help_text=gettext_lazy(
            "The number after the last hyphen of every bucket's name. Needed to create buckets."
        ),
    )
    secret_id = forms.CharField(
        label=gettext_lazy("SecretId"),
        max_length=200,
        validators=[is_one_word],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    secret_key = forms.CharField(
        label=gettext_lazy("SecretKey"),
        max_length=500,
        required=False,
        validators=[is_one_word],
        widget=SecretInput,
        error_messages={"required": gettext_lazy("Enter the SecretKey that belongs to the SecretId.")},
    )
    token = forms.CharField(
        label=gettext_lazy("Token"),
        max_length=4000,
        required=False,
        validators=[is_one_word],
        widget=SecretInput,
        help_text=gettext_lazy("Only for temporary keys. Enter it together with their SecretKey."),
    )
    default_region = forms.CharField(
        label=gettext_lazy("Default region"),
        max_length=50,
        required=False,
        validators=[RegexValidator(r"^[a-z0-9-]+\Z", gettext_lazy("Enter a region such as ap-guangzhou."))],
        help_text=gettext_lazy("Where new buckets go, and where to look when the key may not list buckets."),
    )
    scheme = forms.ChoiceField(
        label=gettext_lazy("Scheme"),
        choices=[("https", "https"), ("http", "http")],
        required=False,
        help_text=gettext_lazy("With http, objects travel readable by anybody in between."),
    )
    suffix = forms.CharField(
        label=gettext_lazy("Domain suffix"),
        max_length=200,
        required=False,
        validators=[is_host_suffix],
        help_text=gettext_lazy("myqcloud.com, or the domain of a store that speaks the same protocol."),
    )
    connect_to = forms.CharField(
        label=gettext_lazy("Connect to"),
        max_length=200,
        required=False,
        validators=[is_host_and_port],
        help_text=gettext_lazy("host:port that is called in place of the public name. Usually empty."),
    )

    advanced = ("default_region", "scheme", "suffix", "connect_to")
    # Where requests are sent, signed with the key and carrying the token.
    address = ("provider", "scheme", "suffix", "connect_to")

    def __init__(self, *args: Any, saved: Connection | None = None, **kwargs: Any) -> None:
        self.saved = saved
        if saved:
            kwargs["initial"] = {
                name: getattr(saved, name) for name in self.base_fields if name not in {"secret_key", "token"}
            }
        super().__init__(*args, **kwargs)
        self.fields["provider"].choices = [(name, provider_get(name).label) for name in provider_names()]  # type: ignore[attr-defined]
        self.fields["secret_key"].required = saved is None
        if saved:
            self.fields["secret_key"].help_text = _("Leave empty to keep the saved key.")

    def clean_provider(self) -> str:
        return self.cleaned_data["provider"] or provider_names()[0]

    def clean_scheme(self) -> str:
        return self.cleaned_data["scheme"] or "https"

    def clean_suffix(self) -> str:
        return self.cleaned_data["suffix"] or "myqcloud.com"

    def clean(self) -> None:
        data = self.cleaned_data
        if data.get("token") and not data.get("secret_key") and "secret_key" not in self.errors:
            self.add_error("secret_key", _("A token is of use only with its own SecretKey: enter both."))
        is_changed = self.saved is not None and data.get("secret_id") not in (None, self.saved.secret_id)
        if is_changed and not data.get("secret_key") and "secret_key" not in self.errors:
            self.add_error("secret_key", _("This is another SecretId: enter its SecretKey too."))
        elif self.saved is not None and self._is_elsewhere(self.saved):
            self._clean_secrets_elsewhere(self.saved)

    def _is_elsewhere(self, saved: Connection) -> bool:
        data = self.cleaned_data
        return any(name in data and data[name] != getattr(saved, name) for name in self.address)

    def _clean_secrets_elsewhere(self, saved: Connection) -> None:
        """Who may edit a connection does not thereby know its key: it is never sent where they choose."""
        data = self.cleaned_data
        if not data.get("secret_key") and "secret_key" not in self.errors:
            self.add_error("secret_key", _("This is another address: enter the SecretKey again."))
        is_same_key = data.get("secret_id") == saved.secret_id
        if saved.encrypted_token and is_same_key and not data.get("token") and "token" not in self.errors:
            self.add_error("token", _("This is another address: enter the token again too."))

    @property
    def is_advanced_open(self) -> bool:
        """Whether the advanced part holds something that a person should see."""
        if any(name in self.errors for name in self.advanced):
            return True
        return any(self[name].value() not in (None, "", "https", "myqcloud.com") for name in self.advanced)

    def to_values(self) -> ConnectionValues:
        data = self.cleaned_data
        return ConnectionValues(
            name=data["name"],
            provider=data["provider"],
            scheme=data["scheme"],
            suffix=data["suffix"],
            connect_to=data["connect_to"],
            appid=data["appid"],
            default_region=data["default_region"],
            secret_id=data["secret_id"],
            secret_key=data["secret_key"],
            token=data["token"],
        )


class MemberForm(forms.Form):
    """Who to let in, by the name they sign in with."""

    person = forms.CharField(label=gettext_lazy("Person"), max_length=150)
    role = forms.TypedChoiceField(
        label=gettext_lazy("Role"),
        choices=Role.choices,
        coerce=lambda value: Role(int(value)),
        initial=Role.READER,
    )

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        self.connection = connection
        super().__init__(*args, **kwargs)

    def clean_person(self) -> Person:
        name = self.cleaned_data["person"]
        person = Person.objects.filter(username__iexact=name, is_active=True).first()
        if person is None:
            raise ValidationError(_("Nobody signs in as “%(name)s”."), params={"name": name})
        if person == self.connection.owner:
            raise ValidationError(
                _("%(name)s owns this connection and may do everything already."), params={"name": name}
            )
        return person


class DeleteForm(forms.Form):
    """The connection's name, typed: deleting it takes the way to its buckets from everybody in it."""

    name = forms.CharField(label=gettext_lazy("Name of the connection"), max_length=100)

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        self.connection = connection
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.connection.name:
            raise ValidationError(_("Type %(name)s to confirm."), params={"name": self.connection.name})
        return name
