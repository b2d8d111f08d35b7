"""The loader of official results, held to the nation's totals, to every layout and to every error."""

import http.server
import threading
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from election_assets.schemas import RESULTS_2017
from election_assets.transforms import results
from election_assets.transforms.results import (
    COUNTS,
    ResultsFormatError,
    ResultsSourceError,
    bundled_departments,
    bundled_results,
    bundled_shapes,
    check_election,
    check_results,
    check_shapes,
    load_results,
)

OFFICIAL = Path(__file__).parents[3].parent / "shared" / "data" / "results"
WORKBOOK = Path(__file__).parent / "data" / "ministry.xls"
needs_official = pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the ministry's files are not beside the checkout")

STATION = (
    "Code du département;Libellé du département;Code de la circonscription;Libellé de la circonscription;"
    "Code de la commune;Libellé de la commune;Code du b.vote;"
)
DEPARTMENT = "Code du département;Libellé du département;"
TOTALS = (
    "Inscrits;Abstentions;% Abs/Ins;Votants;% Vot/Ins;Blancs;% Blancs/Ins;% Blancs/Vot;"
    "Nuls;% Nuls/Ins;% Nuls/Vot;Exprimés;% Exp/Ins;% Exp/Vot"
)
BLOCK = "N°Panneau;Sexe;Nom;Prénom;Voix;% Voix/Ins;% Voix/Exp"
NAMES_2017 = [
    *("DUPONT-AIGNAN", "LE PEN", "MACRON", "HAMON", "ARTHAUD", "POUTOU"),
    *("CHEMINADE", "LASSALLE", "MÉLENCHON", "ASSELINEAU", "FILLON"),
]


def totals(votes, blank=3, null=2, abstentions=10):
    cast = sum(votes.values())
    voters = cast + blank + null
    counts = {"registered": voters + abstentions, "abstentions": abstentions, "voters": voters}
    return counts | {"blank": blank, "null_votes": null, "cast": cast}


def row(places, counts, votes):
    fields = [*places, counts["registered"], counts["abstentions"], "11,5", counts["voters"], "88,5"]
    fields += [counts["blank"], "1,0", "1,1", counts["null_votes"], "0,5", "0,6", counts["cast"], "87,0", "98,3"]
    for number, (name, ballots) in enumerate(votes.items(), 1):
        fields += [number, "F", name, "Ada", ballots, "1,23", "4,56"]
    return ";".join(map(str, fields))


def department_file(areas, candidates_in_header=1):
    header = DEPARTMENT + TOTALS + f";{BLOCK}" * candidates_in_header
    rows = [row([code, "Nom"], totals(votes), votes) for code, votes in areas.items()]
    return "\r\n".join([header, *rows, ""])


def complete_frame():
    """A results table of both rounds that has nothing wrong with it."""
    return bundled_results()


@pytest.mark.parametrize(
    ("number", "expected", "votes"),
    [
        (
            1,
            {
                **{"registered": 47_582_183, "abstentions": 10_578_455, "voters": 37_003_728},
                **{"blank": 659_997, "null_votes": 289_337, "cast": 36_054_394},
            },
            {"MACRON": 8_656_346, "LE PEN": 7_678_491, "FILLON": 7_212_995, "MÉLENCHON": 7_059_951},
        ),
        (
            2,
            {"registered": 47_568_693, "voters": 35_467_327, "cast": 31_381_603},
            {"MACRON": 20_743_128, "LE PEN": 10_638_475},
        ),
    ],
)
def test_bundled_table_has_the_nation_s_totals_to_the_unit(number, expected, votes):
    rows = bundled_results().query("round == @number")
    nation = rows.drop_duplicates("department")[COUNTS].sum()
    assert {name: nation[name] for name in expected} == expected
    by_candidate = rows.groupby("candidate")["votes"].sum()
    assert {name: by_candidate[name] for name in votes} == votes


def test_bundled_table_is_whole_and_fits_the_shapes():
    frame = bundled_results()
    assert list(frame.columns) == list(RESULTS_2017.names)
    assert frame.groupby("round")["department"].nunique().to_dict() == {1: 107, 2: 107}
    assert frame.groupby("round")["candidate"].nunique().to_dict() == {1: 11, 2: 2}
    assert check_results(frame) == []
    assert check_shapes(frame, bundled_shapes()) == []


