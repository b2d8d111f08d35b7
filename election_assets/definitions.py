"""The code location: what `defs/` holds, with its resources and the in-process executor; nothing else."""

from __future__ import annotations

import os

import dagster as dg

from election_assets.defs import analysis, ingestion, jobs, results, sensors, tweets, upstream, visuals
from election_assets.progress import progress_logger
from resources import build_resources

MODULES = [upstream, ingestion, tweets, results, analysis, visuals]

defs = dg.Definitions(
    assets=[
        *dg.load_assets_from_modules(MODULES),
        upstream.x_api,
        upstream.nifi_flow,
        upstream.kafka_topics,
    ],
    asset_checks=dg.load_asset_checks_from_modules(MODULES),
    jobs=[jobs.main_job, jobs.tweets_job, jobs.landing_job, jobs.analysis_job],
    schedules=[jobs.tweets_every_30_minutes, jobs.analysis_daily],
    sensors=[sensors.kafka_lag],
    resources=build_resources(os.environ),
    # A spawned step costs seconds, and a Spark session of its own.
    executor=dg.in_process_executor,
    loggers={"console": dg.colored_console_logger, "progress": progress_logger},
)
