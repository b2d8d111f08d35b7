"""From the scraper to landed files: `raw_tweets` and `landed_csv`."""

import datetime as dt
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from election_assets.candidates import completeness, each_candidate, report_errors
from election_assets.defs.upstream import OWNERS, kafka_topics, nifi_flow, x_api
from election_assets.ingest import ingested_rows
from election_assets.landed import batches, store
from election_assets.metadata import column_schema
from election_assets.partitions import CANDIDATES, DATA_ROOT, ELECTION, ONE_RUN
from election_assets.schemas import LANDED_V1, MAX_BATCH_RECORDS, TWEET_V1
from resources.kafka import Drain, KafkaResource, Publisher
from resources.nifi import NiFiResource
from resources.nifi.api import NiFiError, NiFiLateError, NiFiUnavailableError
from resources.scraper import ScraperError, ScraperResource

NETWORK_RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
SHOWN_PROBLEMS = 5
"""Problems of the archive that are told where the run was started; the report has more."""

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(hours=2), warn_window=dt.timedelta(hours=1))
COMPLETENESS = "No candidate of the run had trouble; one that had is named with its error, and the others go on."
LAST_BATCH = "last_batch"
"""Metadata: id of the last batch that a partition's materialisations have counted."""
SHARE_OF_THE_LATE = 1 / 30
"""Of NiFi's time for all candidates: left to each one that comes after its end, enough where nothing stands in the
way."""


@dg.asset(
    partitions_def=CANDIDATES,
    backfill_policy=ONE_RUN,
    deps=[x_api, nifi_flow],
    group_name="ingestion",
    kinds={"x", "json"},
    owners=OWNERS,
    retry_policy=NETWORK_RETRIES,
    freshness_policy=FRESHNESS,
    check_specs=[dg.AssetCheckSpec("collected_for_every_candidate", asset="raw_tweets", description=COMPLETENESS)],
    metadata={"dagster/column_schema": column_schema(TWEET_V1)},
)
def raw_tweets(
    context: dg.AssetExecutionContext, scraper: ScraperResource, kafka: KafkaResource, nifi: NiFiResource
) -> dg.MaterializeResult:
    """What the scraper collected, as received; a row is a record of X with what it refers to.

    The scraper keeps each batch under `raw/<candidate>/` before it answers. Each one is published to the candidate's
    topic and acknowledged once Kafka has it, until there is nothing new; with INGESTION=nifi, NiFi's flow does that.
    Metadata tell what came since the partition's last materialisation, whoever asked for it.
    """
    by_nifi = _nifi_publishes()
    if by_nifi:
        _refuse_unusable(nifi)
    kafka.ensure_topics(ELECTION.topic(key) for key in context.partition_keys)
    pages: dict[str, str] = {}
    if by_nifi:
        pages, errors = _run_nifi_for_all(context, scraper, nifi)
    else:
        live = scraper.status()["source"] == "x"
        with kafka.producer() as publisher:
            _, errors = each_candidate(context, lambda key: _collect(scraper, publisher, key, live))
    # Listed before the scraper is asked: what is not the current batch then was acknowledged.
    kept = {key: DATA_ROOT.batch_ids(key) for key in context.partition_keys}
    status = scraper.status()
    for key, batch_ids in kept.items():
        found = status["candidates"][key]
        last = _last_batch(context, key)
        new = _since(last, [batch_id for batch_id in batch_ids if batch_id != found["current"]])
        context.add_asset_metadata(
            {
                "received": sum(DATA_ROOT.raw_records(key, batch_id) for batch_id in new),
                "batches": len(new),
                LAST_BATCH: new[-1] if new else last,
                "path": dg.MetadataValue.path(str(DATA_ROOT.raw(key))),
                "dagster/row_count": found["records"],
                **({"notes": dg.MetadataValue.json(found["notes"])} if found["notes"] else {}),
                **({"nifi": dg.MetadataValue.url(pages[key])} if key in pages else {}),
            },
            partition_key=key,
        )
    report_errors(context, errors)
    archive = status["archive"]
    for problem in (archive or {}).get("problems", [])[:SHOWN_PROBLEMS]:
        context.log.warning(f"{problem['file']}, line {problem['line']}: {problem['reason']}")
    collected_ever = any(each["records"] for each in status["candidates"].values())
    # What was read of an archive is counted once a file is done.
    if archive and not archive["read"] and not collected_ever and not errors:
        context.log.warning("The archive holds no tweets.")
    return dg.MaterializeResult(
        metadata={"source": status["source"], **({"archive": dg.MetadataValue.json(archive)} if archive else {})},
        check_results=[completeness("collected_for_every_candidate", context.asset_key, errors)],
    )


