from __future__ import annotations

from django.http import QueryDict

from apps.batches.forms.selection import SelectionForm


class ZipForm(SelectionForm):
    """What is to be packed, said as for any other thing that is done with many objects."""

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        del self.fields["action"]
