"""What the demo holds: three buckets that differ in everything an audit looks at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.demo import files

APPID = "1250000000"
OTHER_ACCOUNT = "qcs::cam::uin/100000000099:uin/100000000099"
EVERYBODY = "http://cam.qcloud.com/groups/global/AllUsers"


@dataclass(frozen=True)
class DemoObject:
    """One object: `options` are those of Put Object."""

    key: str
    data: bytes
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoBucket:
    """One bucket: `grants` are those of Put Bucket ACL."""

    name: str
    region: str
    objects: tuple[DemoObject, ...]
    grants: Mapping[str, Any] = field(default_factory=dict)
    cors: Sequence[Mapping[str, Any]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def demo_buckets() -> tuple[DemoBucket, ...]:
    """Return the three buckets. Their flaws are meant: they are what there is to find."""
    return (_website(), _team_files(), _archive())


def _website() -> DemoBucket:
    return DemoBucket(
        name=f"website-{APPID}",
        region="ap-guangzhou",
        objects=tuple(_website_objects()),
        grants={"ACL": "public-read"},
        cors=(
            {
                "ID": "shop-frontend",
                "AllowedOrigins": ["https://www.example.com", "https://shop.example.com"],
                "AllowedMethods": ["GET", "HEAD"],
                "AllowedHeaders": ["Range"],
                "ExposeHeaders": ["ETag", "Content-Length"],
                "MaxAgeSeconds": 3600,
            },
            {
                "ID": "added-in-a-hurry",
                "AllowedOrigins": ["*"],
                "AllowedMethods": ["GET", "PUT", "POST", "DELETE", "HEAD"],
                "AllowedHeaders": ["*"],
                "MaxAgeSeconds": 86400,
            },
        ),
        tags={"team": "web", "env": "production"},
    )


def _website_objects() -> Iterator[DemoObject]:
    cached = {"CacheControl": "public, max-age=86400"}
    yield DemoObject(
        "index.html", files.html("Example Ltd.", "The public site of a company that is not real.")
    )
    yield DemoObject("about.html", files.html("About", "Nobody works here."))
    yield DemoObject("404.html", files.html("Not found", "There is nothing under this address."))
    yield DemoObject("robots.txt", b"User-agent: *\nAllow: /\n")
    yield DemoObject("favicon.svg", files.svg("E", step=14))
    yield DemoObject(
        "css/site.css", b"body { font: 16px/1.5 sans-serif; margin: 3rem auto; max-width: 40rem; }\n", cached
    )
    yield DemoObject("js/app.js", b"document.documentElement.classList.add('has-js');\n", cached)
    yield DemoObject("js/app.js.map", b'{"version":3,"sources":["app.ts"],"mappings":""}\n')
    yield DemoObject(
        "data/prices.json", json.dumps({"currency": "CNY", "plans": [9, 29, 99]}, indent=2).encode()
    )
    for step in range(24):
        yield DemoObject(
            f"img/gallery/picture-{step + 1:02}.png", files.png(width=480, height=320, step=step), cached
        )
    for step, label in enumerate(("Home", "Blog", "Shop", "Docs", "News", "Jobs", "Help", "Press")):
        yield DemoObject(f"img/badges/{label.lower()}.svg", files.svg(label, step=step * 3), cached)
    for number in range(48):
        month, day = number % 12 + 1, number % 27 + 1
        page = files.html(f"Post {number + 1}", "Lorem ipsum dolor sit amet. " * (4 + number % 9))
        yield DemoObject(f"blog/2026/{month:02}/{day:02}-post-{number + 1:02}.html", page)
    press = {"logo.svg": files.svg("Example", step=14), "facts.txt": b"Founded: never.\n"}
    yield DemoObject(
        "downloads/press-kit.zip",
        files.zipped(press),
        {"ContentDisposition": 'attachment; filename="press-kit.zip"'},
    )
    yield DemoObject("downloads/brochure.pdf", files.pdf("Example Ltd. - brochure"))
    # Two files that should not lie in a public bucket, and one that somebody remembered to hide.
    yield DemoObject(".env", b"# Not a secret: part of the demo.\nAPI_KEY=example-not-a-key\nDEBUG=true\n")
    yield DemoObject("backup/database-2026-01-05.sql", b"-- Not a database: part of the demo.\nSELECT 1;\n")
    yield DemoObject("drafts/launch-plan.md", b"# Launch plan\n\nNot yet public.\n", {"ACL": "private"})


def _team_files() -> DemoBucket:
    return DemoBucket(
        name=f"team-files-{APPID}",
        region="ap-guangzhou",
        objects=(*_project_objects(), *_hostile_objects(), *_large_objects()),
        cors=(
            {
                "ID": "upload-page",
                "AllowedOrigins": ["https://upload.example.com"],
                "AllowedMethods": ["PUT", "POST", "HEAD"],
                "AllowedHeaders": ["Content-Type", "Content-MD5", "Authorization"],
                "ExposeHeaders": ["ETag"],
                "MaxAgeSeconds": 600,
            },
        ),
        tags={"team": "design", "cost-center": "4711", "env": "production", "owner": "meiling.wang"},
    )


def _project_objects() -> Iterator[DemoObject]:
    yield DemoObject(
        "README.md", b"# Team files\n\nOne folder per project; what is finished goes to the archive.\n"
    )
    yield DemoObject("inbox/", b"")
    yield DemoObject("projects/archived/", b"")
    for number, project in enumerate(("aurora", "breeze", "cascade", "delta", "ember", "fjord")):
        place = f"projects/{project}/"
        yield DemoObject(f"{place}brief.md", f"# {project.title()}\n\nGoal, people, dates.\n".encode())
        yield DemoObject(f"{place}budget.csv", files.table(rows=40 + number, seed=number))
        yield DemoObject(f"{place}settings.json", json.dumps({"project": project, "rank": number}).encode())
        yield DemoObject(
            f"{place}contract.pdf", files.pdf(f"Contract: {project}"), {"Metadata": {"signed-by": "both"}}
        )
        yield DemoObject(f"{place}todo.txt", b"[ ] ask\n[ ] answer\n[x] forget\n")
        for step in range(4):
            picture = files.png(width=320, height=240, step=number * 4 + step)
            yield DemoObject(f"{place}mockups/screen-{step + 1}.png", picture)
        for month in range(1, 13):
            yield DemoObject(
                f"{place}minutes/2026/{month:02}/{month + 4:02}.md", f"# Minutes\n\nMonth {month}.\n".encode()
            )
    poster = files.png(width=640, height=480, step=3)
    yield DemoObject("projects/aurora/poster for everybody.png", poster, {"ACL": "public-read"})
    shared = {"GrantRead": f'id="{OTHER_ACCOUNT}"'}
    yield DemoObject("projects/aurora/shared with the agency.pdf", files.pdf("For the agency"), shared)


def _hostile_objects() -> Iterator[DemoObject]:
    """Names as people and programs really write them, and worse."""
    names = (
        "two  spaces and a trailing one ",
        "100% + plus & ampersand.txt",
        "question?mark=1#fragment.txt",
        "quotes \"double\" 'single' `back`.txt",
        "<b>bold</b>.txt",
        "comma, semicolon; equals=.csv",
        "back\\slash.txt",
        "double//slash.txt",
        "Räksmörgås – smørrebrød.txt",
        "合同/2026/供应商合同（最终版）.txt",
        "報告書.txt",
        "🎉 launch 🚀.txt",
        "مستند.txt",
        "invoice-\u202efdp.exe",
        "line\nbreak.txt",
        "=cmd|'calc'!A1.csv",
        "a" * 200 + ".txt",
    )
    for name in names:
        yield DemoObject(f"odd names/{name}", f"The key of this object is {name!r}.\n".encode())


def _large_objects() -> Iterator[DemoObject]:
    yield DemoObject("media/tone-440.wav", files.wav(seconds=24, hertz=440))
    yield DemoObject("media/keynote.wav", files.wav(seconds=140, hertz=220))
    yield DemoObject("datasets/requests-2026.csv", files.table(rows=130_000, seed=1))
    block = bytes((number * number * 31 + number) % 251 for number in range(64 * 1024))
    yield DemoObject("datasets/sensor.bin", block * 320)


def _archive() -> DemoBucket:
    everybody = {"Grantee": {"Type": "Group", "URI": EVERYBODY}, "Permission": "WRITE"}
    partner = {"Grantee": {"Type": "CanonicalUser", "ID": OTHER_ACCOUNT}, "Permission": "READ"}
    return DemoBucket(
        name=f"archive-{APPID}",
        region="ap-singapore",
        objects=tuple(_archive_objects()),
        grants={"AccessControlPolicy": {"AccessControlList": {"Grant": [partner, everybody]}}},
        tags={"retention": "7y", "classification": "internal"},
    )


def _archive_objects() -> Iterator[DemoObject]:
    cold = {"StorageClass": "STANDARD_IA"}
    for month in range(1, 13):
        for day in range(1, 29, 3):
            log = "".join(
                f"2025-{month:02}-{day:02}T{hour:02}:00:00Z INFO served {hour * 37}\n" for hour in range(24)
            )
            yield DemoObject(f"logs/2025/{month:02}/{day:02}/app.log.gz", files.gzipped(log.encode()), cold)
        export = {f"part-{part}.csv": files.table(rows=30, seed=month + part) for part in range(2)}
        yield DemoObject(f"exports/2025-{month:02}.zip", files.zipped(export), cold)
    for year in range(2020, 2026):
        yield DemoObject(
            f"reports/{year}/annual-report.pdf",
            files.pdf(f"Annual report {year}"),
            {"StorageClass": "ARCHIVE"},
        )
