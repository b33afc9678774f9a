"""Two hundred open pages on one web process: how late they hear, what it costs, who is served meanwhile."""

from __future__ import annotations

from typing import Any

from harness import procfs
from harness.processes import python, run_client
from harness.report import MIB, Goals
from harness.ways import Ways

PAGES = 200
JOBS = 10
PER_SECOND = 10.0


def live_run(ways: Ways, goals: Goals, *, rounds: int, seconds: int, pages: int = PAGES) -> None:
    """Measure P11: ten messages a second, each of which every page hears."""
    console = ways.console
    groups = console.groups()
    idle = sum(map(procfs.resident_bytes, groups["web"]))
    spec: dict[str, Any] = {
        **console.page,
        "pages": pages,
        "jobs": JOBS,
        "messages": int(PER_SECOND * seconds),
        "per_second": PER_SECOND,
        "groups": {name: groups[name] for name in ("web", "redis")},
    }
    environ = {"DATA_DIR": str(console.data), "REDIS_URL": console.redis_url}
    heard = [run_client(python("as_audience"), spec, environ=environ) for _ in range(rounds)]
    grown = sum(map(procfs.resident_bytes, groups["web"])) - idle
    print(f"\n{pages} open pages, {PER_SECOND:.0f} messages a second for {seconds} s")
    goals.at_most(
        "P11_p99_ms",
        [1000 * one["p99_s"] for one in heard],
        50,
        "P11 from the announcement to a page, p99, ms",
    )
    goals.note("P11_p50_ms", [1000 * one["p50_s"] for one in heard], "   median, ms")
    goals.note("P11_worst_ms", [1000 * one["worst_s"] for one in heard], "   the latest of all, ms")
    cores = [100 * one["cores"]["web"] for one in heard]
    goals.at_most("P11_core", cores, 10, "P11 web server, % of one core")
    goals.note("P11_redis", [100 * one["cores"]["redis"] for one in heard], "   Redis, % of one core")
    lost = [float(one["lost"] + one["stale"] + one["cut_off"]) for one in heard]
    goals.at_most("P11_lost", lost, 0, "P11 messages lost, pages behind or cut off")
    goals.note("P11_mib", [grown / MIB], "   memory of the web server for them, MiB")
    goals.note(
        "P11_page_ms", [1000 * one["page_s"] for one in heard], "   a page of the console meanwhile, ms"
    )
