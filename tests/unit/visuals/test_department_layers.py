"""What the map shows: every department in the class that holds its figure, and why a figure is not given."""

import math
import re
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from election_assets.transforms.aggregates import FLOOR_OF_AUTHORS
from election_assets.transforms.results import POPULATION_YEAR
from election_assets.visuals import department_layers as module
from election_assets.visuals.department_layers import (
    CANDIDATE_COLOURS,
    CHANGE,
    FLOOR_COLOUR,
    NO_DATA_COLOUR,
    NO_TWEET_COLOUR,
    TWEETS,
    Layer,
    MapData,
    department_table,
)
from tests.unit.visuals.pages import (
    FRENCH,
    NO_TONE,
    PLACED,
    make_map,
    make_overview,
    make_placed,
    results,
    shapes,
)

SPACE = "\u202f"
LITTLE = "trop peu de textes notés ou d’auteurs"
NO_DATA, NO_TWEET, FEW = "pas de donnée", "aucun tweet placé", "moins de 10 auteurs"
TURNOUT, RATE, TONE = "Participation (% des inscrits)", f"Tweets pour 100{SPACE}000 habitants", "Ton moyen"
INDISTINCT = "ne se distingue pas de 0 (intervalle à 95\u202f%)"
PEOPLE = "Habitants en 2023"
NUMBER = re.compile(r"[+\u2212]?[\d,]+")


@pytest.fixture(scope="module")
def data() -> MapData:
    return make_map()


def layer(data: MapData, group: str, label: str) -> Layer:
    (found,) = (one for one in data.layers if (one.group, one.label) == (group, label))
    return found


def told(data: MapData, one: Layer) -> dict[str, tuple[str, str, str]]:
    """Of every department: its class, the colour of it, and its printed value."""
    return {
        code: (*one.classes[place], text) for code, place, text in zip(data.codes, one.places, one.texts, strict=True)
    }


def number(written: str) -> float:
    found = NUMBER.search(written)
    assert found
    return float(found[0].replace(",", ".").replace("\u2212", "-"))


def holds(name: str, value: float) -> bool:
    """Whether the class of this name holds the value."""
    ends = [number(end) for end in re.findall(NUMBER, name)]
    if "moins de" in name:
        return value < ends[0]
    if "et plus" in name:
        return ends[0] <= value
    return ends[0] <= value < ends[1] if len(ends) == 2 else value == ends[0]


