"""The word cloud's files: their words, their colours, their note and their determinism."""

import datetime as dt
import io
import re
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from election_assets.election import Candidate, Election
from election_assets.visuals import word_cloud as module
from election_assets.visuals.catalogue import load_catalogue
from election_assets.visuals.word_cloud import readable, stop_words

FRENCH = load_catalogue("fr")
NO_WORDS, SAMPLE_NOTE = "Aucun mot", "Données d’exemple synthétiques"
word_cloud = partial(module.word_cloud, catalogue=FRENCH)
alt_text = partial(module.alt_text, catalogue=FRENCH)

COUNTS = {"école": 40, "œuvre": 30, "Ça": 20, "Élysée": 20, "aujourd’hui": 8, "maïs": 5}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def election() -> Election:
    candidates = (
        Candidate("le-puc", "Éléonore Le Puc", "", "#26c4ec", "x", ("elpuc",), ("Éléonore Le Puc", "Le Puc")),
        Candidate("bo", "Jean-Marc Bô", "", "#8b0000", "x", (), ("Jean-Marc Bô",)),
    )
    return Election(
        "test", "Essai", "fr", "Europe/Paris", dt.date(2022, 4, 10), dt.date(2022, 4, 24), "t", candidates, Path()
    )


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def colours(png: bytes) -> set[tuple[int, ...]]:
    return {colour for _, colour in picture(png).getcolors(1_000_000)}


def test_the_svg_holds_every_word_with_its_accents():
    assert sorted(texts(word_cloud(COUNTS, title="tous").svg)) == sorted(COUNTS)


def test_the_font_has_a_glyph_for_every_french_letter():
    with TTFont(module.font_path()) as font:
        letters = "abcdefghijklmnopqrstuvwxyzàâäæçéèêëîïôöœùûüÿ"
        assert {ord(letter) for letter in letters + letters.upper() + "’'-"} <= set(font.getBestCmap())


def test_the_svg_carries_its_font_and_asks_for_nothing():
    svg = word_cloud(COUNTS, title="tous").svg

    assert "data:font/woff;base64," in svg
    assert set(re.findall(r"https?://[^\"' )]+", svg)) == {"http://www.w3.org/2000/svg"}


def test_the_same_seed_gives_the_same_bytes_and_the_order_of_the_counts_does_not_matter():
    backwards = dict(reversed(COUNTS.items()))

    assert word_cloud(COUNTS, title="tous", seed=1) == word_cloud(backwards, title="tous", seed=1)
    assert word_cloud(COUNTS, title="tous", seed=1).png != word_cloud(COUNTS, title="tous", seed=2).png


def test_a_more_frequent_word_is_larger():
    svg = ElementTree.fromstring(word_cloud(COUNTS, title="tous").svg)
    sizes = {element.text: float(element.get("font-size", "0")) for element in svg.iter(f"{SVG}text")}

    assert sizes["école"] > sizes["Élysée"] > sizes["maïs"]


def test_pictures_of_sample_data_say_so():
    plain, sample = word_cloud(COUNTS, title="tous"), word_cloud(COUNTS, title="tous", sample=True)

    assert SAMPLE_NOTE in texts(sample.svg)
    assert SAMPLE_NOTE not in plain.svg
    assert SAMPLE_NOTE in sample.alt
    strip = (0, module.HEIGHT - module.NOTE_HEIGHT, module.WIDTH, module.HEIGHT)
    shades = {colour for _, colour in picture(sample.png).crop(strip).getcolors(100_000)}
    assert {(0xFF, 0xF3, 0xD1), (0x5C, 0x3C, 0x00)} <= shades
    assert (0xFF, 0xF3, 0xD1) not in colours(plain.png)


@pytest.mark.parametrize("sample", [False, True])
@pytest.mark.parametrize("counts", [{}, {"école": 0}])
def test_no_words_give_a_picture_that_says_so(counts, sample):
    cloud = word_cloud(counts, title="Jean-Marc Bô", sample=sample)

    assert texts(cloud.svg) == [NO_WORDS, SAMPLE_NOTE] if sample else [NO_WORDS]
    assert picture(cloud.png).size == (module.WIDTH, module.HEIGHT)
    assert len(colours(cloud.png)) > 2
    assert "aucun mot" in alt_text(counts, title="Jean-Marc Bô")


