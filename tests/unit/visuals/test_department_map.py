"""The map's figure and page, judged by what Plotly is given and by what stands in the HTML."""

import json
import re
from html import unescape
from itertools import pairwise

import pandas as pd
import pytest

from election_assets.transforms.results import bundled_results, bundled_shapes
from election_assets.visuals.department_map import (
    NO_DATA,
    NO_DATA_COLOUR,
    NO_TWEET,
    NO_TWEET_COLOUR,
    department_map_figure,
    department_map_html,
)

SPACE = "\u202f"


@pytest.fixture(scope="module")
def frame():
    return bundled_results()


@pytest.fixture(scope="module")
def shapes():
    return bundled_shapes()


@pytest.fixture(scope="module")
def figure(frame, shapes):
    return department_map_figure(frame, shapes, note="Données d’exemple synthétiques")


def layers_of(figure):
    """Each layer's menu label with its classes and the class of every department."""
    codes = list(figure.data[0].locations)
    found = {}
    for legend, button in zip(figure.layout.meta["layers"], figure.layout.updatemenus[0].buttons, strict=True):
        names = [label for label, _ in legend["classes"]]
        places = {code: names[place] for code, place in zip(codes, button.args[0]["z"][0], strict=True)}
        found[button.label] = (legend["classes"], places, dict(zip(codes, button.args[0]["text"][0], strict=True)))
    return found


def page_data(html):
    found = re.search(r'<script id="page" type="application/json">(.*?)</script>', html, flags=re.S)
    return json.loads(found.group(1))


def test_the_menu_holds_every_picture_of_both_rounds(figure):
    labels = list(layers_of(figure))
    assert labels[:4] == [
        "1er tour – Candidat en tête",
        "1er tour – Participation (% des inscrits)",
        "1er tour – MACRON (% des exprimés)",
        "1er tour – LE PEN (% des exprimés)",
    ]
    assert labels[13:] == [
        "1er tour – Votes blancs (% des votants)",
        "1er tour – Votes nuls (% des votants)",
        "2d tour – Candidat en tête",
        "2d tour – Participation (% des inscrits)",
        "2d tour – MACRON (% des exprimés)",
        "2d tour – LE PEN (% des exprimés)",
        "2d tour – Votes blancs (% des votants)",
        "2d tour – Votes nuls (% des votants)",
    ]


def test_leading_candidates_are_counted_and_keep_their_colour(figure, frame):
    layers = layers_of(figure)
    first, places, texts = layers["1er tour – Candidat en tête"]
    rows = frame[frame["round"] == 1]
    leaders = rows.loc[rows.groupby("department")["votes"].idxmax()].set_index("department")["candidate"]
    assert {code: label.split(" (")[0] for code, label in places.items()} == leaders.to_dict()
    expected = {f"{name} ({count} sur 107)" for name, count in leaders.value_counts().items()}
    assert {label for label, _ in first} == expected
    assert texts["01"] == f"LE PEN\u00a0: 25,0{SPACE}%"
    second = layers["2d tour – Candidat en tête"][0]
    colours = {label.split(" (")[0]: colour for label, colour in first}
    assert all(colours[label.split(" (")[0]] == colour for label, colour in second)
    assert len(set(colours.values())) == len(colours)


def test_a_department_stands_in_the_class_that_holds_its_rate(figure):
    for label, (classes, places, texts) in layers_of(figure).items():
        if "Candidat" in label:
            continue
        assert len(classes) == 6, label
        for code, name in places.items():
            rate, *bounds = (
                float(found.replace(",", ".")) for found in re.findall(r"[\d,]+", texts[code] + " " + name)
            )
            if "moins de" in name:
                low, high = 0.0, bounds[0]
            else:
                low, high = bounds[0], (bounds[1] if len(bounds) > 1 else 100.1)
            assert low <= rate < high, (label, code, texts[code], name)


def test_rates_go_from_light_to_dark(figure):
    classes = layers_of(figure)["1er tour – MACRON (% des exprimés)"][0]
    channels = [[int(part) for part in re.findall(r"\d+", colour)] for _, colour in classes]
    luminance = [0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in channels]
    assert luminance == sorted(luminance, reverse=True)
    assert min(a - b for a, b in pairwise(luminance)) > 15


def test_the_hover_text_holds_every_figure_in_french(figure):
    codes = list(figure.data[0].locations)
    first, second, title = figure.data[0].customdata[codes.index("01")]
    assert title == "<b>Ain (01)</b>"
    lines = first.split("<br>")
    assert lines[:2] == ["<b>Ain (01)</b>", "<i>Présidentielle 2017, 1er tour</i>"]
    assert lines[2] == f"Inscrits\u00a0: 415{SPACE}886"
    assert lines[4] == f"Votants\u00a0: 334{SPACE}379 (80,40{SPACE}%)"
    assert lines[8] == f"LE PEN\u00a0: 81{SPACE}455 (25,00{SPACE}%)"
    assert len(lines) == 2 + 6 + 11
    assert f"MACRON\u00a0: 173{SPACE}809 (60,94{SPACE}%)" in second.split("<br>")


