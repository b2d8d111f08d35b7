"""A small picture of the department map for places that show no page, such as Dagster's UI."""

from __future__ import annotations

import io
from collections.abc import Mapping

from election_assets.visuals.department_layers import NO_DATA_COLOUR
from election_assets.visuals.shapes import exteriors, mercator

WIDTH = 640
SCALE = 2
"""Drawn larger and scaled down, which smooths the borders."""
BORDER = "#ffffff"
TEXT_COLOUR = "#1a1a1a"


def map_preview(geojson: Mapping, colours: Mapping[str, str], legend: Mapping[str, str]) -> bytes:
    """Draws the shapes as PNG, with the legend where the sea is, west of the Channel.

    Args:
        geojson: Shapes whose features have the property `code`.
        colours: Colour of each department, as `#rrggbb`; one without is grey.
        legend: What each colour stands for, by its name.
    """
    from PIL import Image, ImageDraw, ImageFont

    from election_assets.visuals.word_cloud import font_path

    shapes = [
        (feature["properties"]["code"], [(longitude, mercator(latitude)) for longitude, latitude in ring])
        for feature in geojson["features"]
        for ring in exteriors(feature)
    ]
    longitudes = [x for _, ring in shapes for x, _ in ring]
    latitudes = [y for _, ring in shapes for _, y in ring]
    west, north = min(longitudes), max(latitudes)
    scale = WIDTH * SCALE / (max(longitudes) - west)
    height = round((north - min(latitudes)) * scale)
    image = Image.new("RGB", (WIDTH * SCALE, height), "white")
    draw = ImageDraw.Draw(image)
    for code, ring in shapes:
        points = [((x - west) * scale, (north - y) * scale) for x, y in ring]
        draw.polygon(points, fill=colours.get(code, NO_DATA_COLOUR), outline=BORDER)
    font = ImageFont.truetype(font_path(), 13 * SCALE)
    for row, (name, colour) in enumerate(legend.items()):
        top = (4 + 22 * row) * SCALE
        draw.rectangle((0, top, 16 * SCALE, top + 16 * SCALE), fill=colour)
        draw.text((24 * SCALE, top + 8 * SCALE), name, TEXT_COLOUR, font, anchor="lm")
    buffer = io.BytesIO()
    image.resize((WIDTH, height // SCALE), Image.Resampling.LANCZOS).quantize(64).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
