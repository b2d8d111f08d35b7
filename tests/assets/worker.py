"""A process with the code location that materialises what it is asked for: a JSON line in, a JSON line out.

In: `job`, `assets` (names; all of the job if none is given), `candidates` (the first and last of a range, or none),
`config` (run configuration of assets, by name), `env` (variables to set first), `retries` (whether a failed step is
tried again: without, a test of a failure does not wait). Out: `run_id`, `success`. What happened is read from Dagster's
instance.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

import dagster as dg


def job(name: str) -> dg.JobDefinition:
    from election_assets.definitions import defs

    return defs.resolve_job_def(name)


def everything() -> dg.JobDefinition:
    return job("everything")


def analysis() -> dg.JobDefinition:
    return job("analysis")


JOBS = {"everything": everything, "analysis": analysis}


def materialise(order: dict, instance: dg.DagsterInstance) -> dict[str, object]:
    os.environ.update(order.get("env", {}))
    candidates = order.get("candidates")
    with dg.execute_job(
        dg.reconstructable(JOBS[order["job"]]),
        instance=instance,
        run_config={
            "ops": {name: {"config": config} for name, config in order.get("config", {}).items()},
            "execution": {"config": {"retries": {"enabled" if order.get("retries") else "disabled": {}}}},
            "loggers": {"progress": {}},
        },
        tags={
            "dagster/asset_partition_range_start": candidates[0],
            "dagster/asset_partition_range_end": candidates[-1],
        }
        if candidates
        else {},
        asset_selection=[dg.AssetKey(name) for name in order["assets"]] or None,
    ) as result:
        return {"run_id": result.run_id, "success": result.success}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    answers, sys.stdout = sys.stdout, sys.stderr
    with dg.DagsterInstance.get() as instance:
        for line in sys.stdin:
            print(json.dumps(materialise(json.loads(line), instance)), file=answers, flush=True)