def test_bundled_departments_know_their_population_but_for_voters_abroad():
    frame = bundled_departments()
    assert len(frame) == 107
    assert frame[frame["population"].isna()]["department"].tolist() == ["ZZ"]
    assert frame["population"].sum() > 67_000_000
    assert frame["kind"].value_counts().to_dict() == {
        **{"metropolitan": 96, "overseas department": 5},
        **{"collectivity": 5, "abroad": 1},
    }


def test_shapes_turn_the_way_that_d3_geo_fills_inside_and_squares_touch_nothing():
    boxes = {}
    for feature in bundled_shapes()["features"]:
        geometry = feature["geometry"]
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        for polygon in polygons:
            for number, ring in enumerate(polygon):
                assert ring[0] == ring[-1]
                assert len(ring) >= 4
                area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
                assert (area < 0) == (number == 0), feature["id"]
        points = [point for polygon in polygons for point in polygon[0]]
        lons, lats = zip(*points, strict=True)
        boxes[feature["id"]] = (min(lons), min(lats), max(lons), max(lats))
    squares = ["975", "977-978", "986", "987", "988", "ZZ"]
    for square in squares:
        west, south, east, north = boxes[square]
        for code, (other_west, other_south, other_east, other_north) in boxes.items():
            apart = east < other_west or other_east < west or north < other_south or other_north < south
            assert apart or code == square, (square, code)


@needs_official
@pytest.mark.parametrize("number", [1, 2])
def test_official_files_by_department_are_what_is_bundled(number):
    loaded = load_results(OFFICIAL / f"PR17_T{number}_departements.csv")
    expected = bundled_results().query("round == @number").reset_index(drop=True)
    pd.testing.assert_frame_equal(loaded, expected)


@needs_official
def test_cantons_add_up_to_departments():
    cantons = load_results(OFFICIAL / "PR17_T1_cantons.csv")
    pd.testing.assert_frame_equal(cantons, load_results(OFFICIAL / "PR17_T1_departements.csv"))


@needs_official
def test_the_2022_layout_with_one_block_named_and_decimal_points():
    votes = load_results(OFFICIAL / "PR22_T1_departements.csv").groupby("candidate")["votes"].sum()
    assert (votes["MACRON"], votes["LE PEN"], votes["MÉLENCHON"]) == (9_783_058, 8_133_828, 7_712_520)
    assert len(votes) == 12


def test_polling_stations_in_latin_1_under_a_header_of_28_names(tmp_path):
    lines = [STATION + TOTALS + ";" + BLOCK]
    for code in ("1", "01", "2a", "ZX"):
        for station in range(1, 4):
            votes = {name: 10 * station + number for number, name in enumerate(NAMES_2017)}
            places = [code, "Libellé", "4", "4ème circonscription", "001", "L'Abergement-Clémenciat", f"{station:04}"]
            lines.append(row(places, totals(votes), votes))
    assert len(lines[0].split(";")) == 28
    assert {len(line.split(";")) for line in lines[1:]} == {98}
    path = tmp_path / "PR17_BVot_T1_FE.txt"
    path.write_bytes("\r\n".join(lines).encode("latin-1"))

    frame = load_results(path)

    assert set(frame["round"]) == {1}
    votes = frame.set_index(["department", "candidate"])["votes"]
    assert votes["01", "DUPONT-AIGNAN"] == 120
    assert votes["2A", "MÉLENCHON"] == 84
    assert votes["977-978", "FILLON"] == 90
    assert frame.drop_duplicates("department").set_index("department")["null_votes"].to_dict() == {
        **{"01": 12, "2A": 6, "977-978": 6}
    }


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *[("1", "01"), ("01", "01"), (" 75 ", "75"), ("2A", "2A"), ("2b", "2B"), ("ZA", "971"), ("971", "971")],
        *[("ZM", "976"), ("ZN", "988"), ("zp", "987"), ("ZS", "975"), ("ZW", "986"), ("ZX", "977-978")],
        *[("977", "977-978"), ("978", "977-978"), ("ZZ", "ZZ")],
    ],
)
def test_codes_padded_or_not_the_ministry_s_or_insee_s(written, code):
    frame = load_results(department_file({written: {"A": 1, "B": 2, "C": 3}}).encode())
    assert set(frame["department"]) == {code}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("blocks_in_header", [1, 2])
