"""The schedule's ticks beside runs that have not ended, on an instance of its own."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg
import pytest

from election_assets.defs import jobs
from election_assets.defs.jobs import WHOLE_RANGE


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """A schedule finds its instance by where that is stored, as a daemon's does."""
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))) as instance:
        yield instance


@pytest.fixture
def instance(stored: dg.DagsterInstance) -> dg.DagsterInstance:
    for run in stored.get_runs():
        stored.delete_run(run.run_id)
    return stored


def tick(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    found = jobs.tweets_every_30_minutes(dg.build_schedule_context(instance=instance))
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found


def run(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return instance.create_run_for_job(dg.job(name=job)(lambda: None), status=status)


@pytest.mark.parametrize("job", ["tweets", "everything"])
# A queued one needs the place of its code location, too, and is one more that waits.
@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, *jobs.WORKING])
def test_a_tick_is_skipped_while_a_run_collects(
    instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus
) -> None:
    unfinished = run(instance, job, status)
    skipped = tick(instance)
    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message == (
        f"Run {unfinished.run_id} has not ended and collects what is new: the next tick asks again."
    )


def test_other_and_ended_runs_keep_no_tick_back(instance: dg.DagsterInstance) -> None:
    run(instance, "analysis", dg.DagsterRunStatus.STARTED)
    run(instance, "landing", dg.DagsterRunStatus.NOT_STARTED)
    for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED):
        run(instance, "tweets", status)
    requested = tick(instance)
    assert isinstance(requested, dg.RunRequest)
    assert requested.tags == WHOLE_RANGE


def test_a_killed_run_keeps_ticks_back_for_a_while_and_one_that_still_speaks_for_longer(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = run(instance, "tweets", dg.DagsterRunStatus.STARTED)
    (record,) = instance.get_run_records()
    monkeypatch.setattr(jobs, "SILENCE", dt.datetime.now(dt.UTC) - record.create_timestamp)
    assert isinstance(tick(instance), dg.RunRequest)
    instance.report_engine_event("landed", unfinished)
    (event,) = instance.get_records_for_run(unfinished.run_id).records
    silence = dt.datetime.now(dt.UTC) - dt.datetime.fromtimestamp(event.timestamp, dt.UTC) + dt.timedelta(minutes=1)
    monkeypatch.setattr(jobs, "SILENCE", silence)
    assert isinstance(tick(instance), dg.SkipReason)
