"""The geometry that the drawings of the map share: the rings of a shape, Mercator's projection, hatching."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

HATCH_STEP = 0.2
"""Degrees between two lines of a hatching along a parallel; a shape too small for four of them has four."""


def rings(feature: Mapping) -> Iterator[Sequence[Sequence[float]]]:
    """The rings of a GeoJSON feature of polygons, exterior ones and holes: longitude and latitude of each point."""
    for polygon in _polygons(feature):
        yield from polygon


def exteriors(feature: Mapping) -> Iterator[Sequence[Sequence[float]]]:
    """The rings without the holes."""
    for polygon in _polygons(feature):
        yield polygon[0]


def mercator(latitude: float) -> float:
    """Mercator's ordinate of a latitude, both in degrees, so that a degree is as long as one of longitude."""
    return math.degrees(math.asinh(math.tan(math.radians(latitude))))


def latitude_of(ordinate: float) -> float:
    """The latitude of Mercator's ordinate, both in degrees."""
    return math.degrees(math.atan(math.sinh(math.radians(ordinate))))


def hatching(feature: Mapping) -> tuple[list[float | None], list[float | None]]:
    """Lines at 45 degrees across a shape, on Mercator's map.

    A line runs within the shape between its first and second crossing of the rings, its third and fourth, and so on:
    holes and islands need no care.

    Returns:
        Longitudes and latitudes of the lines' ends; None parts a line from the next.
    """
    edges = [
        ((x, mercator(y)), (x_next, mercator(y_next)))
        for ring in rings(feature)
        for (x, y), (x_next, y_next) in pairwise(ring)
    ]
    # On a line of the hatching y - x is the same.
    offsets = [y - x for (x, y), _ in edges]
    low, high = min(offsets), max(offsets)
    step = min(HATCH_STEP, (high - low) / 5)
    longitudes: list[float | None] = []
    latitudes: list[float | None] = []
    for number in range(1, math.ceil((high - low) / step)):
        offset = low + number * step
        crossings = []
        for (x, y), (x_next, y_next) in edges:
            before, after = y - x - offset, y_next - x_next - offset
            if (before <= 0) != (after <= 0):
                crossings.append(x + (x_next - x) * before / (before - after))
        crossings.sort()
        for start, end in zip(crossings[::2], crossings[1::2], strict=True):
            longitudes += [round(start, 3), round(end, 3), None]
            latitudes += [round(latitude_of(start + offset), 3), round(latitude_of(end + offset), 3), None]
    return longitudes, latitudes


def _polygons(feature: Mapping) -> Sequence[Sequence[Sequence[Sequence[float]]]]:
    geometry = feature["geometry"]
    return geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