def test_two_candidates_are_the_second_round(encoding, blocks_in_header):
    text = department_file({"1": {"BÊTA": 5, "LE PEN": 7}}, blocks_in_header)
    frame = load_results(text.encode(encoding))
    assert frame[["round", "candidate", "votes"]].values.tolist() == [[2, "BÊTA", 5], [2, "LE PEN", 7]]


def test_the_caller_s_round_wins_over_the_number_of_candidates():
    content = department_file({"1": {"A": 5, "B": 7}}).encode()
    assert set(load_results(content, round_number=1)["round"]) == {1}
    with pytest.raises(ValueError, match="must be 1 or 2"):
        load_results(content, round_number=3)


def test_a_folder_or_a_list_gives_both_rounds(tmp_path):
    first, second = tmp_path / "tour1.TXT", tmp_path / "tour2.csv"
    first.write_text(department_file({"1": {"A": 5, "B": 7, "C": 1}}), encoding="utf-8")
    second.write_text(department_file({"1": {"A": 6, "B": 7}}), encoding="utf-8")
    (tmp_path / "README.md").write_text("Not a results file.", encoding="utf-8")
    from_folder = load_results(tmp_path)
    assert from_folder["round"].tolist() == [1, 1, 1, 2, 2]
    pd.testing.assert_frame_equal(from_folder, load_results([second, str(first)]))
    with pytest.raises(ResultsFormatError, match=r"tour1\.TXT and .*tour1\.TXT both hold round 1"):
        load_results([first, first])


def test_the_ministry_s_workbook_with_three_lines_above_the_header():
    frame = load_results(WORKBOOK)
    assert frame.groupby("round").size().to_dict() == {1: 12, 2: 8}
    assert set(frame["department"]) == {"01", "2A", "977-978", "ZZ"}
    corsica = frame.query("round == 1 and department == '2A'")
    assert corsica.set_index("candidate")["votes"].to_dict() == {"ALPHA": 400, "BÊTA": 300, "D'ÉPSILON": 100}
    assert corsica["registered"].tolist() == [1000] * 3
    assert not [problem for problem in check_results(frame) if "but" in problem]


def test_columns_are_found_by_name_not_by_position():
    header = "Exprimés;Nuls;Blancs;Votants;Abstentions;Inscrits;Libellé;Code du département;Voix;Nom;Nuance"
    content = f"{header}\n10;1;2;13;7;20;Ain;1;6;A;X;4;B;X\n".encode()
    frame = load_results(content)
    assert frame.loc[0, COUNTS].tolist() == [20, 7, 13, 2, 1, 10]
    assert frame["votes"].tolist() == [6, 4]


def test_blank_lines_empty_end_fields_and_spaces_between_thousands_are_harmless():
    lines = department_file({"1": {"A": 1111, "B": 2, "C": 3}}).split("\r\n")
    lines[1] = lines[1].replace(";1111;", ";1\u202f111;") + ";" * 7
    frame = load_results("\r\n".join([lines[0], "", lines[1], ";;;"]).encode())
    assert frame["votes"].tolist() == [1111, 2, 3]


codes = st.sampled_from(sorted(bundled_departments()["department"]))
names = (
    st.text(st.sampled_from("ABCÉÈÇLMN-' ZÿŒ"), min_size=1, max_size=12).map(lambda s: " ".join(s.split())).filter(bool)
)
numbers = st.integers(0, 3_000_000)


@st.composite
def tables(draw):
    candidates = draw(st.lists(names, min_size=2, max_size=13, unique=True))
    areas = draw(st.lists(codes, min_size=1, max_size=5, unique=True))
    records = []
    for code in areas:
        votes = {name: draw(numbers) for name in candidates}
        records.append((code, totals(votes, draw(numbers), draw(numbers), draw(numbers)), votes))
    return records