def luminance(colour: str) -> float:
    if colour.startswith("#"):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    else:
        red, green, blue = (int(part) for part in re.findall(r"\d+", colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# Linear RGB as people see it who lack a kind of cone (Machado, Oliveira and Fernandes, 2009, severity 1).
VISIONS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red cones": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green cones": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue cones": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)


def lab(colour: str, vision: str) -> np.ndarray:
    """CIELAB of a colour as somebody sees it."""
    pairs = [colour[at : at + 2] for at in (1, 3, 5)]
    parts = [int(pair, 16) for pair in pairs] if colour.startswith("#") else re.findall(r"\d+", colour)
    share = np.array(parts, dtype=float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = np.array(TO_XYZ) @ np.clip(np.array(VISIONS[vision]) @ linear, 0, 1) / WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def without(frame: pd.DataFrame, *codes: str) -> pd.DataFrame:
    return frame[~frame["department"].isin(codes)]


def test_the_pictures_of_both_rounds_of_the_change_and_of_the_tweets(data):
    labels = [(one.group, one.label) for one in data.layers]
    assert labels[:4] == [
        ("1", "Candidat en tête"),
        ("1", TURNOUT),
        ("1", "MACRON (% des exprimés)"),
        ("1", "LE PEN (% des exprimés)"),
    ]
    assert labels[13:] == [
        ("1", "Votes blancs (% des votants)"),
        ("1", "Votes nuls (% des votants)"),
        ("2", "Candidat en tête"),
        *[
            (group, label)
            for group in ("2", CHANGE)
            for label in (
                TURNOUT,
                "MACRON (% des exprimés)",
                "LE PEN (% des exprimés)",
                "Votes blancs (% des votants)",
                "Votes nuls (% des votants)",
            )
        ],
        (TWEETS, RATE),
        (TWEETS, TONE),
    ]
    assert {one.measure for one in data.layers[:-2]} == {"result"}
    assert [one.measure for one in data.layers[-2:]] == ["department", "tone"]


def test_every_department_has_a_class_a_text_and_a_value_or_none(data):
    for one in data.layers:
        assert len(one.places) == len(one.texts) == len(one.values) == len(data.codes) == 107
        assert set(one.places) == set(range(len(one.classes))), one.label
        assert len({colour for _, colour in one.classes}) == len(one.classes), one.label
        assert not any(value is not None and math.isnan(value) for value in one.values)
        assert not any("nan" in text.lower() for text in one.texts)
        for text, value in zip(one.texts, one.values, strict=True):
            assert (value is None) == (text in (NO_DATA, NO_TWEET, FEW, LITTLE)), (one.label, text)


def test_leading_candidates_are_counted_and_keep_their_colour(data):
    first, second = layer(data, "1", "Candidat en tête"), layer(data, "2", "Candidat en tête")
    rows = results()[results()["round"] == 1]
    leaders = rows.loc[rows.groupby("department")["votes"].idxmax()].set_index("department")["candidate"]
    found = told(data, first)
    assert {code: name.split(" (")[0] for code, (name, _, _) in found.items()} == leaders.to_dict()
    assert {name for name, _ in first.classes} == {
        f"{name} ({count} sur 107)" for name, count in leaders.value_counts().items()
    }
    assert found["01"][2] == f"LE PEN 25,0{SPACE}%"
    colours = {name.split(" (")[0]: colour for name, colour in first.classes}
    assert set(colours.values()) <= set(CANDIDATE_COLOURS)
    assert all(colours[name.split(" (")[0]] == colour for name, colour in second.classes)


def test_a_department_stands_in_the_class_that_holds_its_figure(data):
    for one in data.layers:
        for code, (name, _, text) in told(data, one).items():
            if one.label == "Candidat en tête" or text in (NO_DATA, NO_TWEET, FEW, LITTLE) or name == INDISTINCT:
                continue
            assert holds(name, number(text)), (one.group, one.label, code, text, name)


@pytest.mark.parametrize("vision", VISIONS)
def test_no_two_classes_of_a_picture_look_alike(vision):
    means = (-0.5, -0.1, -0.02, 0.02, 0.1, 0.5, 0.0)
    rows = {
        f"d0{at + 1}": {"tweets": 10.0**at, **toned(mean, mean - 0.01, mean + 0.01)} for at, mean in enumerate(means)
    }
    data = make_map(results=without(results(), "988"), tweets=make_placed(**rows, d75=None, d33=toned(*[math.nan] * 3)))
    for one in data.layers:
        # Too few authors are told by the hatching.
        seen = {name: lab(colour, vision) for name, colour in one.classes if colour != FLOOR_COLOUR}
        for (name, first), (other, second) in combinations(seen.items(), 2):
            assert np.linalg.norm(first - second) > 8, (one.group, one.label, name, other)


def test_rates_go_from_light_to_dark(data):
    one = layer(data, "1", "MACRON (% des exprimés)")
    shades = [luminance(colour) for _, colour in one.classes]
    assert len(shades) == 6
    assert shades == sorted(shades, reverse=True)
    assert min(a - b for a, b in pairwise(shades)) > 15


def test_changes_are_after_less_before_in_points(data):
    one = layer(data, CHANGE, "MACRON (% des exprimés)")
    before, after = layer(data, "1", one.label), layer(data, "2", one.label)
    for change, first, second in zip(one.values, before.values, after.values, strict=True):
        assert change == pytest.approx(second - first)
    assert told(data, one)["01"][2] == f"+38,3{SPACE}pt"


def test_both_sides_of_zero_have_colours_of_their_own_and_no_class_holds_both(data):
    one = layer(data, CHANGE, TURNOUT)
    assert min(one.values) < 0 < max(one.values)
    assert len(one.classes) == 6
    sides: dict[bool, set[str]] = {True: set(), False: set()}
    for _, colour, text in told(data, one).values():
        sides[number(text) < 0].add(colour)
    assert not sides[True] & sides[False]
    assert (sides[True], sides[False]) == (set(module.LESS), set(module.MORE))
    shades = [luminance(colour) for _, colour in one.classes]
    # Darkest at the far ends, lightest where they meet.
    assert shades[:3] == sorted(shades[:3])
    assert shades[3:] == sorted(shades[3:], reverse=True)
    bounds = [number(name) for name, _ in one.classes[1:]]
    assert bounds[2] == 0
    assert "0,0" in one.classes[3][0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(-40, 40)), min_size=1, max_size=40), st.integers(1, 2))
def test_any_changes_stand_in_classes_that_hold_them(values, digits):
    one = module._diverging_layer("g", "l", "m", (module.LESS, module.MORE), values, FRENCH, digits, "")
    colours = [colour for _, colour in one.classes]
    assert len(set(colours)) == len(colours)
    assert len(one.classes) <= 7
    for value, place, text in zip(values, one.places, one.texts, strict=True):
        name, colour = one.classes[place]
        if value is None:
            assert (name, text, colour) == (NO_DATA, NO_DATA, NO_DATA_COLOUR)
        else:
            assert holds(name, number(text)), (name, text)
            assert colour in (module.LESS if round(value, digits) < 0 else module.MORE)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=1, max_size=40))
