"""Official results: the ministry's layouts in, one long table by department out, and the checks on that table.

The ministry publishes a presidential election by polling station, commune, canton and department, always as one row
an area with the totals first and then a block of columns a candidate. The header names that block once or once a
candidate. Columns are therefore found by name, and the number of candidates by the length of the rows.
"""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from election_assets.election import fold
from election_assets.schemas import RESULTS_2017

if TYPE_CHECKING:
    import pandas as pd

Source = str | Path | bytes
Row = tuple[int, list[str]]

MAX_BYTES = 200_000_000
CONNECT_SECONDS, READ_SECONDS, FETCH_SECONDS = 10, 60, 300
HEADER_WITHIN_ROWS = 20
SUFFIXES = (".csv", ".txt", ".xls", ".xlsx")
KEY = ["round", "department", "candidate"]
COUNTS = ["registered", "abstentions", "voters", "blank", "null_votes", "cast"]
MINISTRY_COLUMNS = {
    "department": "Code du département",
    "registered": "Inscrits",
    "abstentions": "Abstentions",
    "voters": "Votants",
    "blank": "Blancs",
    "null_votes": "Nuls",
    "cast": "Exprimés",
}
NAME, VOTES = "Nom", "Voix"
CANDIDATE_COLUMNS = ("N°Panneau", "Sexe", NAME, "Prénom", "Nuance", VOTES)
EXPECTED = f"{', '.join(MINISTRY_COLUMNS.values())}, then {NAME} and {VOTES} for each candidate, separated by ';'"
OLE2_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_MAGIC = b"PK\x03\x04"


class ResultsFormatError(ValueError):
    """The content of a results file is not in a layout of the ministry's; the message says where and why."""


class ResultsSourceError(OSError):
    """A results file cannot be had: no such path, no answer, or more bytes than the bound."""


def load_results(source: Source | Sequence[Source], *, round_number: int | None = None) -> pd.DataFrame:
    """Read official results and add them up by department.

    Inconsistent totals are no error here: `check_results` names them.

    Args:
        source: A path, an http(s) address, the bytes of a file, a folder of files (.csv, .txt, .xls), or a list of
            these. CSV and TXT are `;`-separated, UTF-8 or latin-1; a workbook is a real .xls.
        round_number: 1 or 2. Without it, two candidates are round 2 and more are round 1.

    Returns:
        One row a (round, department, candidate), with the columns of `schemas.RESULTS_2017`, sorted by these three.
        Counts are persons or ballots. `department` is INSEE's code (`977-978` for the ministry's ZX, `ZZ` for voters
        abroad), `department_name` INSEE's name, `candidate` the family name as the ministry prints it.

    Raises:
        ResultsFormatError: An unknown header, a row of a wrong length, a count that is no number, an unknown
            department, a file of another kind, or one round told twice.
        ResultsSourceError: A file or address that cannot be read.
    """
    import pandas as pd

    if round_number not in (None, 1, 2):
        raise ValueError(f"round_number is {round_number!r}; it must be 1 or 2, or None to tell by the candidates.")
    rounds: dict[int, _Tally] = {}
    for one in [source] if isinstance(source, str | Path | bytes) else source:
        for label, content in _contents(one):
            for tally in _tallies(label, content):
                number = round_number or (2 if len(tally.candidates) == 2 else 1)
                if number in rounds:
                    raise ResultsFormatError(
                        f"{rounds[number].label} and {tally.label} both hold round {number}; give each round once."
                    )
                rounds[number] = tally
    records = [record for number, tally in sorted(rounds.items()) for record in _records(number, tally)]
    frame = pd.DataFrame(records, columns=list(RESULTS_2017.names))
    return _typed(frame).sort_values(KEY, ignore_index=True)


def bundled_results() -> pd.DataFrame:
    """The 2017 results that come with the project, both rounds, in the layout of `load_results`."""
    import pandas as pd

    frame = pd.read_csv(io.StringIO(_reference("results_2017.csv")), dtype=str, keep_default_na=False)
    return _typed(frame)