@settings(max_examples=60, deadline=None)
@given(
    tables(),
    st.sampled_from(["utf-8", "utf-8-sig"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_written_in_the_ministry_s_layout_reads_back_equal(table, encoding, padded, repeated, newline):
    ministry = bundled_departments().set_index("department")["ministry_code"]
    header = DEPARTMENT + TOTALS + f";{BLOCK}" * (len(table[0][2]) if repeated else 1)
    lines = [header]
    for code, counts, votes in table:
        written = ministry[code] if padded else ministry[code].lstrip("0")
        lines.append(row([written, "Libellé"], counts, votes))
    frame = load_results(newline.join(lines).encode(encoding))
    read = {
        code: ({name: int(area[name].iloc[0]) for name in COUNTS}, dict(zip(area.candidate, area.votes, strict=True)))
        for code, area in frame.groupby("department")
    }
    assert read == {code: (counts, votes) for code, counts, votes in table}
    assert set(frame["round"]) == {2 if len(table[0][2]) == 2 else 1}
    assert not [problem for problem in check_results(frame) if ", but " in problem]


GOOD = department_file({"1": {"A": 10, "B": 20, "C": 30}, "2": {"A": 11, "B": 21, "C": 31}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("Inscrits", "Electeurs"), r"unknown header; expected were the columns Code du département, .*"),
        (GOOD.replace("Inscrits", "Electeurs"), r"found was 'Code du département', .*'Electeurs'.*missing: Inscrits\."),
        (GOOD.replace(";", ","), r"unknown header; .*missing: Code du département, "),
        (GOOD.replace("Voix;", "Suffrages;"), r"missing: Voix"),
        ("<html><body>Page introuvable</body></html>", r"unknown header; .*found was '<html>"),
        ("", r"the file is empty; expected were the columns Code du département, Inscrits"),
        (GOOD.split("\r\n")[0], r"a header but no row"),
        (GOOD.replace(";31;1,23;4,56", ";31;1,23"), r"line 3: 36 fields fit no whole number of candidates \(16 fields"),
        (GOOD.replace(";3;F;C;Ada;31;1,23;4,56", ""), r"line 3: 2 candidates, not the 3 of the rows above \(C\)"),
        (GOOD.replace(";Ada;21;", ";Ada;vingt;"), r"line 3: 'vingt' in the column 'Voix of B' is no count"),
        (GOOD.replace(";Ada;21;", ";Ada;-21;"), r"line 3: '-21' in the column 'Voix of B' is no count"),
        (GOOD.replace("2;Nom;78", "2;Nom;"), r"line 3: '' in the column 'Inscrits' is no count"),
        (
            GOOD.replace("\r\n2;", "\r\n20;"),
            r"line 3: unknown department code '20' in the column 'Code du dép",
        ),
        (GOOD.replace(";B;Ada", ";A;Ada"), r"line 2: the candidate 'A' is nameless or stands there twice"),
    ],
)
def test_what_fits_no_layout_is_one_clear_error(text, message):
    with pytest.raises(ResultsFormatError, match=message) as error:
        load_results(text.encode())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest of a zip", r"is an \.xlsx workbook or another zip archive, which is not read; save it as"),
        (WORKBOOK.read_bytes()[:600], r"cannot be read as an \.xls workbook"),
        (GOOD.encode() + b'3;"' + b"x" * 200_000, r"line \d+: cannot be read as CSV"),
    ],
)
def test_other_kinds_of_file_are_named(tmp_path, content, message):
    path = tmp_path / "results.xls"
    path.write_bytes(content)
    with pytest.raises(ResultsFormatError, match=r"results\.xls.*" + message):
        load_results(path)


def test_what_cannot_be_read_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ResultsSourceError, match=r"none\.csv: cannot be read \(No such file or directory\)\.$"):
        load_results(tmp_path / "none.csv")
    with pytest.raises(ResultsSourceError, match="the folder holds no results file"):
        load_results(tmp_path)
    path = tmp_path / "large.csv"
    path.write_text(GOOD, encoding="utf-8")
    monkeypatch.setattr(results, "MAX_BYTES", 100)
    for source in (path, GOOD.encode()):
        with pytest.raises(ResultsSourceError, match="more than 0 MB, so it is no results file"):
            load_results(source)


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path.startswith("/good") else 404)
            self.end_headers()
            self.wfile.write(GOOD.encode("latin-1"))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, args=[0.01])
        thread.start()
        yield f"127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def test_an_address_is_fetched_within_bounds(server, monkeypatch):
    pd.testing.assert_frame_equal(load_results(f"http://{server}/good.csv"), load_results(GOOD.encode()))
    with pytest.raises(ResultsSourceError, match=r"/none\.csv: the server answered 404, not a file\.$") as error:
        load_results(f"http://user:secret@{server}/none.csv?key=secret")
    assert "secret" not in str(error.value)
    monkeypatch.setattr(results, "MAX_BYTES", 100)
    with pytest.raises(ResultsSourceError, match="so it is no results file"):
        load_results(f"http://{server}/good.csv")