def _last_batch(context: dg.AssetExecutionContext, key: str) -> str:
    """Id of the last batch that was counted for a candidate; empty where none was."""
    of_candidate = dg.AssetRecordsFilter(asset_key=context.asset_key, asset_partitions=[key])
    for record in context.instance.fetch_materializations(of_candidate, limit=1).records:
        if record.asset_materialization and LAST_BATCH in record.asset_materialization.metadata:
            return str(record.asset_materialization.metadata[LAST_BATCH].value)
    return ""


def _since(last: str, batch_ids: Sequence[str]) -> list[str]:
    """The batches behind the last one that was counted; all where that one is of another data root."""
    root = last.rpartition("-")[0]
    return [batch_id for batch_id in batch_ids if batch_id.rpartition("-")[0] != root or batch_id > last]


def _collect(scraper: ScraperResource, publisher: Publisher, key: str, live: bool) -> None:
    """Publishes batches until there is nothing new; from a live source until one is not full, for more always comes."""
    with DATA_ROOT.collection_lock(key):
        while (batch := scraper.batch(key)).batch_id:
            publisher.publish(ELECTION.topic(key), key, batch.batch_id, batch.tweets)
            scraper.acknowledge(batch.batch_id)
            if live and len(batch.tweets) < MAX_BATCH_RECORDS:
                break


def _nifi_publishes() -> bool:
    chosen = os.environ.get("INGESTION", "").strip() or "direct"
    if chosen not in ("direct", "nifi"):
        raise dg.Failure(f"INGESTION={chosen} is neither direct nor nifi; set one of the two.", allow_retries=False)
    return chosen == "nifi"


def _refuse_unusable(nifi: NiFiResource) -> None:
    try:
        nifi.check()
    except NiFiError as error:
        again = isinstance(error, NiFiUnavailableError) and error.temporary
        raise dg.Failure(str(error), allow_retries=again) from error


def _run_nifi_for_all(
    context: dg.AssetExecutionContext, scraper: ScraperResource, nifi: NiFiResource
) -> tuple[dict[str, str], dict[str, str]]:
    """Makes NiFi drain the scraper; the pages of the groups and the errors, each by the candidate's key.

    What stands in NiFi's way mostly stands in every candidate's: NIFI_TIMEOUT_SECONDS are for all of them.
    """
    limit = time.monotonic() + nifi.timeout_seconds
    try:
        return each_candidate(context, lambda key: _run_nifi(context, scraper, nifi, key, limit))
    except dg.Failure as failure:
        if time.monotonic() < limit:
            raise
        # NiFi goes on by itself; who asks again waits as long for the same.
        raise dg.Failure(failure.description, metadata=failure.metadata, allow_retries=False) from failure


def _run_nifi(
    context: dg.AssetExecutionContext, scraper: ScraperResource, nifi: NiFiResource, key: str, limit: float
) -> str:
    """Makes NiFi drain the scraper for a candidate; the page of its group."""
    late = None
    with DATA_ROOT.collection_lock(key):
        known = set(DATA_ROOT.batch_ids(key)) - {scraper.status()["candidates"][key]["current"]}
        seconds = max(limit - time.monotonic(), nifi.timeout_seconds * SHARE_OF_THE_LATE)
        try:
            errors = nifi.run_once(key, seconds)
        except NiFiLateError as error:
            errors, late = [], error
        status = scraper.status()["candidates"][key]
        brought = set(DATA_ROOT.batch_ids(key)) - known - {status["current"]}
    if late and not brought:
        raise late
    told = " ".join(str(error) for error in errors)
    if (
        status["current"]
        # NiFi's own schedule may have asked again meanwhile: what it still works on is not lost.
        and nifi.snapshot(key).quiet
        and scraper.status()["candidates"][key]["current"] == status["current"]
    ):
        raise NiFiError(
            f"NiFi did not bring batch {status['current']} to Kafka and acknowledge it: see its dead letters and"
            f" {nifi.link(key)}. {told}"
        )
    if status["error"]:
        raise ScraperError(status["error"])
    if told and not brought:
        raise NiFiError(f"NiFi brought nothing: {told} See {nifi.link(key)}.")
    if told:
        context.log.warning(f"{key}: NiFi had trouble and overcame it: {told}")
    if late:
        context.log.warning(f"{key}: {len(brought)} batches came, and NiFi is not done: {late}")
    return nifi.link(key)