def check_election(frame: pd.DataFrame) -> None:
    """Refuses the results of another election than that of 2017.

    Args:
        frame: What `load_results` gives, of one round or both.

    Raises:
        ResultsFormatError: If a round does not have the candidates of 2017.
    """
    of_2017 = bundled_results()
    for number in sorted(set(frame["round"])):
        found, expected = (sorted(set(each[each["round"] == number]["candidate"])) for each in (frame, of_2017))
        if found != expected:
            raise ResultsFormatError(
                f"Round {number} has the candidates {', '.join(found)} and not those of the election of 2017"
                f" ({', '.join(expected)}): the file is of another election, or not whole."
            )


POPULATION_YEAR = 2023
"""Of the populations in departments.csv: the municipal ones that INSEE published last when the file was made."""


def bundled_departments() -> pd.DataFrame:
    """The 107 areas that vote.

    Returns:
        `department`, `department_name`, `region` (empty outside the 18 regions), `population` (nullable; absent for
        voters abroad), `ministry_code`, `shape_id` and `kind`, all strings but for the population.
    """
    import pandas as pd

    frame = pd.read_csv(io.StringIO(_reference("departments.csv")), dtype=str, keep_default_na=False)
    return frame.assign(population=pd.to_numeric(frame["population"]).astype("Int64"))


def bundled_shapes() -> dict:
    """The GeoJSON shapes of the 107 areas, each with properties `code` (INSEE's) and `name`."""
    import json

    return json.loads(_reference("departments.geojson"))


def check_results(frame: pd.DataFrame) -> list[str]:
    """What is wrong with a results table, in plain sentences.

    Args:
        frame: Results as `load_results` gives them.

    Returns:
        One sentence a problem: missing columns, rounds or departments, repeated rows, candidates that differ, counts
        that are missing or negative, and totals that do not add up. An empty list where all is well.
    """
    missing = [name for name in RESULTS_2017.names if name not in frame.columns]
    if missing:
        return [f"The results lack the column(s) {', '.join(missing)}."]
    problems = []
    empty = [name for name in RESULTS_2017.names if frame[name].isna().any()]
    if empty:
        problems.append(f"Values are missing in the column(s) {', '.join(empty)}.")
    for row in frame[frame.duplicated(KEY)].itertuples():
        problems.append(f"{_area(row)}: {row.candidate} stands there more than once.")
    negative = frame[(frame[[*COUNTS, "votes"]] < 0).any(axis=1)]
    problems += [f"{_area(row)}, {row.candidate}: a count is negative." for row in negative.itertuples()]
    for number in (1, 2):
        rows = frame[frame["round"] == number]
        problems += _coverage_problems(number, rows) if len(rows) else [f"Round {number} is missing."]
    other = sorted(set(frame["round"]) - {1, 2})
    if other:
        problems.append(f"There are rounds other than 1 and 2: {', '.join(map(str, other))}.")
    for _, area in frame.groupby(["round", "department"], sort=True):
        problems += _total_problems(area)
    return problems


def check_shapes(results: pd.DataFrame, geojson: Mapping) -> list[str]:
    """Departments without a shape and shapes without results.

    Args:
        results: Anything with a column `department`.
        geojson: A FeatureCollection whose features have the property `code`.

    Returns:
        One sentence a problem; an empty list where both sides hold the same departments.
    """
    codes = Counter(feature["properties"]["code"] for feature in geojson["features"])
    departments = set(results["department"])
    problems = [f"Department {code} has results but no shape." for code in sorted(departments - set(codes))]
    problems += [f"The shape of {code} has no results." for code in sorted(set(codes) - departments)]
    return problems + [f"{code} has {count} shapes." for code, count in sorted(codes.items()) if count > 1]


