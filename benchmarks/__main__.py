"""`make bench`: runs every benchmark, or those named, prints a table and writes it as JSON to benchmarks/results/."""

import datetime as dt
import json
import os
import platform
import sys
from pathlib import Path

from benchmarks import main_job, report, sentiment_speed, throughput, tick

BENCHMARKS = {
    "main_job": main_job.measure,
    "tick": tick.measure,
    "throughput": throughput.measure,
    "report": report.measure,
    "sentiment_speed": sentiment_speed.measure,
}
ON_DEMAND = {"sentiment_million": sentiment_speed.measure_million}
"""Takes minutes, and so is run only where it is named."""

RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    known = BENCHMARKS | ON_DEMAND
    unknown = set(names) - set(known)
    if unknown:
        print(f"No benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    rows = []
    for name in names or BENCHMARKS:
        for row in known[name]():
            rows.append({"benchmark": name, **row})
            print(f"{name:<15} {row['what']:<58} {row['value']:>12,.2f} {row['unit']}", flush=True)
    now = dt.datetime.now(dt.UTC)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps({"at": now.isoformat(), "machine": machine, "rows": rows}, indent=1) + "\n")
    print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
