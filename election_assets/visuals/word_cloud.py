"""The word cloud: a picture of words by weight, as PNG and as SVG, and its text alternative."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from election_assets.election import Election, fold
from election_assets.visuals.catalogue import Catalogue

if TYPE_CHECKING:
    from wordcloud import WordCloud

WIDTH, HEIGHT = 1200, 675
MARGIN = 24
"""Pixels around the words."""
SCALE = 2
"""Words are placed on a grid this many pixels wide: a quarter of the time for the same picture."""
NOTE_HEIGHT = 60
"""Pixels of the strip under the words that holds the note."""

NOTE_FONT_SIZE = 32
NOTE_COLOUR, NOTE_BACKGROUND = "#5c3c00", "#fff3d1"
NO_WORDS_COLOUR = "#555555"

MAX_WORDS = 150
MAX_WORD_CHARACTERS = 30
"""A longer word would leave no place for others; the longest of French dictionaries has 25."""
PALETTE = ("#1b3a6b", "#8c2d19", "#1f6f50", "#5b3a8c", "#8a5a00", "#0b6a7a")
"""Colours of the overall cloud, each at least 4.5:1 on white."""
MIN_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: least contrast of text with its background."""

# fmt: off
TWEET_WORDS = frozenset({
    "rt", "via", "https", "http", "www", "com", "fr", "co", "amp", "gt", "lt", "pic", "twitter", "tweet", "tweets",
    "thread", "live", "direct", "replay", "cc", "dm", "mdr", "lol", "ptdr", "svp", "stp",
    "aujourd'hui", "quelqu'un", "faire", "fait", "faut", "va", "vont", "veut", "peut", "dit", "dire", "met",
    "bah", "ben", "bon", "oui", "ouais", "hein", "voilà", "voila", "ça", "ca",
})
# fmt: on
"""Words that say nothing in a tweet and that the general list lacks, in lower case."""


class Cloud(NamedTuple):
    """One picture: `png` is the file's bytes, `svg` its text, `alt` the text that stands for it."""

    png: bytes
    svg: str
    alt: str


def stop_words(election: Election, keep_names: bool = False) -> frozenset[str]:
    """The words that a cloud leaves out, in lower case.

    Args:
        election: Gives the language, of stopwordsiso's list, and the candidates' names.
        keep_names: Whether the candidates' names stay in.
    """
    import stopwordsiso

    words = TWEET_WORDS | stopwordsiso.stopwords(election.language)
    # An apostrophe may be written either way.
    words = words | {word.replace("'", "’") for word in words}
    if keep_names:
        return words
    return words.union(*(_name_words(name) for one in election.candidates for name in (*one.names, *one.handles)))


def _name_words(name: str) -> set[str]:
    """A name's words and their joint form, as hashtags have it, each with its accents and without."""
    forms = {name.lower(), fold(name)}
    parts = {form: form.replace("-", " ").split() for form in forms}
    return {word for form in forms for word in (*form.split(), *parts[form], "".join(parts[form]))}


def word_cloud(
    weights: Mapping[str, float],
    *,
    title: str,
    catalogue: Catalogue,
    texts: Mapping[str, int] | None = None,
    colour: str | None = None,
    sample: bool = False,
    seed: int = 2022,
) -> Cloud:
    """Draws a cloud; the same weights and seed give the same bytes.

    Args:
        weights: What the words' sizes follow. Without any the picture says so.
        title: Whose words these are, for the text alternative and the SVG's title.
        catalogue: Gives the words around the picture.
        texts: Texts that use each word, for the text alternative; the weights are that where None.
        colour: The candidate's colour as `#rrggbb`, darkened until it can be read on white; `PALETTE` if None.
        sample: Whether the words are those of sample data; the picture then says so.
        seed: Seed of the layout and of the colours' choice.

    Returns:
        The picture as PNG of `WIDTH` by `HEIGHT` pixels and as SVG with its font embedded.
    """
    note = catalogue.text("cloud.sample") if sample else ""
    alt = alt_text(weights, title=title, catalogue=catalogue, texts=texts, sample=sample)
    heading = catalogue.text("cloud.title", title=title)
    cloud = _layout(weights, [readable(colour)] if colour else list(PALETTE), seed, HEIGHT - NOTE_HEIGHT * bool(note))
    no_words = catalogue.text("cloud.no_words")
    return Cloud(_png(cloud, note, no_words), _svg(cloud, note, no_words, heading, alt), alt)