@dataclass
class _Landed:
    files: int = 0
    rows: int = 0
    quarantined: int = 0
    published_again: int = 0


@dg.asset(
    partitions_def=CANDIDATES,
    backfill_policy=ONE_RUN,
    deps=[raw_tweets, kafka_topics],
    group_name="ingestion",
    kinds={"kafka", "csv"},
    owners=OWNERS,
    retry_policy=NETWORK_RETRIES,
    freshness_policy=FRESHNESS,
    check_specs=[dg.AssetCheckSpec("landed_for_every_candidate", asset="landed_csv", description=COMPLETENESS)],
    metadata={"dagster/column_schema": column_schema(LANDED_V1)},
)
def landed_csv(
    context: dg.AssetExecutionContext, scraper: ScraperResource, kafka: KafkaResource
) -> dg.MaterializeResult:
    """The messages of the candidate's topic as CSV files; a row is a record with the place it was read from.

    A file is named by cluster, topic, partition and offset and stands whole before the offset is committed. Lines that
    do not fit are in `quarantine/<candidate>/` with the reason. A batch that was acknowledged and is in no landed file
    is published again.
    """
    cluster = kafka.ensure_topics(ELECTION.topic(key) for key in context.partition_keys)
    # Listed before the scraper is asked: a batch that another run collects after that is not taken for a lost one.
    kept = {key: set(DATA_ROOT.batch_ids(key)) for key in context.partition_keys}
    status = scraper.status()["candidates"]
    acknowledged = {key: batch_ids - {status[key]["current"]} for key, batch_ids in kept.items()}
    with kafka.consumer(f"{ELECTION.topic_prefix}.landing", cluster) as drain, kafka.producer() as publisher:
        landed, errors = each_candidate(
            context, lambda key: _land_and_find_lost(scraper, publisher, drain, key, acknowledged[key])
        )
    for key, found in landed.items():
        context.add_asset_metadata(
            {
                "files": found.files,
                "rows": found.rows,
                "quarantined": found.quarantined,
                "published_again": found.published_again,
                "path": dg.MetadataValue.path(str(DATA_ROOT.landed(key))),
                "quarantine": dg.MetadataValue.path(str(DATA_ROOT.quarantine(key))),
            },
            partition_key=key,
        )
    report_errors(context, errors)
    return dg.MaterializeResult(
        check_results=[completeness("landed_for_every_candidate", context.asset_key, errors)],
    )


def _land_and_find_lost(
    scraper: ScraperResource, publisher: Publisher, drain: Drain, key: str, acknowledged: set[str]
) -> _Landed:
    landed = _Landed()
    with DATA_ROOT.candidate_lock(key):
        _land(drain, key, landed)
        ingested = {row["origin"]: row["batch_id"] for row in ingested_rows(DATA_ROOT, key)}
        delivered = set(batches(DATA_ROOT, key, ingested).values())
        for batch_id in DATA_ROOT.batch_ids(key):
            # In the topic since before it was read to its end.
            if batch_id in acknowledged and batch_id not in delivered:
                publisher.publish(ELECTION.topic(key), key, batch_id, scraper.again(batch_id).tweets)
                landed.published_again += 1
        if landed.published_again:
            _land(drain, key, landed)
    return landed


def _land(drain: Drain, key: str, landed: _Landed) -> None:
    for message in drain.messages(ELECTION.topic(key)):
        stored = store(DATA_ROOT, key, message)
        drain.commit(message)
        landed.files += 1
        landed.rows += stored.rows
        landed.quarantined += len(stored.refused)
