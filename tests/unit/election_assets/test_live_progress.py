"""The live display fed by runs of small jobs, drawn on a console of 80 columns."""

import io
import re
from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from rich.console import Console

from election_assets.live_progress import LiveDisplay
from election_assets.progress import DISPLAY, PROGRESS_SIGN, is_live, progress_logger
from tests.terminal import cursor_is_shown, screen

WIDTH = 80


class Drawn:
    """A display and what was written to its terminal."""

    def __init__(self, assets: int) -> None:
        self.terminal = io.StringIO()
        console = Console(file=self.terminal, width=WIDTH, force_terminal=True, legacy_windows=False, _environ={})
        self.display = LiveDisplay(console, assets)

    def rows(self) -> list[str]:
        """The rows that are not blank, without seconds."""
        return [re.sub(r" +\d+(\.\d)? s\b", " N s", row) for row in screen(self.terminal.getvalue()) if row]

    def rows_now(self) -> list[str]:
        self.display.live.refresh()
        return self.rows()

    def run(self, *assets: dg.AssetsDefinition, checks: tuple[dg.AssetChecksDefinition, ...] = ()) -> bool:
        """Runs a job of the assets as `make run` does; whether it succeeded."""
        job = dg.define_asset_job("job", selection=dg.AssetSelection.assets(*(each.key for each in assets)))
        definitions = dg.Definitions(
            assets=list(assets),
            asset_checks=list(checks),
            jobs=[job],
            loggers={"progress": progress_logger},
            executor=dg.in_process_executor,
        )
        with dg.DagsterInstance.ephemeral() as instance, self.display.live:
            result = definitions.resolve_job_def("job").execute_in_process(
                instance=instance, run_config={"loggers": {"progress": {}}}, raise_on_error=False
            )
        return result.success


@pytest.fixture
def drawn() -> Iterator[Callable[[int], Drawn]]:
    tokens = []

    def drawn(assets: int) -> Drawn:
        made = Drawn(assets)
        tokens.append(DISPLAY.set(made.display))
        return made

    yield drawn
    for token in reversed(tokens):
        DISPLAY.reset(token)


def test_what_runs_stands_with_the_bar_below_what_is_done_and_said(drawn):
    seen = drawn(2)
    frames = []

    @dg.asset
    def table(context: dg.AssetExecutionContext):
        frames.append(seen.rows_now())
        context.log.info("not for people")
        return dg.MaterializeResult(metadata={"rows": 1200})

    @dg.asset(deps=[table])
    def scores(context: dg.AssetExecutionContext):
        context.log.info(f"{PROGRESS_SIGN} 10 of 20 texts scored")
        frames.append(seen.rows_now())
        return dg.MaterializeResult(metadata={"new_texts": 20})

    assert seen.run(table, scores)
    (first, first_bar), (done, said, second, second_bar) = frames
    assert re.fullmatch(r"\S table N s", first)
    assert re.fullmatch(r"━+ +0 of 2 assets 0:00:\d\d", first_bar)
    assert (done, said) == ("✓ table N s 1,200 rows", "  … 10 of 20 texts scored")
    assert re.fullmatch(r"\S scores N s", second)
    assert re.fullmatch(r"━+[╸╺]?━+ +1 of 2 assets 0:00:\d\d", second_bar)
    assert seen.rows() == ["✓ table N s 1,200 rows", "  … 10 of 20 texts scored", "✓ scores N s 20 new texts"]
    assert cursor_is_shown(seen.terminal.getvalue())


def test_trouble_is_marked_and_fits_the_terminal(drawn):
    seen = drawn(3)

    @dg.asset
    def table(context: dg.AssetExecutionContext):
        context.log.warning("le-pen: " + "a long answer " * 12 + "x" * 100)
        return dg.MaterializeResult(metadata=dict.fromkeys(("received", "rows", "kept", "repeats"), 123456789))

    @dg.asset_check(asset=table)
    def complete():
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="Not macron.")

    @dg.asset(deps=[table])
    def page():
        raise ConnectionError("the broker\nis gone")

    @dg.asset(deps=[page])
    def downstream():
        return dg.MaterializeResult(metadata={"rows": 1})

    assert not seen.run(table, page, downstream, checks=(complete,))
    rows = seen.rows()
    assert max(map(len, screen(seen.terminal.getvalue()))) <= WIDTH
    assert rows[0].startswith("  ! le-pen: a long answer")
    said = "".join("".join(row.split()) for row in rows)
    assert "alonganswer" * 12 + "x" * 100 in said
    assert "123,456,789received,123,456,789rows,123,456,789kept,123,456,789repeats" in said
    assert "!checkcompleteoftablefailed(doesnotstoptherun):Notmacron." in said
    failed = rows.index("✗ page N s FAILED")
    assert rows[failed + 1] == "  ! ConnectionError: the broker is gone"
    assert not [row for row in rows if "downstream" in row]


def test_a_message_cannot_steer_the_terminal(drawn):
    seen = drawn(1)

    @dg.asset
    def raw(context: dg.AssetExecutionContext):
        context.log.warning("a\x1b]0;title\x07 b\x1b[2J [red]c[/red] :smile: \x9b5A")

    assert seen.run(raw)
    assert seen.rows()[0] == "  ! a�]0;title� b�[2J [red]c[/red] :smile: �5A"


def test_a_retry_is_told_and_the_asset_runs_again(drawn):
    seen = drawn(1)
    frames = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=1, delay=0))
    def raw():
        frames.append(seen.rows_now())
        if len(frames) == 1:
            raise ConnectionError("refused")
        return dg.MaterializeResult(metadata={"received": 3})

    assert seen.run(raw)
    told = "  … raw failed and is tried again: ConnectionError: refused"
    assert [frame[:-2] for frame in frames] == [[], [told]]
    assert all(re.fullmatch(r"\S raw N s", frame[-2]) for frame in frames)
    assert seen.rows() == [told, "✓ raw N s 3 received"]


@pytest.mark.parametrize("policy", [None, dg.RetryPolicy(max_retries=3, delay=0)])
def test_ctrl_c_ends_the_run_and_nothing_is_tried_again(drawn, policy):
    seen = drawn(2)
    attempts = []

    @dg.asset(retry_policy=policy)
    def raw():
        attempts.append(1)
        raise KeyboardInterrupt

    @dg.asset(deps=[raw])
    def after():
        attempts.append(1)

    assert not seen.run(raw, after)
    assert len(attempts) == 1
    assert seen.rows() == ["■ raw N s stopped"]
    assert seen.display.stopped
    assert cursor_is_shown(seen.terminal.getvalue())


class Stream(io.StringIO):
    def __init__(self, terminal: bool, encoding: str) -> None:
        super().__init__()
        self._terminal, self._encoding = terminal, encoding

    @property
    def encoding(self) -> str:
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "encoding", "env", "live"),
    [
        (True, "utf-8", {"TERM": "xterm-256color"}, True),
        (True, "UTF-8", {"TERM": "linux", "NO_COLOR": "", "CI": "false"}, True),
        (False, "utf-8", {"TERM": "xterm", "FORCE_COLOR": "1"}, False),
        (True, "utf-8", {"TERM": "dumb"}, False),
        (True, "utf-8", {}, False),
        (True, "utf-8", {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, "utf-8", {"TERM": "xterm", "CI": "true"}, False),
        (True, "ascii", {"TERM": "xterm"}, False),
    ],
)
def test_the_display_is_live_on_a_terminal_that_can_draw_it(terminal, encoding, env, live):
    assert is_live(Stream(terminal, encoding), env) is live
