"""A process with an engine of its own that ingests a candidate at a line on its input: `ROOT CANDIDATE lives|dies`.

With `dies` it kills itself with SIGKILL once the tweets are merged, before the files are written down as read.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

from election_assets import delta
from election_assets.election import load_election
from election_assets.ingest import ingest
from election_assets.storage import DataRoot

KEY = b"a key for tests"


def main(path: str, candidate: str, end: str) -> None:
    server = SparkConnectServer()
    server.start()
    host, port = server.listening_address
    remote = SparkSession.builder.remote(f"sc://{host}:{port}")
    session = remote.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    if end == "dies":
        delta.append = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
    print("ready", flush=True)
    sys.stdin.readline()
    added = ingest(session, DataRoot(Path(path)), load_election("fr_2022"), candidate, KEY)
    print(json.dumps(asdict(added), default=str), flush=True)
    # The engine's threads would keep the process.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
