"""Prints what the code location declares as plain JSON, with the modules that importing it brought along."""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

from election_assets.definitions import defs  # noqa: E402

modules = sorted({name.partition(".")[0] for name in sys.modules})

import dagster as dg  # noqa: E402


def asset(node: dg.AssetsDefinition, spec: dg.AssetSpec) -> dict[str, object]:
    schema = spec.metadata.get("dagster/column_schema")
    retries = node.op.retry_policy if node.is_executable else None
    freshness = spec.freshness_policy
    return {
        "group": spec.group_name,
        "kinds": sorted(spec.kinds),
        "owners": list(spec.owners),
        "description": spec.description,
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "external": not node.is_executable,
        "partitions": spec.partitions_def.get_partition_keys() if spec.partitions_def else None,
        "partitions_id": id(spec.partitions_def) if spec.partitions_def else None,
        "single_run": node.backfill_policy == dg.BackfillPolicy.single_run(),
        "columns": [[column.name, column.type, column.description] for column in schema.columns] if schema else None,
        "retries": retries.max_retries if retries else 0,
        "freshness": [
            freshness.fail_window.to_timedelta().total_seconds() / 3600,
            freshness.warn_window.to_timedelta().total_seconds() / 3600,
        ]
        if freshness
        else None,
    }


def check(spec: dg.AssetCheckSpec) -> dict[str, object]:
    return {"asset": spec.asset_key.to_user_string(), "blocking": spec.blocking}


def schedule(definition: dg.ScheduleDefinition) -> dict[str, object]:
    with dg.DagsterInstance.get() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=None)
        requests = definition.evaluate_tick(context).run_requests
    return {
        "job": definition.job_name,
        "cron": definition.cron_schedule,
        "time_zone": definition.execution_timezone,
        "running": definition.default_status == dg.DefaultScheduleStatus.RUNNING,
        "requests": [
            {name: value for name, value in request.tags.items() if "range" in name} for request in requests or []
        ],
    }


repository = defs.get_repository_def()
nodes = list(repository.assets_defs_by_key.items())
print(
    json.dumps(
        {
            "modules": modules,
            "assets": {key.to_user_string(): asset(node, node.get_asset_spec(key)) for key, node in nodes},
            "checks": {
                spec.name: check(spec)
                for definition in {
                    *(node for _, node in nodes),
                    *repository.asset_checks_defs_by_key.values(),
                }
                for spec in definition.check_specs
            },
            "jobs": {
                job.name: sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
                for job in repository.get_all_jobs()
                if not job.name.startswith("__")
            },
            "schedules": {one.name: schedule(one) for one in repository.schedule_defs},
            "sensors": {
                one.name: {
                    "job": one.job_name,
                    "seconds": one.minimum_interval_seconds,
                    "running": one.default_status == dg.DefaultSensorStatus.RUNNING,
                }
                for one in repository.sensor_defs
            },
            "executor": defs.executor.name,
        }
    )
)
