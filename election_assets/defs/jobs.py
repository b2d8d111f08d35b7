"""The jobs and schedules; a job is one run over all candidates and what joins them."""

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


@dg.schedule(
    name="tweets_every_30_minutes",
    job=tweets_job,
    cron_schedule="*/30 * * * *",
    execution_timezone=ELECTION.time_zone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Collects, lands, cleans and counts what is new for all candidates, in one run.",
)
def tweets_every_30_minutes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run over the whole partition range."""
    return dg.RunRequest(tags=WHOLE_RANGE)


analysis_daily = dg.ScheduleDefinition(
    name="analysis_daily",
    job=analysis_job,
    cron_schedule="15 5 * * *",
    execution_timezone=ELECTION.time_zone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Joins the candidates, scores the texts and draws the pictures once a day, after the night.",
)
