import re
from collections.abc import Callable

import dagster as dg
import pytest

from election_assets.progress import progress_logger

PARTS = dg.StaticPartitionsDefinition(["one", "two"])
RANGE = {"dagster/asset_partition_range_start": "one", "dagster/asset_partition_range_end": "two"}


@pytest.fixture
def lines(capsys) -> Callable[..., list[str]]:
    def lines(*assets: object, checks: tuple = (), tags: dict[str, str] | None = None) -> list[str]:
        """Runs a job of the assets as `make run` does; the lines that a person sees, without seconds."""
        job = dg.define_asset_job("job", selection=dg.AssetSelection.assets(*(each.key for each in assets)))
        definitions = dg.Definitions(
            assets=list(assets),
            asset_checks=list(checks),
            jobs=[job],
            loggers={"progress": progress_logger},
            executor=dg.in_process_executor,
        )
        with dg.DagsterInstance.ephemeral() as instance:
            capsys.readouterr()
            definitions.resolve_job_def("job").execute_in_process(
                instance=instance, run_config={"loggers": {"progress": {}}}, tags=tags, raise_on_error=False
            )
        shown = capsys.readouterr().out.splitlines()
        return [re.sub(r" +\d+\.\d s", " N s", line) for line in shown]

    return lines


@pytest.mark.filterwarnings("ignore:.*backfill_policy.*:dagster.BetaWarning")
def test_an_asset_is_one_line_with_its_candidates_counts_in_all(lines):
    @dg.asset(partitions_def=PARTS, backfill_policy=dg.BackfillPolicy.single_run())
    def cleaned(context: dg.AssetExecutionContext):
        context.log.info("not for people")
        for key, kept in (("one", 1200), ("two", 34)):
            metadata = {"kept": kept, "repeats": 0, "published_again": 0, "days": ["2022-04-01"], "unknown": 5}
            context.add_asset_metadata(metadata, partition_key=key)
        return dg.MaterializeResult()

    @dg.asset(deps=[cleaned])
    def page():
        return dg.MaterializeResult(metadata={"words": 7, "path": "p", "share": 0.5})

    # The second asset has no partitions, as in the main job.
    assert lines(cleaned, page, tags=RANGE) == [
        "cleaned            done N s   2 candidates, 1,234 kept, 0 repeats",
        "page               done N s   7 words",
    ]


def test_warnings_failed_checks_and_failures_are_marked(lines):
    @dg.asset
    def table(context: dg.AssetExecutionContext):
        context.log.warning("le-pen: X answered 503.")
        return dg.MaterializeResult(metadata={"rows": 0})

    @dg.asset_check(asset=table, blocking=True)
    def unique_ids():
        return dg.AssetCheckResult(passed=False, description="Wrong: macron.")

    @dg.asset_check(asset=table)
    def complete():
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="Failed for le-pen.")

    @dg.asset_check(asset=table)
    def no_null_dates():
        return dg.AssetCheckResult(passed=True, description="Not shown.")

    @dg.asset(deps=[table])
    def downstream():
        return dg.MaterializeResult(metadata={"rows": 1})

    shown = lines(table, downstream, checks=(unique_ids, complete, no_null_dates))
    assert shown[0] == "  ! le-pen: X answered 503."
    assert "table              done N s   0 rows" in shown
    assert "  ! check unique_ids of table failed (stops what is downstream): Wrong: macron." in shown
    assert "  ! check complete of table failed (does not stop the run): Failed for le-pen." in shown
    assert not [line for line in shown if "no_null_dates" in line or line.startswith("downstream")]


def test_a_failure_tells_its_first_cause_on_one_line(lines):
    @dg.asset
    def raw():
        try:
            raise ConnectionError("the broker\nis gone")
        except ConnectionError as error:
            raise RuntimeError("wrapped") from error

    assert lines(raw) == [
        "raw                FAILED N s   ",
        "  ! ConnectionError: the broker is gone",
    ]


def test_a_retry_is_told_and_the_asset_is_done_in_the_end(lines):
    attempts = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=1, delay=0))
    def raw():
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError("refused")
        return dg.MaterializeResult(metadata={"received": 3})

    shown = lines(raw)
    assert len(attempts) == 2
    assert shown == [
        "  … raw failed and is tried again: ConnectionError: refused",
        "raw                done N s   3 received",
    ]


def test_an_interrupted_asset_is_stopped_and_not_tried_again(lines):
    attempts = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=3, delay=0))
    def raw():
        attempts.append(1)
        raise KeyboardInterrupt

    assert lines(raw) == ["raw                stopped N s   "]
    assert len(attempts) == 1