def alt_text(
    weights: Mapping[str, float],
    *,
    title: str,
    catalogue: Catalogue,
    texts: Mapping[str, int] | None = None,
    sample: bool = False,
    words: int = 10,
) -> str:
    """What a cloud shows, in one or two sentences: its heaviest words with the texts that use them."""
    top = list(_drawn(weights))[:words]
    listed = ", ".join(f"{word} ({catalogue.count(int((texts or weights)[word]), 'text')})" for word in top)
    alt = catalogue.text("cloud.alt" if top else "cloud.alt_empty", title=title, words=listed)
    return f"{alt} {catalogue.text('cloud.sample')}." if sample else alt


def readable(colour: str) -> str:
    """A colour `#rrggbb`, darkened until its contrast with white is at least `MIN_CONTRAST`."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    while 1.05 / (_luminance(red, green, blue) + 0.05) < MIN_CONTRAST:
        red, green, blue = (int(part * 0.95) for part in (red, green, blue))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _luminance(*rgb: int) -> float:
    """Relative luminance of an sRGB colour, as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def font_path() -> str:
    """DejaVu Sans: wordcloud's own font has one width for all letters."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


def _drawn(weights: Mapping[str, float]) -> dict[str, float]:
    """The words that a cloud shows, the heaviest first; equal weights by word, so that the order given is none."""
    shown = ((word, n) for word, n in weights.items() if n > 0 and len(word) <= MAX_WORD_CHARACTERS)
    return dict(sorted(shown, key=lambda item: (-item[1], item[0])))


def _layout(weights: Mapping[str, float], colours: Sequence[str], seed: int, height: int) -> WordCloud | None:
    """The words in their places; None if there are none."""
    from wordcloud import WordCloud

    drawn = _drawn(weights)
    if not drawn:
        return None
    cloud = WordCloud(
        width=(WIDTH - 2 * MARGIN) // SCALE,
        height=(height - 2 * MARGIN) // SCALE,
        scale=SCALE,
        background_color="white",
        font_path=font_path(),
        max_words=MAX_WORDS,
        min_font_size=9,
        max_font_size=72,
        margin=2,
        prefer_horizontal=1,
        color_func=lambda *_, random_state, **__: random_state.choice(colours),
        random_state=seed,
    )
    return cloud.generate_from_frequencies(drawn)


def _png(cloud: WordCloud | None, note: str, no_words: str) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    height = HEIGHT - NOTE_HEIGHT * bool(note)
    if cloud:
        image.paste(cloud.to_image(), (MARGIN, MARGIN))
    else:
        font = ImageFont.truetype(font_path(), 48)
        draw.text((WIDTH / 2, height / 2), no_words, NO_WORDS_COLOUR, font, anchor="mm")
    if note:
        draw.rectangle((0, height, WIDTH, HEIGHT), NOTE_BACKGROUND)
        font = ImageFont.truetype(font_path(), NOTE_FONT_SIZE)
        draw.text((WIDTH / 2, height + NOTE_HEIGHT / 2), note, NOTE_COLOUR, font, anchor="mm")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _svg(cloud: WordCloud | None, note: str, no_words: str, heading: str, alt: str) -> str:
    height = HEIGHT - NOTE_HEIGHT * bool(note)
    middle = f'x="{WIDTH // 2}" text-anchor="middle" dominant-baseline="central"'
    if cloud:
        drawn = cloud.to_svg().partition(">")[2].removesuffix("</svg>")
        paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        words = f'{paper}<g transform="translate({MARGIN},{MARGIN})">{drawn}</g>'
        characters = "".join(word for (word, _), *_ in cloud.layout_)
    else:
        words = f'<text {middle} y="{height // 2}" font-size="48" fill="{NO_WORDS_COLOUR}">{escape(no_words)}</text>'
        characters = no_words
    strip = (
        f'<rect y="{height}" width="{WIDTH}" height="{NOTE_HEIGHT}" fill="{NOTE_BACKGROUND}"/>'
        f'<text {middle} y="{height + NOTE_HEIGHT // 2}" font-size="{NOTE_FONT_SIZE}" fill="{NOTE_COLOUR}">'
        f"{escape(note)}</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">'
        f'<title id="t">{escape(heading)}</title><desc id="d">{escape(alt)}</desc>'
        f"<style>{_font_face(characters + note)}text{{font-family:'DejaVu Sans',sans-serif}}</style>"
        f"{words}{strip if note else ''}</svg>"
    )


def _font_face(characters: str) -> str:
    """A CSS rule that holds the font for these characters; wordcloud's own embedding writes the hour into the font."""
    from fontTools import subset

    options = subset.Options(hinting=False, flavor="woff", ignore_missing_glyphs=True, drop_tables=["FFTM"])
    font = subset.load_font(font_path(), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    buffer = io.BytesIO()
    subset.save_font(font, buffer, options)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f"@font-face{{font-family:'DejaVu Sans';src:url(data:font/woff;base64,{data}) format('woff')}}"