def test_a_department_without_results_is_without_data_and_never_zero(frame, shapes):
    figure = department_map_figure(frame[frame["department"] != "988"], shapes)
    for classes, places, texts in layers_of(figure).values():
        assert classes[-1][0].startswith(NO_DATA)
        assert classes[-1][1] == NO_DATA_COLOUR
        assert places["988"] == classes[-1][0]
        assert texts["988"] == NO_DATA
    row = figure.data[0].customdata[list(figure.data[0].locations).index("988")]
    assert row[0].endswith(NO_DATA)


def test_no_ballot_cast_is_without_data_and_equal_votes_are_a_tie(frame, shapes):
    edited = frame.copy()
    edited.loc[edited["department"] == "01", ["voters", "blank", "null_votes", "cast", "votes"]] = 0
    edited.loc[(edited["department"] == "02") & (edited["round"] == 2), "votes"] = 100_000
    layers = layers_of(department_map_figure(edited, shapes))
    assert layers["1er tour – Candidat en tête"][1]["01"] == f"{NO_DATA} (1 sur 107)"
    assert layers["1er tour – MACRON (% des exprimés)"][1]["01"] == NO_DATA
    assert layers["1er tour – Participation (% des inscrits)"][2]["01"] == f"0,0{SPACE}%"
    assert layers["2d tour – Candidat en tête"][1]["02"] == "Égalité (1 sur 107)"


def test_one_value_for_all_is_one_class(frame, shapes):
    edited = frame.assign(voters=frame["registered"])
    classes, _, _ = layers_of(department_map_figure(edited, shapes))["1er tour – Participation (% des inscrits)"]
    assert [label for label, _ in classes] == [f"100,0{SPACE}%"]


def test_tweets_for_inhabitants_tell_none_from_no_data(frame, shapes):
    tweets = pd.DataFrame({"department": ["01", "75", "2A", "ZZ"], "tweets": [68, 0, None, 5]})
    figure = department_map_figure(
        frame, shapes, tweets_by_department=tweets, tweets_period="du 27 mars au 9 avril 2022"
    )
    name = f"Tweets – Tweets pour 100{SPACE}000 habitants, du 27 mars au 9 avril 2022"
    classes, places, texts = layers_of(figure)[name]
    assert (texts["01"], texts["75"], texts["2A"]) == ("10,0", NO_TWEET, NO_DATA)
    assert {places[code] for code in ("2A", "ZZ")} == {NO_DATA}
    assert {places[code] for code in ("75", "13", "976")} == {NO_TWEET}
    assert places["01"] == "10,0"
    assert classes[0] == (NO_TWEET, NO_TWEET_COLOUR)
    assert classes[-1] == (NO_DATA, NO_DATA_COLOUR)
    assert len({colour for _, colour in classes}) == len(classes)
    codes = list(figure.data[0].locations)
    details = {code: figure.data[0].customdata[codes.index(code)][2] for code in ("01", "13", "2A", "ZZ")}
    assert "Tweets\u00a0: 5<br>" in details["ZZ"]
    assert f"Tweets\u00a0: {NO_DATA}<br>" in details["2A"]
    assert f"Tweets\u00a0: {NO_TWEET}<br>" in details["13"]
    assert "Pour 100" not in details["13"]
    assert "<i>Tweets placés, du 27 mars au 9 avril 2022</i>" in details["01"]
    assert "Tweets placés\u00a0: 73<br>" in figure.layout.meta["nation"][2]
    assert "Territoires avec un tweet placé\u00a0: 2 sur 107" in figure.layout.meta["nation"][2]


def test_all_departments_with_tweets_have_no_class_of_none(frame, shapes):
    codes = [feature["properties"]["code"] for feature in shapes["features"]]
    tweets = pd.DataFrame({"department": codes, "tweets": range(1, len(codes) + 1)})
    figure = department_map_figure(frame, shapes, tweets_by_department=tweets)
    classes, places, _ = layers_of(figure)[f"Tweets – Tweets pour 100{SPACE}000 habitants"]
    assert NO_TWEET not in {label for label, _ in classes}
    assert {code for code, place in places.items() if place == NO_DATA} == {"ZZ"}