@dataclass
class _Layout:
    """Where a header puts things, as positions in a row."""

    header: list[str]
    fixed: dict[str, int]
    start: int
    width: int
    name: int
    votes: int


@dataclass
class _Tally:
    """The sums of one file (or sheet), which is one round."""

    label: str
    candidates: frozenset[str]
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    votes: dict[str, Counter[str]] = field(default_factory=dict)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({"round": "int32", **dict.fromkeys([*COUNTS, "votes"], "int64")})


def _reference(name: str) -> str:
    return resources.files("election_assets.reference").joinpath(name).read_text(encoding="utf-8")


@cache
def _department_rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_reference("departments.csv"))))


@cache
def _names() -> dict[str, str]:
    return {row["department"]: row["department_name"] for row in _department_rows()}


@cache
def _codes() -> dict[str, str]:
    """INSEE's code by every code a file may write; 977 and 978 vote as one in the ministry's results."""
    rows = _department_rows()
    codes = {row["department"]: row["department"] for row in rows}
    codes |= {row["ministry_code"]: row["department"] for row in rows}
    return codes | {"977": "977-978", "978": "977-978"}


def _contents(source: Source) -> Iterator[tuple[str, bytes]]:
    """Every file of a source, as (label for messages, bytes)."""
    if isinstance(source, bytes):
        yield "the given bytes", _bounded("the given bytes", source)
    elif isinstance(source, str) and source.lower().startswith(("http://", "https://")):
        yield _download(source)
    else:
        path = Path(source)
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
            if not files:
                raise ResultsSourceError(f"{path}: the folder holds no results file ({', '.join(SUFFIXES[:3])}).")
        else:
            files = [path]
        for file in files:
            try:
                if file.stat().st_size > MAX_BYTES:
                    raise _too_large(str(file))
                yield str(file), file.read_bytes()
            except ResultsSourceError:
                raise
            except OSError as error:
                raise ResultsSourceError(f"{file}: cannot be read ({error.strerror}).") from error


def _download(url: str) -> tuple[str, bytes]:
    import requests

    # User, password and query may hold a key, so messages show none of them.
    parts = urlsplit(url)
    label = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    content = bytearray()
    deadline = time.monotonic() + FETCH_SECONDS
    try:
        with requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response:
            if response.status_code != 200:
                raise ResultsSourceError(f"{label}: the server answered {response.status_code}, not a file.")
            for chunk in response.iter_content(1 << 16):
                content += chunk
                if len(content) > MAX_BYTES:
                    raise _too_large(label)
                if time.monotonic() > deadline:
                    raise ResultsSourceError(f"{label}: not fetched within {FETCH_SECONDS} seconds.")
    except requests.RequestException as error:
        raise ResultsSourceError(f"{label}: cannot be fetched ({type(error).__name__}).") from error
    return label, bytes(content)


