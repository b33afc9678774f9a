"""What grants, CORS rules and tags mean: pure rules without a network, for pages and for the audit."""

from __future__ import annotations

from apps.access.rules.acl import AccessKind, AccessSummary, access_summary, access_unknown

__all__ = ["AccessKind", "AccessSummary", "access_summary", "access_unknown"]