def test_a_layer_s_headline_tells_the_vote_from_the_tweets(frame, shapes):
    tweets = pd.DataFrame({"department": ["01"], "tweets": [68]})
    html = department_map_html(frame, shapes, tweets_by_department=tweets)
    headlines = {layer["group"]: (layer["headline"], layer["bases"]) for layer in page_data(html)["layers"]}
    vote = "Présidentielle 2017\u00a0: le vote par département"
    assert headlines == {
        "1er tour": (vote, True),
        "2d tour": (vote, True),
        "Tweets": ("Les tweets par département", False),
    }
    assert "<title>Présidentielle 2017 et tweets par département</title>" in html
    assert "aujourd’hui" not in re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL).lower()
    buttons = department_map_figure(frame, shapes, tweets_by_department=tweets).layout.updatemenus[0].buttons
    assert buttons[-1].args[1]["title.text"].startswith("<b>Les tweets par département</b>")


def test_names_have_typographic_apostrophes(figure):
    titles = {row[-1] for row in figure.data[0].customdata}
    assert "<b>Côtes-d’Armor (22)</b>" in titles
    assert not any("'" in title or "&#x27;" in title for title in titles)


def test_what_has_no_shape_is_refused(frame, shapes):
    with pytest.raises(ValueError, match=r"no shape for the department\(s\) 999"):
        department_map_figure(frame.assign(department=frame["department"].replace("01", "999")), shapes)
    tweets = pd.DataFrame({"department": ["XX"], "tweets": [1]})
    with pytest.raises(ValueError, match=r"no shape for the department\(s\) XX"):
        department_map_figure(frame, shapes, tweets_by_department=tweets)
    with pytest.raises(ValueError, match="no results to draw"):
        department_map_figure(frame.head(0), shapes)


def test_overseas_shapes_and_squares_are_labelled(figure):
    labels = figure.data[1].text
    assert {"Guadeloupe", "Martinique", "Guyane", "La Réunion", "Mayotte"} < set(labels)
    bold = {found for label in labels for found in re.findall("<b>(.*?)</b>", label)}
    assert bold == {"975", "977-978", "986", "987", "988", "ZZ"}


def test_the_page_holds_everything_once_and_asks_for_nothing(frame, shapes):
    html = department_map_html(frame, shapes, note="Données d’exemple synthétiques")
    assert html.index("PlotlyGeoAssets=") < html.index("plotly.js v")
    assert "default-src 'none'" in html
    assert html.count('"name":"Guadeloupe"') == 1
    assert "Source\N{NO-BREAK SPACE}: ministère de l’Intérieur, Licence Ouverte" in html
    assert '<p class="note">Données d’exemple synthétiques</p>' in html
    assert not re.search(r'<(script|img|link|iframe)[^>]+(src|href)="(?!data:)', html)
    page = page_data(html)
    assert len(page["data"][0]["locations"]) == 107
    assert len(page["updates"]) == len(page["layers"]) == 21
    assert len(html.encode()) < 5_500_000


def test_one_round_alone_makes_a_page(frame, shapes):
    page = page_data(department_map_html(frame[frame["round"] == 2], shapes))
    assert {layer["group"] for layer in page["layers"]} == {"2d tour"}


def test_no_line_can_break_before_a_french_mark(frame, shapes):
    html = department_map_html(frame, shapes, note="Tweets placés : 12 ; sans département : 3.")
    shown = unescape(re.sub(r"<(script|style)>.*?</\1>", "", html, flags=re.DOTALL))
    assert "Tweets placés\N{NO-BREAK SPACE}: 12\N{NARROW NO-BREAK SPACE}; sans" in shown
    assert not re.findall(r"\w+ [:;?!»]", shown)
    heading = department_map_figure(frame, shapes, note="Tweets placés : 12").layout.title.text
    assert not re.findall(r"\w+ [:;?!»]", heading)


def test_foreign_text_is_escaped(frame, shapes):
    nasty = "</script><img src=x onerror=alert(1)>"
    edited = frame.assign(candidate=frame["candidate"].replace("MACRON", nasty))
    renamed = {
        **shapes,
        "features": [
            {**feature, "properties": {**feature["properties"], "name": nasty}} for feature in shapes["features"]
        ],
    }
    html = department_map_html(edited, renamed, note=nasty)
    plain = department_map_html(frame, shapes)
    assert "&lt;/script&gt;&lt;img" in html
    assert "<img" not in html.replace("<img", "", plain.count("<img"))
    assert html.count("</script>") == plain.count("</script>")
    shown = page_data(html)
    texts = [*shown["nation"], *(text for row in shown["data"][0]["customdata"] for text in row)]
    texts += [label for layer in shown["layers"] for label, _ in layer["classes"]]
    texts += [layer["label"] for layer in shown["layers"]]
    texts += [text for update in shown["updates"] for text in update["text"][0]]
    texts += shown["data"][1]["text"]
    assert any("&lt;img" in text for text in texts)
    assert not any("<img" in text for text in texts)
