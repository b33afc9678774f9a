from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path, PureWindowsPath

import pytest

from apps.objects.members import MANIFEST, common_base, is_text_name, member_name
from tests.hostile import HOSTILE_KEYS

LED_ASTRAY = (
    *HOSTILE_KEYS,
    "/etc/passwd",
    "C:/Windows/system.ini",
    "a/../../../b",
    "a/./b",
    "nul.txt",
    "COM1",
    "dots...",
    "a\x00b",
    "~",
    MANIFEST,
    "\\\\server\\share",
    "中" * 280,
    "a//",
)


@pytest.mark.parametrize("key", LED_ASTRAY, ids=ascii)
def test_name_stays_below_the_folder_it_is_unpacked_into(key: str) -> None:
    name = member_name(key, "")

    assert name != MANIFEST
    segments = name.removesuffix("/").split("/")
    assert all(segment not in ("", ".", "..") and len(segment.encode()) < 255 for segment in segments)
    assert not Path(name).is_absolute()
    assert not PureWindowsPath(name).is_absolute()
    assert not PureWindowsPath(name).drive
    assert not set(name) & set('\x00\r\n\t"\\:*?<>|\u202e')


def test_plain_names_stay_as_they_are() -> None:
    assert member_name("a/b/c.txt", "a/") == "b/c.txt"
    assert member_name("a/中文 文件.txt", "a/") == "中文 文件.txt"
    assert member_name("a/b/", "a/") == "b/"


def test_keys_that_are_cleaned_to_one_name_stay_two() -> None:
    keys = ["a:b.txt", "a*b.txt", "a_b.txt", "a/../x", "a/./x", "a//x"]

    assert len({member_name(key, "") for key in keys}) == len(keys)


def test_changed_name_keeps_its_ending() -> None:
    assert member_name("a:b.txt", "").startswith("a_b~")
    assert member_name("a:b.txt", "").endswith(".txt")


@pytest.mark.parametrize(
    ("keys", "base"),
    [
        (("a/b/c", "a/b/d"), "a/b/"),
        (("a/b/c", "a/bb/d"), "a/"),
        (("a/b/",), "a/"),
        (("a/b/", "a/b/c"), "a/"),
        (("x", "a/b"), ""),
        (("a/x", "a/b/y", "a/b/z"), "a/"),
    ],
)
def test_base_is_the_folder_that_all_lie_in(keys: tuple[str, ...], base: str) -> None:
    assert common_base(keys) == base


def test_text_is_told_from_what_is_packed_already() -> None:
    assert is_text_name("a/b.JSON")
    assert not is_text_name("a.json/b.png")


def test_names_survive_a_zip() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for key in LED_ASTRAY:
            archive.writestr(member_name(key, ""), b"")
    with zipfile.ZipFile(file) as archive:
        assert len(set(archive.namelist())) == len(LED_ASTRAY)
