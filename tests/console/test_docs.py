"""What the documents promise exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
READ = re.compile(r"""(?:environ(?:\.get\(|\[)|env_[a-z]+\(|env=)"([A-Z][A-Z_]+)\"""")
# Parts of a web server's request are read in the same way.
NOT_FOR_PEOPLE = {
    "CONTENT_LENGTH",
    "HTTP_COOKIE",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_METHOD",
    "SERVER_PROTOCOL",
}
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def variables_read() -> set[str]:
    code = (path for folder in ("console", "apps") for path in (ROOT / folder).rglob("*.py"))
    return {name for path in code for name in READ.findall(path.read_text())} - NOT_FOR_PEOPLE


def variables_documented() -> set[str]:
    table = (ROOT / "docs" / "running.md").read_text().partition("## Variables")[2].partition("\n## ")[0]
    rows = (line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    assert variables_documented() - {"SECRET_KEY_FILE"} == variables_read()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", document.read_text())

    missing = [to for to in targets if "://" not in to and not (document.parent / to).exists()]

    assert missing == []
