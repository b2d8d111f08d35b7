"""The main job from the command line: every asset for all candidates in one run of Dagster's own instance."""

from __future__ import annotations

import os
import sys
import time
import warnings

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main() -> int:
    """Runs the job, tells its progress, and ends with the path of the report; 1 if the run failed."""
    try:
        return _run()
    except KeyboardInterrupt:
        return _stopped()


def _stopped() -> int:
    print("Stopped. What was finished is kept; `make run` adds what is missing.", file=sys.stderr)
    return STOPPED


def _run() -> int:
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    # Sail writes lines about itself otherwise.
    os.environ.setdefault("RUST_LOG", "error")
    started = time.monotonic()
    if not os.environ.get("DAGSTER_HOME"):
        print("DAGSTER_HOME is not set: use `make run`, or name a folder that holds dagster.yaml.", file=sys.stderr)
        return 1
    from election_assets.election import ElectionFileError
    from election_assets.storage import DataRootError

    try:
        import dagster as dg

        warnings.filterwarnings("ignore", category=dg.BetaWarning)
        warnings.filterwarnings("ignore", category=dg.PreviewWarning)
        from election_assets.definitions import defs
        from election_assets.defs.jobs import WHOLE_RANGE, main_job
        from election_assets.partitions import DATA_ROOT, ELECTION, alone
        from election_assets.progress import shown

        if (DATA_ROOT.path / "root.json").exists():
            DATA_ROOT.check_source(ELECTION, os.environ)
    except (ElectionFileError, DataRootError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        # Two processes that make the instance's databases at once leave them unusable.
        with alone("dagster_instance"):
            opened = dg.DagsterInstance.get()
    except (OSError, dg.DagsterInvariantViolationError) as error:
        print(f"Dagster's instance cannot be opened: {error}", file=sys.stderr)
        return 1
    print(f"{ELECTION.name}: {len(ELECTION.candidates)} candidates, data in {DATA_ROOT.path}", flush=True)
    job = defs.resolve_job_def(main_job.name)
    with opened as instance, shown(len(job.asset_layer.selected_asset_keys)):
        result = job.execute_in_process(
            instance=instance,
            run_config={"loggers": {"progress": {}}},
            tags=WHOLE_RANGE,
            raise_on_error=False,
        )
    failures = [event.job_failure_data.failure_reason for event in result.all_events if event.is_job_failure]
    if any(reason and reason.value == "UNEXPECTED_TERMINATION" for reason in failures):
        return _stopped()
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    print(f"run {result.run_id} {'succeeded' if result.success else 'FAILED'} in {minutes} min {seconds} s")
    report = DATA_ROOT.report / "index.html"
    if not result.success:
        done = {event.step_key for event in result.all_events if event.is_step_success}
        missing = [step for step in result.dagster_run.step_keys_to_execute or () if step not in done]
        print(f"not done: {', '.join(missing)}", file=sys.stderr)
        if report.exists():
            print(f"{report} is that of an earlier run.", file=sys.stderr)
        print("See the lines marked with ! above, or the run in the UI: make dev", file=sys.stderr)
        return 1
    print(f"report: {os.path.relpath(report) if report.is_relative_to(os.getcwd()) else report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
