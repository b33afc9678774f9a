from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.batches.actions.copying import KEEP, REPLACE, SKIP
from apps.batches.models import Action, Batch

PUBLIC_WORD = "public"
CHECK = {"class": "form-check-input"}
# Up to here a look at each object before it is deleted costs nobody anything.
COMPARED_UP_TO = 100


class ConfirmForm(forms.Form):
    """The end of a plan: what it still asks, and the words that say that it is meant.

    Which words depends on what can be lost: the number of objects, for a whole bucket its name, and where
    objects become visible to strangers the word “public” as well.
    """

    collision = forms.ChoiceField(
        label=gettext_lazy("Where the key is taken"),
        choices=[
            (SKIP, gettext_lazy("Leave the object that is there, and skip this one")),
            (KEEP, gettext_lazy("Keep both: the copy gets a new name")),
            (REPLACE, gettext_lazy("Replace the object that is there; it cannot be brought back")),
        ],
        widget=forms.RadioSelect(attrs=CHECK),
    )
    is_compared = forms.BooleanField(
        label=gettext_lazy("Delete only what has not changed since this plan"),
        required=False,
        help_text=gettext_lazy(
            "Looks at each object first: one more request for each of them. Otherwise an object that was "
            "replaced since is deleted like the one that was there."
        ),
    )
    is_verbose = forms.BooleanField(
        label=gettext_lazy("Have the store name each object that it deleted (Verbose)"),
        required=False,
        help_text=gettext_lazy(
            "Otherwise it names only those that it could not delete (Quiet), which is faster."
        ),
    )
    public = forms.CharField(label=gettext_lazy("Type public"), required=False)
    typed = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}))

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        self.count: int = batch.figures["objects"]
        self._keep_fields()
        if "is_compared" in self.fields:
            self.fields["is_compared"].initial = self.count <= COMPARED_UP_TO
        typed = self.fields["typed"]
        if batch.action == Action.EMPTY:
            typed.label = _("Type the name of the bucket: %(name)s") % {"name": batch.bucket}
            typed.widget.attrs["inputmode"] = "text"
        else:
            typed.label = _("Type the number of objects: %(count)s") % {"count": self.count}

    def _keep_fields(self) -> None:
        figures = self.batch.figures
        wanted = {
            "collision": bool(figures.get("conflicts") or figures.get("meetings")),
            "is_compared": self.batch.action == Action.DELETE,
            "is_verbose": self.batch.does_delete and self.count > 0,
            "public": figures["opening"] == "yes",
        }
        for name, is_wanted in wanted.items():
            if not is_wanted:
                del self.fields[name]

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"].strip()
        if self.batch.action == Action.EMPTY:
            if typed != self.batch.bucket:
                raise ValidationError(_("This is not the name of the bucket."))
        elif typed.replace(",", "").replace(" ", "") != str(self.count):
            raise ValidationError(
                _("This is not the number of objects. Look at the plan once more, then type %(count)s.")
                % {"count": self.count}
            )
        return typed

    def clean_public(self) -> str:
        word: str = self.cleaned_data["public"].strip()
        if word != PUBLIC_WORD:
            raise ValidationError(_("Type the word public: strangers will be able to read these objects."))
        return word

    def to_options(self) -> dict[str, Any]:
        """Return what the run needs to know, without the words that were typed."""
        data = self.cleaned_data
        return {
            name: data[name] for name in ("collision", "is_compared", "is_verbose") if name in self.fields
        }
