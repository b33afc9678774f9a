"""Whether the person who began a transfer may still have it done: who was let in may be shown out since."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.connections.models import Connection, Role
from apps.storage.errors import Denied
from apps.transfers.models import Transfer


def rights_require(transfer: Transfer) -> None:
    """Raise Denied when the owner of the job has lost a role that the transfer needs.

    Also when the connection of a copy's source is gone: its own one may know another object by that name.
    Asked before bytes go on and before anything is completed: an address for slices is good for hours, and
    a large copy runs for days. Costs no query where the person owns the connections.
    """
    if transfer.is_source_lost:
        raise Denied(
            "The connection that the source is read through was deleted.", code="SourceConnectionGone"
        )
    owner = transfer.job.owner
    for connection, needed in _roles_needed(transfer):
        role = connection.role_of(owner)
        if role is None or role < needed or not owner.is_active:
            raise Denied(
                _("Who started this has lost the role “%(role)s” for the connection “%(connection)s”.")
                % {"role": needed.label, "connection": connection.name},
                code="RoleLost",
            )


def _roles_needed(transfer: Transfer) -> list[tuple[Connection, Role]]:
    needed = [(transfer.connection, Role.WRITER)]
    if transfer.source_connection is not None:
        # Within one connection the right to write is the right to read.
        needed.append((transfer.source_connection, Role.WRITER if transfer.is_move else Role.READER))
    return needed