def test_an_address_without_a_server_is_one_sentence(server):
    with pytest.raises(ResultsSourceError, match=r"cannot be fetched \(\w+\)\.$"):
        load_results("http://127.0.0.1:1/results.csv")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("registered", "Round 1, 01 Ain: registered is 415887, but abstentions + voters is 415886."),
        ("blank", "Round 1, 01 Ain: voters is 334379, but blank + null_votes + cast is 334380."),
        ("cast", "Round 1, 01 Ain: cast is 325800, but the sum of votes is 325799."),
    ],
)
def test_totals_that_do_not_add_up_are_reported_with_the_department(column, message):
    frame = complete_frame()
    frame.loc[(frame["round"] == 1) & (frame["department"] == "01"), column] += 1
    assert message in check_results(frame)


def test_inconsistent_totals_load_and_are_reported():
    content = GOOD.replace(";Ada;21;", ";Ada;22;").encode()
    problems = check_results(load_results(content))
    assert "Round 1, 02 Aisne: cast is 63, but the sum of votes is 64." in problems
    assert "Round 2 is missing." in problems


def test_every_other_problem_of_a_table_is_a_sentence():
    frame = complete_frame()
    assert check_results(frame.drop(columns=["votes"])) == ["The results lack the column(s) votes."]
    assert check_results(frame[frame["department"] != "ZZ"]) == [
        "Round 1 has no results for 1 department(s): ZZ.",
        "Round 2 has no results for 1 department(s): ZZ.",
    ]
    twice = check_results(pd.concat([frame, frame.tail(1)], ignore_index=True))
    assert "Round 2, ZZ Français établis hors de France: MACRON stands there more than once." in twice
    negative = frame.assign(votes=frame["votes"].mask(frame.index == 0, -1))
    assert "Round 1, 01 Ain, ARTHAUD: a count is negative." in check_results(negative)
    differing = frame.assign(blank=frame["blank"] + (frame.index == 0))
    assert check_results(differing) == ["Round 1, 01 Ain: the totals differ from one candidate's row to another's."]
    lacking = check_results(frame.drop(index=0))
    assert "Round 1, 01 Ain: no votes are given for ARTHAUD." in lacking
    renamed = frame.assign(department=frame["department"].replace("01", "XX"))
    assert "Round 1 has unknown department(s): XX." in check_results(renamed)
    assert "There are rounds other than 1 and 2: 3." in check_results(frame.assign(round=3))
    assert check_results(frame.assign(candidate=None))[0] == "Values are missing in the column(s) candidate."


def test_a_department_without_a_shape_and_a_shape_without_results_fail():
    frame, shapes = complete_frame(), bundled_shapes()
    square = next(feature for feature in shapes["features"] if feature["id"] == "988")
    shapes["features"].remove(square)
    assert check_shapes(frame, shapes) == ["Department 988 has results but no shape."]
    assert check_shapes(frame[frame["department"] != "01"], bundled_shapes()) == ["The shape of 01 has no results."]
    shapes["features"] += [square, square]
    assert check_shapes(frame, shapes) == ["988 has 2 shapes."]


def test_the_results_of_2017_are_of_2017() -> None:
    results = bundled_results()
    check_election(results)
    check_election(results[results["round"] == 2])


def test_the_results_of_another_election_are_refused() -> None:
    results = bundled_results()
    other = results.replace({"candidate": {"FILLON": "ZEMMOUR"}})
    with pytest.raises(ResultsFormatError, match=r"Round 1 has the candidates .*ZEMMOUR.*FILLON.*of another election"):
        check_election(other)
    with pytest.raises(ResultsFormatError, match="or not whole"):
        check_election(results[results["candidate"] != "FILLON"])