def test_any_rates_stand_in_classes_that_hold_them(values):
    one = module._rates_layer("g", "l", "m", "YlGnBu", values, FRENCH, "")
    assert len({colour for _, colour in one.classes}) == len(one.classes) <= 7
    for value, place, text in zip(values, one.places, one.texts, strict=True):
        name, _ = one.classes[place]
        assert name == text == NO_DATA if value is None else holds(name, number(text)), (name, text)


@pytest.mark.parametrize("values", [[0.0] * 20 + [5.0], [-3.0] * 20 + [-1.0], [-3.0] * 20 + [2.0], [1.0, None]])
def test_values_that_are_nearly_all_the_same_are_told_from_the_one_that_is_not(values):
    layers = [module._diverging_layer("g", "l", "m", (module.LESS, module.MORE), values, FRENCH, 1, "")]
    if min(value or 0 for value in values) >= 0:
        layers.append(module._rates_layer("g", "l", "m", "YlGnBu", values, FRENCH, ""))
    for one in layers:
        assert len(one.classes) == 2
        for place, text in zip(one.places, one.texts, strict=True):
            name, _ = one.classes[place]
            assert name == text == NO_DATA or holds(name, number(text)), (name, text)


def test_a_department_without_results_is_without_data_and_never_zero():
    data = make_map(results=without(results(), "988"))
    for one in data.layers:
        if one.group in ("1", "2", CHANGE):
            name, colour, text = told(data, one)["988"]
            assert (name.startswith(NO_DATA), colour, text) == (True, NO_DATA_COLOUR, NO_DATA)
            assert one.classes[-1] == (name, colour)
    shown = data.departments[data.codes.index("988")].groups
    assert shown["1"] == shown["2"] == shown[CHANGE] == []


