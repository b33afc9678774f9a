"""Pages keep to the policy that the browser enforces, and draw only what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SCRIPTS = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
SPRITE = settings.BASE_DIR / "static" / "vendor" / "tabler-icons" / "sprite.svg"


def name_of(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_nothing_is_inline_that_the_policy_blocks(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"""\sstyle=["']""", text)
    assert not re.search(r"""\son[a-z]+=["']""", text)
    assert not re.search(r"hx-on|hx-vals=['\"]js:", text)
    assert not re.search(r"<(script|style)>", text)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text)


@pytest.mark.parametrize("path", [*TEMPLATES, *SCRIPTS], ids=name_of)
def test_every_icon_is_in_the_sprite(path: Path) -> None:
    known = set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))
    text = path.read_text()

    asked = set(re.findall(r"""{% icon ["']([^"']+)["']""", text))
    asked |= set(re.findall(r"""icon_name=["']([^"']+)["']""", text))
    asked |= set(re.findall(r"""\bicon\('([^']+)'\)""", text))

    assert asked <= known


@pytest.mark.parametrize("folder", sorted((settings.BASE_DIR / "static" / "vendor").iterdir()), ids=name_of)
def test_vendored_code_names_its_version_and_licence(folder: Path) -> None:
    assert re.search(r"\d+\.\d+\.\d+", (folder / "VERSION").read_text())
    assert (folder / "LICENSE").read_text().strip()


def test_every_form_that_posts_carries_its_token() -> None:
    for path in TEMPLATES:
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(), re.S):
            assert "{% csrf_token %}" in form, name_of(path)


def test_words_of_the_scripts_are_all_there() -> None:
    from console.script_strings import words

    asked: set[str] = set()
    for path in SCRIPTS:
        asked |= set(re.findall(r"\bword\('([a-z-]+)'", path.read_text()))

    assert asked <= set(words())
