from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BoundField

from apps.batches.models import Batch

CHECK = {"class": "form-check-input"}


class ActionForm(forms.Form):
    """What one action asks. `folded` are the fields that most people leave alone."""

    folded_names: tuple[str, ...] = ()

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch

    @property
    def shown(self) -> list[BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.folded_names]

    @property
    def folded(self) -> list[BoundField]:
        return [field for field in self.visible_fields() if field.name in self.folded_names]

    @property
    def is_unfolded(self) -> bool:
        """Return whether something is wrong, or was chosen, in what is folded."""
        return self.is_bound and any(
            field.errors or field.data not in (None, "", field.initial) for field in self.folded
        )

    def to_options(self) -> dict[str, Any]:
        """Return what planning and running need to know, as JSON values."""
        raise NotImplementedError

    def place(self) -> str:
        """Return where it happens, for the list of jobs."""
        return self.batch.bucket