def test_no_ballot_cast_is_without_data_and_equal_votes_are_a_tie():
    edited = results().copy()
    edited.loc[edited["department"] == "01", ["voters", "blank", "null_votes", "cast", "votes"]] = 0
    edited.loc[(edited["department"] == "02") & (edited["round"] == 2), "votes"] = 100_000
    data = make_map(results=edited)
    assert told(data, layer(data, "1", "Candidat en tête"))["01"][0] == f"{NO_DATA} (1 sur 107)"
    assert told(data, layer(data, "1", "MACRON (% des exprimés)"))["01"][0] == NO_DATA
    assert told(data, layer(data, "1", TURNOUT))["01"][2] == f"0,0{SPACE}%"
    name, colour, text = told(data, layer(data, "2", "Candidat en tête"))["02"]
    assert (name, colour) == ("Égalité (1 sur 107)", module.TIE_COLOUR)
    assert text.startswith("LE PEN, MACRON ")
    # A change needs both rounds.
    assert told(data, layer(data, CHANGE, "MACRON (% des exprimés)"))["01"][2] == NO_DATA


def test_a_leader_beyond_the_colours_is_another():
    edited = results().copy()
    least = edited[edited["round"] == 1].groupby("candidate")["votes"].sum().idxmin()
    edited.loc[(edited["department"] == "48") & (edited["candidate"] == least), "votes"] = 30_000
    edited.loc[edited["department"] == "48", "cast"] = 60_000
    data = make_map(results=edited)
    name, colour, text = told(data, layer(data, "1", "Candidat en tête"))["48"]
    assert (name, colour, text) == ("Autre (1 sur 107)", module.OTHER_COLOUR, f"{least} 50,0{SPACE}%")


def test_one_value_for_all_is_one_class():
    data = make_map(results=results().assign(voters=results()["registered"]))
    assert [name for name, _ in layer(data, "1", TURNOUT).classes] == [f"100,0{SPACE}%"]
    (same,) = layer(data, CHANGE, TURNOUT).classes
    assert same[0] == f"0,0{SPACE}pt"


def test_tweets_for_inhabitants_tell_none_from_few_and_from_no_data(data):
    one = layer(data, TWEETS, RATE)
    found = told(data, one)
    assert found["01"][2] == "10,0"
    assert found["75"] == (FEW, FLOOR_COLOUR, FEW)
    assert found["2A"] == found["976"] == (NO_TWEET, NO_TWEET_COLOUR, NO_TWEET)
    # Voters abroad have no population to divide by.
    assert found["ZZ"] == (NO_DATA, NO_DATA_COLOUR, NO_DATA)
    assert holds(found["13"][0], number(found["13"][2]))


def test_a_tone_has_its_interval_and_a_reason_where_it_is_not_given(data):
    found = told(data, layer(data, TWEETS, TONE))
    assert found["01"][2] == "+0,10 (+0,05 à +0,15)"
    assert found["13"][2] == "\u22120,40 (\u22120,50 à \u22120,30)"
    assert found["69"][2] == "+0,60 (–)"
    assert found["33"] == (LITTLE, NO_DATA_COLOUR, LITTLE)
    assert found["75"] == (FEW, FLOOR_COLOUR, FEW)
    assert found["2A"] == (NO_TWEET, NO_TWEET_COLOUR, NO_TWEET)
    # Both differ from 0; the mean of a single text has no interval that could tell it from 0.
    assert found["13"][:2] == ("moins de \u22120,15", module.SOMBRE[0])
    assert found["01"][:2] == ("+0,05 à +0,15", module.BRIGHT[1])
    assert found["69"][:2] == (INDISTINCT, module.INDISTINCT_COLOUR)


