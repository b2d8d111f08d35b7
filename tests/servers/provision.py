"""Lays out what the tests' servers need and the cache lacks: `python -m tests.servers.provision [SERVER…]`."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence

SERVERS = ("postgresql", "kafka", "nifi", "containers")


def main(names: Sequence[str]) -> str | None:
    """Provisions the named servers, or all; what went wrong, a sentence a server, for `sys.exit`."""
    if unknown := sorted(set(names) - set(SERVERS)):
        return f"There is no server {', '.join(unknown)}: choose of {', '.join(SERVERS)}."
    failures = []
    for name in names or SERVERS:
        began = time.monotonic()
        try:
            importlib.import_module(f"tests.servers.{name}").provision()
        except RuntimeError as error:
            failures.append(f"{name}: {error}")
        else:
            print(f"{name}: there after {time.monotonic() - began:.1f} s", flush=True)
    return "\n".join(failures) or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
