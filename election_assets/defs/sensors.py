"""The sensors: what is watched between the schedules' ticks, and the runs that it asks for."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from election_assets.defs.jobs import COLLECTING, WHOLE_RANGE, landing_job, under_way
from election_assets.defs.upstream import kafka_topics
from election_assets.partitions import ELECTION
from resources.kafka import KafkaResource, KafkaSettingsError, KafkaUnavailableError, TopicLag

DEFAULT_LANDING_LAG = 20
"""NiFi brings a topic at most 15 batches between two ticks of the schedule: with more, landing has fallen behind."""
OBSERVED_EVERY_SECONDS = 30 * 60
"""As often as the schedule lands: an observation takes 1.5 kB of Dagster's storage, and a topic moves every minute."""
LANDING_JOBS = (*COLLECTING, landing_job.name)
OWN_KAFKA = bool(os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip())


class SensorSettingsError(ValueError):
    """A setting of a sensor makes no sense."""


@dg.sensor(
    name="kafka_lag",
    job=landing_job,
    minimum_interval_seconds=60,
    # In the embedded broker nothing waits: who publishes there lands in the same run.
    default_status=dg.DefaultSensorStatus.RUNNING if OWN_KAFKA else dg.DefaultSensorStatus.STOPPED,
    description="Observes how many batches wait in each topic, and asks for a landing run where they are too many.",
)
def kafka_lag(context: dg.SensorEvaluationContext, kafka: KafkaResource) -> dg.SensorResult | dg.SkipReason:
    """One observation of `kafka_topics` a candidate whose topic or group moved; the cursor holds what was observed.

    A topic is observed at most every half hour, and when it passes the threshold, comes back or has lost messages.
    """
    topics = {ELECTION.topic(key): key for key in ELECTION.candidate_keys}
    try:
        threshold = landing_lag(os.environ)
        found = kafka.lag(f"{ELECTION.topic_prefix}.landing", topics)
        seen = json.loads(context.cursor or "{}")
        now = {topic: _state(lag, threshold) for topic, lag in found.items()}
        due = {topic: lag for topic, lag in found.items() if _is_due(now[topic], seen.get(topic, {}))}
        problems = kafka.problems(due) if due else {}
    except (KafkaUnavailableError, KafkaSettingsError, SensorSettingsError) as error:
        return dg.SkipReason(str(error))
    for problem in problems.values():
        context.log.warning(problem)
    for topic, lag in due.items():
        if lag.lost:
            context.log.warning(f"Topic {topic}: Kafka removed {lag.lost} messages before they had landed.")
    cursor = json.dumps({topic: now[topic] if topic in due else seen[topic] for topic in found})
    observations = [observation(topics[topic], topic, lag, problems.get(topic)) for topic, lag in due.items()]
    behind = sorted(topic for topic in found if now[topic]["behind"])
    waiting = sum(lag.lag for lag in found.values())
    if not behind:
        reason = f"{waiting} batches wait in {len(found)} of {len(topics)} topics, no more than {threshold} in any."
        if not threshold:
            reason = f"{waiting} batches wait in {len(found)} of {len(topics)} topics; LANDING_LAG=0 asks for no run."
        return dg.SensorResult(skip_reason=reason, cursor=cursor, asset_events=observations)
    if run_id := under_way(context.instance, lands):
        reason = f"More than {threshold} batches wait in {', '.join(behind)}; run {run_id} lands them already."
        return dg.SensorResult(skip_reason=reason, cursor=cursor, asset_events=observations)
    # Of ends and commits: a run that landed some of it and failed may be asked for again, one that did nothing not.
    offsets = json.dumps({topic: asdict(lag) for topic, lag in found.items()})
    run_key = hashlib.sha256(offsets.encode()).hexdigest()
    request = dg.RunRequest(run_key=run_key, tags={**WHOLE_RANGE, "election/behind": ",".join(behind)[:250]})
    return dg.SensorResult(run_requests=[request], cursor=cursor, asset_events=observations)


def _state(lag: TopicLag, threshold: int) -> dict[str, Any]:
    """What the cursor holds of a topic that is observed now."""
    behind = bool(threshold and lag.lag > threshold)
    return {**asdict(lag), "lost": lag.lost, "behind": behind, "observed_at": time.time()}


def _is_due(now: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """Whether a topic is to be observed, as it stands now and was last observed."""
    if any(now[name] != seen.get(name) for name in ("lost", "behind")):
        return True
    moved = any(now[name] != seen.get(name) for name in ("start", "end", "committed"))
    return moved and now["observed_at"] - seen.get("observed_at", 0) >= OBSERVED_EVERY_SECONDS


def landing_lag(env: Mapping[str, str]) -> int:
    """Batches waiting in one topic above which LANDING_LAG asks for a run; 0 asks for none.

    Raises:
        SensorSettingsError: If it is no whole number.
    """
    written = env.get("LANDING_LAG", "").strip() or str(DEFAULT_LANDING_LAG)
    if not (written.isascii() and written.isdigit()):
        raise SensorSettingsError(f"LANDING_LAG={written} is not a whole number of batches; 0 asks for no run.")
    return int(written)


def observation(candidate: str, topic: str, lag: TopicLag, problem: str | None) -> dg.AssetObservation:
    """What was seen of a candidate's topic, for the lineage."""
    return dg.AssetObservation(
        asset_key=kafka_topics.key,
        partition=candidate,
        metadata={
            "topic": topic,
            "lag": lag.lag,
            "first_offset": lag.start,
            "end_offset": lag.end,
            **({"committed_offset": lag.committed} if lag.committed is not None else {}),
            **({"removed_before_landing": lag.lost} if lag.lost else {}),
            **({"problem": problem} if problem else {}),
        },
    )


def lands(run: dg.DagsterRun) -> bool:
    """Whether a run lands what waits in Kafka."""
    return run.job_name in LANDING_JOBS or dg.AssetKey("landed_csv") in (run.asset_selection or ())