def test_no_word_reaches_the_edge():
    many = {f"{letter}{'aeiou' * 2}{number}": 99 - number for letter in "bcdfghjkl" for number in range(12)}
    cloud = word_cloud(many, title="tous")

    size, margin = (module.WIDTH, module.HEIGHT), module.MARGIN
    edges = [
        *((0, 0, size[0], margin), (0, size[1] - margin, *size)),
        *((0, 0, margin, size[1]), (size[0] - margin, 0, *size)),
    ]
    assert margin > 0
    for edge in edges:
        assert picture(cloud.png).crop(edge).getcolors() == [
            ((edge[2] - edge[0]) * (edge[3] - edge[1]), (255, 255, 255)),
        ]
    # The drawing's words stand where the picture's do.
    assert f'fill="white"/><g transform="translate({margin},{margin})">' in cloud.svg


def test_one_word_is_enough():
    assert texts(word_cloud({"retraites": 1}, title="tous").svg) == ["retraites"]


def test_a_word_too_long_for_the_picture_leaves_place_for_the_others():
    assert texts(word_cloud({"a" * 500: 9, "école": 8}, title="tous").svg) == ["école"]
    assert texts(word_cloud({"a" * 500: 9}, title="tous").svg) == [NO_WORDS]


def test_a_candidates_cloud_has_the_candidates_colour():
    assert readable("#8b0000") == "#8b0000"
    assert (0x8B, 0, 0) in colours(word_cloud(COUNTS, title="Jean-Marc Bô", colour="#8b0000").png)


@pytest.mark.parametrize("colour", ["#ffffff", "#ffff00", "#26c4ec", "#000000", *module.PALETTE])
def test_colours_can_be_read_on_white(colour):
    shade = readable(colour)
    parts = tuple(int(shade[at : at + 2], 16) for at in (1, 3, 5))

    assert 1.05 / (module._luminance(*parts) + 0.05) >= module.MIN_CONTRAST
    if colour in module.PALETTE:
        assert shade == colour


def test_markup_in_words_and_titles_is_text():
    cloud = word_cloud({"<script>": 2, "a&b": 1}, title="</title><script>alert(1)</script>")

    assert sorted(texts(cloud.svg)) == ["<script>", "a&b"]
    assert not list(ElementTree.fromstring(cloud.svg).iter(f"{SVG}script"))


def test_the_text_alternative_names_the_most_frequent_words():
    assert alt_text({"b": 1, "a": 1, "école": 1234}, title="tous les candidats", words=2) == (
        "Nuage de mots, tous les candidats. Mots les plus marqués\u00a0: "
        "école (1\u202f234\u00a0textes), a (1\u00a0texte)."
    )


def test_a_word_may_weigh_otherwise_than_by_its_texts():
    cloud = word_cloud({"nucléaire": 7.5, "école": 2.1}, texts={"nucléaire": 12, "école": 80}, title="Jean-Marc Bô")

    assert "nucléaire (12\u00a0textes), école (80\u00a0textes)" in cloud.alt
    sizes = {
        element.text: float(element.get("font-size", "0"))
        for element in ElementTree.fromstring(cloud.svg).iter(f"{SVG}text")
    }
    assert sizes["nucléaire"] > sizes["école"]


def test_stop_words_hold_french_words_tweet_words_and_the_candidates_names(election):
    words = stop_words(election)

    assert {"le", "et", "rt", "https", "aujourd'hui", "aujourd’hui"} <= words
    assert {"éléonore", "eleonore", "puc", "lepuc", "elpuc", "jean-marc", "jean", "bô", "bo", "jeanmarcbô"} <= words
    assert words.isdisjoint({"retraites", "école", "président", "france"})


def test_names_can_be_kept(election):
    assert {"puc", "bô"} <= stop_words(election)
    assert stop_words(election, keep_names=True).isdisjoint({"puc", "bô"})
    assert "rt" in stop_words(election, keep_names=True)