def _bounded(label: str, content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise _too_large(label)
    return content


def _too_large(label: str) -> ResultsSourceError:
    return ResultsSourceError(f"{label}: more than {MAX_BYTES // 1_000_000} MB, so it is no results file.")


def _tallies(label: str, content: bytes) -> Iterator[_Tally]:
    if content.startswith(ZIP_MAGIC):
        raise ResultsFormatError(
            f"{label}: is an .xlsx workbook or another zip archive, which is not read; save it as CSV or .xls."
        )
    if content.startswith(OLE2_MAGIC):
        yield from _workbook_tallies(label, content)
    else:
        rows = _text_rows(label, content)
        layout = _find_layout(label, rows)
        yield _tally(label, layout, rows)


def _text_rows(label: str, content: bytes) -> Iterator[Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise ResultsFormatError(f"{label}, line {reader.line_num}: cannot be read as CSV ({error}).") from error


def _workbook_tallies(label: str, content: bytes) -> Iterator[_Tally]:
    """The results of a workbook: the first sheet of each round that holds results by area."""
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO())
    # On a damaged file xlrd raises whatever its parsing stumbles over.
    except Exception as error:
        raise ResultsFormatError(f"{label}: cannot be read as an .xls workbook ({error}).") from error
    seen: dict[bool, _Tally] = {}
    problem = None
    for sheet in book.sheets():
        where = f"{label}, sheet {sheet.name!r}"
        rows = ((number + 1, [_cell_text(cell) for cell in sheet.row_values(number)]) for number in range(sheet.nrows))
        try:
            layout = _find_layout(where, rows)
        except ResultsFormatError as error:
            problem = problem or error
            continue
        tally = _tally(where, layout, rows)
        second = len(tally.candidates) == 2
        earlier = seen.setdefault(second, tally)
        if earlier is tally:
            yield tally
        elif (earlier.counts, earlier.votes) != (tally.counts, tally.votes):
            raise ResultsFormatError(f"{earlier.label} and {where} hold one round with different sums; keep one.")
    if not seen:
        raise problem or ResultsFormatError(f"{label}: the workbook has no sheet.")


def _cell_text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _find_layout(label: str, rows: Iterator[Row]) -> _Layout:
    """Read `rows` up to the header; the ministry's workbooks have three lines above it."""
    best: list[str] = []
    best_missing: list[str] | None = None
    for _, (_, cells) in zip(range(HEADER_WITHIN_ROWS), rows, strict=False):
        layout, missing = _layout(cells)
        if layout:
            return layout
        if any(cells) and (best_missing is None or len(missing) < len(best_missing)):
            best, best_missing = cells, missing
    if best_missing is None:
        raise ResultsFormatError(f"{label}: the file is empty; expected were the columns {EXPECTED}.")
    found = ", ".join(repr(cell.strip()[:40]) for cell in best[:30] if cell.strip())
    raise ResultsFormatError(
        f"{label}: unknown header; expected were the columns {EXPECTED}; "
        f"found was {found}; missing: {', '.join(best_missing)}."
    )


def _layout(cells: list[str]) -> tuple[_Layout | None, list[str]]:
    """The layout that a header row describes, and the expected columns that it lacks."""
    names = [fold(cell) for cell in cells]
    expected = {**MINISTRY_COLUMNS, "name": NAME, "votes": VOTES}
    missing = [name for name in expected.values() if fold(name) not in names]
    if missing:
        return None, missing
    fixed = {column: names.index(fold(name)) for column, name in MINISTRY_COLUMNS.items()}
    of_candidate = {fold(name) for name in CANDIDATE_COLUMNS}
    start = next((i for i in range(max(fixed.values()) + 1, len(names)) if names[i] in of_candidate), len(names))
    block: list[str] = []
    for name in names[start:]:
        if not name or name in block:
            break
        block.append(name)
    missing = [name for name in (NAME, VOTES) if fold(name) not in block]
    if missing:
        return None, [f"{name} after the totals" for name in missing]
    return _Layout(cells, fixed, start, len(block), block.index(fold(NAME)), block.index(fold(VOTES))), []


def _tally(label: str, layout: _Layout, rows: Iterable[Row]) -> _Tally:
    tally: _Tally | None = None
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{label}, line {line}"
        blocks = _blocks(where, layout, cells)
        department = _department(where, cells[layout.fixed["department"]])
        votes: dict[str, int] = {}
        for first in blocks:
            name = " ".join(cells[first + layout.name].split())
            if not name or name in votes:
                raise ResultsFormatError(f"{where}: the candidate {name!r} is nameless or stands there twice.")
            votes[name] = _count(where, f"{VOTES} of {name}", cells[first + layout.votes])
        if tally is None:
            tally = _Tally(label, frozenset(votes))
        if votes.keys() != tally.candidates:
            differing = ", ".join(sorted(votes.keys() ^ tally.candidates))
            raise ResultsFormatError(
                f"{where}: {len(votes)} candidates, not the {len(tally.candidates)} of the rows above ({differing})."
            )
        counts = {name: _count(where, MINISTRY_COLUMNS[name], cells[layout.fixed[name]]) for name in COUNTS}
        tally.counts.setdefault(department, Counter()).update(counts)
        tally.votes.setdefault(department, Counter()).update(votes)
    if tally is None:
        raise ResultsFormatError(f"{label}: there is a header but no row of results.")
    return tally


def _blocks(where: str, layout: _Layout, cells: list[str]) -> range:
    """The first position of each candidate's columns; empty cells at the end of a row belong to none."""
    end = len(cells)
    while end > layout.start and not any(cell.strip() for cell in cells[end - layout.width : end]):
        end -= layout.width
    if (end - layout.start) % layout.width and end > layout.start and not cells[end - 1].strip():
        end -= 1
    candidates, rest = divmod(end - layout.start, layout.width)
    if rest or candidates < 1:
        raise ResultsFormatError(
            f"{where}: {len(cells)} fields fit no whole number of candidates "
            f"({layout.start} fields, then {layout.width} for each candidate)."
        )
    return range(layout.start, end, layout.width)


def _department(where: str, text: str) -> str:
    code = text.strip().upper()
    code = _codes().get(code.zfill(2) if code.isdigit() else code, "")
    if not code:
        raise ResultsFormatError(
            f"{where}: unknown department code {text!r} in the column {MINISTRY_COLUMNS['department']!r}."
        )
    return code


def _count(where: str, column: str, text: str) -> int:
    # Thousands may be set apart by any kind of space.
    digits = text if text.isdigit() else "".join(text.split())
    if not (digits.isascii() and digits.isdigit()):
        raise ResultsFormatError(f"{where}: {text!r} in the column {column!r} is no count.")
    return int(digits)


def _records(number: int, tally: _Tally) -> Iterator[dict[str, object]]:
    for department, counts in tally.counts.items():
        for candidate, votes in tally.votes[department].items():
            yield {
                "round": number,
                "department": department,
                "department_name": _names()[department],
                **counts,
                "candidate": candidate,
                "votes": votes,
            }


def _area(row: Any) -> str:
    return f"Round {row.round}, {row.department} {row.department_name}"


def _coverage_problems(number: int, rows: pd.DataFrame) -> list[str]:
    problems = []
    found = set(rows["department"])
    missing, unknown = sorted(_names().keys() - found), sorted(found - _names().keys())
    if missing:
        problems.append(f"Round {number} has no results for {len(missing)} department(s): {', '.join(missing)}.")
    if unknown:
        problems.append(f"Round {number} has unknown department(s): {', '.join(unknown)}.")
    candidates = set(rows["candidate"])
    if number == 2 and len(candidates) != 2:
        problems.append(f"Round 2 has {len(candidates)} candidates, not 2.")
    for (code, name), area in rows.groupby(["department", "department_name"], sort=True):
        lacking = sorted(candidates - set(area["candidate"]))
        if lacking:
            problems.append(f"Round {number}, {code} {name}: no votes are given for {', '.join(lacking)}.")
    return problems


def _total_problems(area: pd.DataFrame) -> list[str]:
    """Totals of one department and round that differ between its rows or do not add up."""
    if (area[COUNTS].nunique() > 1).any():
        return [f"{_area(next(area.itertuples()))}: the totals differ from one candidate's row to another's."]
    row: Any = next(area.itertuples())
    sums = [
        ("registered", row.registered, "abstentions + voters", row.abstentions + row.voters),
        ("voters", row.voters, "blank + null_votes + cast", row.blank + row.null_votes + row.cast),
        ("cast", row.cast, "the sum of votes", area["votes"].sum()),
    ]
    return [
        f"{_area(row)}: {name} is {total}, but {parts} is {together}."
        for name, total, parts, together in sums
        if total != together
    ]