def toned(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean_polarity": mean, "mean_polarity_low": low, "mean_polarity_high": high}


@pytest.mark.parametrize(
    ("mean", "low", "high", "name", "colour"),
    [
        (-0.5, -0.6, -0.4, "moins de \u22120,15", module.SOMBRE[0]),
        (-0.15, -0.2, -0.1, "\u22120,15 à \u22120,05", module.SOMBRE[1]),
        (-0.05, -0.08, -0.02, "\u22120,05 à 0,00", module.SOMBRE[2]),
        (-0.002, -0.003, -0.001, "\u22120,05 à 0,00", module.SOMBRE[2]),
        (-0.3, -0.6, 0.0, INDISTINCT, module.INDISTINCT_COLOUR),
        (0.0, -0.1, 0.1, INDISTINCT, module.INDISTINCT_COLOUR),
        (0.3, 0.0, 0.6, INDISTINCT, module.INDISTINCT_COLOUR),
        (0.002, 0.001, 0.003, "0,00 à +0,05", module.BRIGHT[0]),
        (0.05, 0.02, 0.08, "+0,05 à +0,15", module.BRIGHT[1]),
        (0.15, 0.1, 0.2, "+0,15 et plus", module.BRIGHT[2]),
    ],
)
def test_only_a_tone_that_differs_from_zero_has_a_colour_and_always_the_same(mean, low, high, name, colour):
    # The other departments have tones of their own: the classes do not follow them.
    for other in (toned(-0.9, -0.91, -0.89), toned(0.01, 0.005, 0.015)):
        data = make_map(tweets=make_placed(d01=toned(mean, low, high), d13=other))
        assert told(data, layer(data, TWEETS, TONE))["01"][:2] == (name, colour)


def test_the_classes_of_the_tone_go_from_the_lowest_over_the_pale_one_to_the_highest():
    means = (-0.5, -0.1, -0.02, 0.02, 0.1, 0.5)
    rows = {f"d0{at + 1}": toned(mean, mean - 0.01, mean + 0.01) for at, mean in enumerate(means)}
    data = make_map(tweets=make_placed(**rows, d13=toned(0.1, -0.1, 0.3), d75=None))
    colours = [colour for _, colour in layer(data, TWEETS, TONE).classes]
    assert colours[:7] == [*module.SOMBRE, module.INDISTINCT_COLOUR, *module.BRIGHT]
    assert colours[7:] == [NO_TWEET_COLOUR, FLOOR_COLOUR]


def test_a_tone_withheld_for_little_scored_is_said_where_the_tweets_are_shown():
    data = make_map(tweets=make_placed(d01={"scored_texts": 12.0, **NO_TONE}))
    assert told(data, layer(data, TWEETS, TONE))["01"] == (LITTLE, NO_DATA_COLOUR, LITTLE)
    assert told(data, layer(data, TWEETS, RATE))["01"][2] not in (FEW, LITTLE)
    assert dict(data.departments[data.codes.index("01")].groups[TWEETS])["Ton moyen"] == LITTLE


def test_no_tone_no_layer_and_no_row_of_it():
    data = make_map(toned=False)
    assert [one.label for one in data.layers if one.group == TWEETS] == [RATE]
    for figures in (data.nation, *data.departments):
        assert not any("on moyen" in label for label, _ in figures.groups[TWEETS])


def test_no_tweets_at_all_are_said():
    data = make_map(tweets=make_placed(), placed=make_placed(), total={**make_overview().iloc[1].to_dict()})
    for label in (RATE, TONE):
        one = layer(data, TWEETS, label)
        assert one.classes == [(NO_TWEET, NO_TWEET_COLOUR)]
        assert set(one.values) == {None}
    nation = dict(data.nation.groups[TWEETS])
    assert (nation["Part des tweets placés"], nation["Tweets placés"]) == ("–", NO_TWEET)
    assert "Ton moyen" not in nation
    assert (data.unplaced, data.tweets) == (0, 0)


def test_all_departments_with_tweets_have_no_class_of_none():
    codes = [feature["properties"]["code"] for feature in shapes()["features"]]
    data = make_map(tweets=make_placed(**{f"d{code}": {"tweets": 10.0 + at} for at, code in enumerate(codes)}))
    one = layer(data, TWEETS, RATE)
    assert NO_TWEET not in {name for name, _ in one.classes}
    assert {code for code, (name, _, _) in told(data, one).items() if name == NO_DATA} == {"ZZ"}


def test_every_figure_of_a_department_in_french(data):
    ain = data.departments[data.codes.index("01")]
    assert ain.name == "Ain (01)"
    first = dict(ain.groups["1"])
    assert list(first)[:3] == ["Inscrits", "Abstentions", "Votants"]
    assert first["Inscrits"] == f"415{SPACE}886"
    assert first["Votants"] == f"334{SPACE}379 (80,40{SPACE}%)"
    assert first["LE PEN"] == f"81{SPACE}455 (25,00{SPACE}%)"
    assert len(first) == 6 + 11
    assert dict(ain.groups["2"])["MACRON"] == f"173{SPACE}809 (60,94{SPACE}%)"
    assert dict(ain.groups[CHANGE])["MACRON (% des exprimés)"] == f"+38,3{SPACE}pt"
    tweets = dict(ain.groups[TWEETS])
    assert (tweets["Tweets placés"], tweets["Auteurs distincts"]) == ("68", "40")
    assert tweets["Ton moyen"] == "+0,10"
    assert tweets["intervalle à 95\u202f%"] == "+0,05 à +0,15"


# Of the ministry's declaration of the results; blank and null are shares of those who voted.
OFFICIAL = {
    "1": {
        "Inscrits": f"47{SPACE}582{SPACE}183",
        "Abstentions": f"10{SPACE}578{SPACE}455 (22,23{SPACE}%)",
        "Votants": f"37{SPACE}003{SPACE}728 (77,77{SPACE}%)",
        "Blancs": f"659{SPACE}997 (1,78{SPACE}%)",
        "Nuls": f"289{SPACE}337 (0,78{SPACE}%)",
        "Exprimés": f"36{SPACE}054{SPACE}394 (97,43{SPACE}%)",
        "MACRON": f"8{SPACE}656{SPACE}346 (24,01{SPACE}%)",
        "LE PEN": f"7{SPACE}678{SPACE}491 (21,30{SPACE}%)",
    },
    "2": {
        "Inscrits": f"47{SPACE}568{SPACE}693",
        "Abstentions": f"12{SPACE}101{SPACE}366 (25,44{SPACE}%)",
        "Votants": f"35{SPACE}467{SPACE}327 (74,56{SPACE}%)",
        "Blancs": f"3{SPACE}021{SPACE}499 (8,52{SPACE}%)",
        "Nuls": f"1{SPACE}064{SPACE}225 (3,00{SPACE}%)",
        "Exprimés": f"31{SPACE}381{SPACE}603 (88,48{SPACE}%)",
        "MACRON": f"20{SPACE}743{SPACE}128 (66,10{SPACE}%)",
        "LE PEN": f"10{SPACE}638{SPACE}475 (33,90{SPACE}%)",
    },
}


def test_the_countrys_figures_are_the_official_ones(data):
    for group, wanted in OFFICIAL.items():
        found = dict(data.nation.groups[group])
        assert {label: found[label] for label in wanted} == wanted
    assert dict(data.nation.groups[CHANGE]) == {
        TURNOUT: f"\u22123,2{SPACE}pt",
        "MACRON (% des exprimés)": f"+42,1{SPACE}pt",
        "LE PEN (% des exprimés)": f"+12,6{SPACE}pt",
        "Votes blancs (% des votants)": f"+6,7{SPACE}pt",
        "Votes nuls (% des votants)": f"+2,2{SPACE}pt",
    }


# Ain, both rounds: counts of results_2017.csv.
AIN = {
    "1": {"registered": 415_886, "voters": 334_379, "blank": 6_342, "null": 2_238, "cast": 325_799, "LE PEN": 81_455},
    "2": {"registered": 415_950, "voters": 322_820, "blank": 28_852, "null": 8_738, "cast": 285_230, "LE PEN": 111_421},
}
SHARES = {
    TURNOUT: ("voters", "registered"),
    "LE PEN (% des exprimés)": ("LE PEN", "cast"),
    "Votes blancs (% des votants)": ("blank", "voters"),
    "Votes nuls (% des votants)": ("null", "voters"),
}


@pytest.mark.parametrize("label", SHARES)
def test_a_departments_rates_are_shares_of_what_their_label_says(data, label):
    part, whole = SHARES[label]
    at = data.codes.index("01")
    first, second = (100 * counts[part] / counts[whole] for counts in AIN.values())
    assert layer(data, "1", label).values[at] == pytest.approx(first)
    assert layer(data, "2", label).values[at] == pytest.approx(second)
    assert layer(data, CHANGE, label).values[at] == pytest.approx(second - first)
    assert number(dict(data.departments[at].groups[CHANGE])[label]) == pytest.approx(second - first, abs=0.051)
    for group, counts in AIN.items():
        texts = {"voters": "Votants", "blank": "Blancs", "null": "Nuls", "LE PEN": "LE PEN"}
        written = dict(data.departments[at].groups[group])[texts[part]]
        assert "".join(written.split(" (")[0].split()) == str(counts[part])
        assert number(written.split(" (")[1]) == pytest.approx(100 * counts[part] / counts[whole], abs=0.0051)


def test_a_department_of_few_authors_or_of_none_tells_that_and_nothing_else(data):
    def figures(code):
        return dict(data.departments[data.codes.index(code)].groups[TWEETS])

    assert FLOOR_OF_AUTHORS == 10
    assert set(figures("75")) == set(figures("2A")) == {"Tweets placés", PEOPLE}
    assert figures("75")["Tweets placés"] == FEW
    assert figures("2A")["Tweets placés"] == NO_TWEET
    assert figures("33")["Ton moyen"] == "–"
    assert figures("ZZ")[PEOPLE] == "–"
    assert RATE not in figures("ZZ")


def test_the_country_stands_beside_a_department_under_the_same_labels(data):
    nation = dict(data.nation.groups[TWEETS])
    ain = dict(data.departments[data.codes.index("01")].groups[TWEETS])
    assert data.nation.name == "France entière"
    # Both are of placed tweets and their texts, so that what stands side by side is of one kind.
    assert list(nation)[: len(ain)] == list(ain)
    assert nation["Tweets placés"] == f"1{SPACE}500"
    assert nation["Auteurs distincts"] == "700"
    assert (nation["Ton moyen"], nation["Textes notés"], nation["Non notés"]) == ("+0,20", "600", "20")
    assert nation["intervalle à 95\u202f%"] == "+0,15 à +0,25"
    assert nation[PEOPLE] == f"68{SPACE}952{SPACE}941"
    assert (ain["Tweets placés"], ain[RATE], ain[PEOPLE]) == ("68", "10,0", f"679{SPACE}344")
    assert nation["Part des tweets placés"] == f"75,0{SPACE}%"
    assert nation["Tweets sans département"] == "500"
    assert nation["Départements montrés"] == "5"
    assert nation["Départements de moins de dix auteurs"] == "1"
    assert float(nation[RATE].replace(",", ".")) == pytest.approx(PER_NATION, abs=0.051)
    assert dict(data.nation.groups["1"])["Inscrits"] == f"47{SPACE}582{SPACE}183"
    assert (data.unplaced, data.tweets) == (500, 2000)


PER_NATION = 100_000 * 1500 / 68_952_941


def test_a_country_of_few_authors_withholds_its_figures_as_a_department_does():
    data = make_map(tweets=make_placed(d75=None), placed=make_placed(d=None))
    nation = dict(data.nation.groups[TWEETS])
    assert nation["Tweets placés"] == FEW
    assert not {"Auteurs distincts", "Ton moyen", RATE} & set(nation)
    assert nation["Départements de moins de dix auteurs"] == "1"


def test_the_year_of_the_populations_is_said_wherever_they_are():
    assert str(POPULATION_YEAR) in FRENCH.text("measures_text.department")
    assert PEOPLE.endswith(str(POPULATION_YEAR))


def test_one_round_alone_has_no_change():
    data = make_map(results=results()[results()["round"] == 2])
    assert {one.group for one in data.layers} == {"2", TWEETS}
    assert set(data.nation.groups) == {"2", TWEETS}


def test_names_have_typographic_apostrophes(data):
    assert "Côtes-d’Armor" in data.names
    assert not any("'" in name for name in data.names)


def test_what_has_no_shape_is_refused():
    strange = results().assign(department=results()["department"].replace("01", "999"))
    with pytest.raises(ValueError, match=r"no shape for the department\(s\) 999"):
        make_map(results=strange)
    with pytest.raises(ValueError, match=r"no shape for the department\(s\) XX"):
        make_map(tweets=make_placed(dXX={}))
    with pytest.raises(ValueError, match="no results to draw"):
        make_map(results=results().head(0))


def test_the_table_for_download_holds_the_maps_figures_and_withholds_those_of_few():
    table = department_table(results(), PLACED).set_index("department")
    assert len(table) == 107
    ain = table.loc["01"]
    assert (ain["department_name"], ain["registered_1"], ain["votes_1 LE PEN"]) == ("Ain", 415886, 81455)
    assert ain["votes_2 MACRON"] == 173809
    assert ain["per_100000"] == pytest.approx(100_000 * 68 / ain["population"])
    figures = ["tweets", "authors", "per_100000", "scored_texts", "unscored_texts", *NO_TONE]
    assert table.loc[["75", "2A"], figures].isna().all(axis=None)
    assert table["below_floor"].value_counts().to_dict() == {0: 5, 1: 1}
    assert table.loc["75", "below_floor"] == 1
    assert math.isnan(table.loc["2A", "below_floor"])
    assert pd.isna(table.loc["ZZ", "per_100000"])
    candidates = [name for name in table.columns if name.startswith("votes_1 ")]
    assert candidates[:2] == ["votes_1 MACRON", "votes_1 LE PEN"]
    assert len(candidates) == 11


def test_the_table_for_download_holds_every_value_that_the_map_draws(data):
    table = department_table(results(), PLACED).set_index("department").loc[data.codes]
    names = {"Participation": "turnout", "Votes blancs": "blank_share", "Votes nuls": "null_share"}
    compared = set()
    for one in data.layers:
        if one.group == TWEETS or one.label == "Candidat en tête":
            continue
        subject = one.label.split(" (")[0]
        column = f"{names[subject]}_{one.group}" if subject in names else f"share_{one.group} {subject}"
        compared.add(column)
        assert (100 * table[column]).tolist() == pytest.approx(one.values), column
    shares = {name for name in table.columns if name.startswith(("turnout", "share_", "blank_share", "null_share"))}
    assert shares - set(PLACED.columns) == compared
    assert len(compared) == 14 + 5 + 5
    for number in ("1", "2"):
        written = table[f"leader_{number}"]
        assert [text.rsplit(" ", 1)[0] for text in layer(data, number, "Candidat en tête").texts] == written.tolist()
    # Ain, from the counts.
    assert table.loc["01", "blank_share_1"] == pytest.approx(6_342 / 334_379)
    assert table.loc["01", "turnout_change"] == pytest.approx(322_820 / 415_950 - 334_379 / 415_886)


def test_the_table_for_download_has_no_share_where_nobody_voted_and_no_change_of_one_round():
    edited = results().copy()
    edited.loc[(edited["department"] == "01") & (edited["round"] == 1), ["voters", "cast", "votes"]] = 0
    edited.loc[(edited["department"] == "02") & (edited["round"] == 2), "votes"] = 100_000
    table = department_table(edited, PLACED).set_index("department")
    assert table.loc["01", ["leader_1", "share_1 MACRON", "share_change MACRON", "blank_share_1"]].isna().all()
    assert table.loc["01", "turnout_1"] == 0
    assert table.loc["02", "leader_2"] == "LE PEN, MACRON"
    alone = department_table(edited[edited["round"] == 2], PLACED)
    assert "turnout_2" in alone.columns
    assert not any("change" in name for name in alone.columns)
