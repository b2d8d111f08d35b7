"""The jobs and schedules; a job is one run over all candidates and what joins them."""

import datetime as dt
from collections.abc import Callable

import dagster as dg

from election_assets.defs.tweets import cleaned_tweets_checks
from election_assets.partitions import ELECTION

WHOLE_RANGE = {
    "dagster/asset_partition_range_start": ELECTION.candidate_keys[0],
    "dagster/asset_partition_range_end": ELECTION.candidate_keys[-1],
}
"""Tags that make one run of all partitions; unpartitioned assets downstream run once, after them."""

CANDIDATE_ASSETS = dg.AssetSelection.groups("ingestion", "tweets")

main_job = dg.define_asset_job(
    "everything", selection=dg.AssetSelection.all(), description="Every asset, for all candidates."
)
tweets_job = dg.define_asset_job(
    "tweets", selection=CANDIDATE_ASSETS, description="Collects, lands, cleans and counts what is new."
)
landing_job = dg.define_asset_job(
    "landing",
    selection=dg.AssetSelection.assets("landed_csv", "cleaned_tweets", "candidate_stats"),
    description="Lands, cleans and counts what waits in Kafka, without collecting.",
)
analysis_job = dg.define_asset_job(
    "analysis",
    # A check blocks only what runs with it: the tables that other runs left are checked before they are joined.
    selection=dg.AssetSelection.groups("results", "analysis", "visuals")
    | dg.AssetSelection.checks(*cleaned_tweets_checks.check_keys),
    description="Checks the candidates' tables, joins them, scores the texts and draws the pictures.",
)


COLLECTING = (main_job.name, tweets_job.name)
WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
WORKING = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
SILENCE = dt.timedelta(minutes=30)
"""Without an event after which a run is taken for a killed one, whose record nobody ends for hours."""


def under_way(instance: dg.DagsterInstance, wanted: Callable[[dg.DagsterRun], bool]) -> str | None:
    """Id of a run of this kind that has not ended, if there is one; a killed one counts for a while."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=[*WAITING, *WORKING])):
        run = record.dagster_run
        if wanted(run) and (run.status in WAITING or _said_something(instance, record)):
            return run.run_id
    return None


def _said_something(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    newest = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False).records
    said = [record.create_timestamp.timestamp(), *(event.timestamp for event in newest)]
    return max(said) > (dt.datetime.now(dt.UTC) - SILENCE).timestamp()


@dg.schedule(
    name="tweets_every_30_minutes",
    job=tweets_job,
    cron_schedule="*/30 * * * *",
    execution_timezone=ELECTION.time_zone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Collects, lands, cleans and counts what is new for all candidates, in one run.",
)
def tweets_every_30_minutes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run over the whole partition range; none beside one that collects, for which it would only wait."""
    if run_id := under_way(context.instance, lambda run: run.job_name in COLLECTING):
        return dg.SkipReason(f"Run {run_id} has not ended and collects what is new: the next tick asks again.")
    return dg.RunRequest(tags=WHOLE_RANGE)


analysis_daily = dg.ScheduleDefinition(
    name="analysis_daily",
    job=analysis_job,
    cron_schedule="15 5 * * *",
    execution_timezone=ELECTION.time_zone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Joins the candidates, scores the texts and draws the pictures once a day, after the night.",
)
