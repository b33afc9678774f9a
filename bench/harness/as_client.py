"""A process that does one piece of work with one client, so that its CPU and its memory are that client's."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from harness import procfs
from harness.sender import Clock

# Only the client that is asked for is imported: the others' modules are not to be found in its memory.
CLIENTS = {"ours": "client_ours:Ours", "sdk": "client_sdk:Sdk", "boto3": "client_boto3:Boto3"}


def main() -> None:
    """Do the work of a spec: client, work, arguments, port, bucket, region, and keys where they matter."""
    spec = json.load(sys.stdin)
    module, _, name = CLIENTS[spec["client"]].partition(":")
    opened = getattr(import_module(f"harness.{module}"), name)
    keys = {"keys": tuple(spec["keys"])} if "keys" in spec else {}
    client = opened(spec["port"], bucket=spec["bucket"], region=spec["region"], **keys)
    idle_bytes = procfs.resident_bytes(os.getpid())
    clock = Clock()
    done = getattr(client, spec["work"])(**spec["arguments"])
    print(json.dumps(clock.result(done=done, idle_bytes=idle_bytes)))


if __name__ == "__main__":
    main()
