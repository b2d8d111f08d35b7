"""The hatching of a shape lies within it and nowhere else; Mercator's ordinate and back is the same latitude."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.visuals.shapes import HATCH_STEP, hatching, latitude_of, mercator, rings
from tests.unit.visuals.pages import shapes

SQUARE = [[0, 0], [0, 2], [2, 2], [2, 0], [0, 0]]
HOLE = [[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5], [0.5, 0.5]]


def shape(*polygons: list) -> dict:
    if len(polygons) == 1:
        return {"geometry": {"type": "Polygon", "coordinates": polygons[0]}}
    return {"geometry": {"type": "MultiPolygon", "coordinates": list(polygons)}}


def lines(feature: dict) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    longitudes, latitudes = hatching(feature)
    assert longitudes[2::3] == latitudes[2::3] == [None] * (len(longitudes) // 3)
    points = list(zip(longitudes, latitudes, strict=True))
    return list(zip(points[::3], points[1::3], strict=True))


@given(st.floats(-85, 85))
def test_a_latitude_survives_the_projection(latitude):
    assert latitude_of(mercator(latitude)) == pytest.approx(latitude, abs=1e-9)


def test_mercators_ordinate_is_the_published_one():
    # The square of the world's web maps ends at this latitude, where the ordinate is half its width.
    assert mercator(85.05112878) == pytest.approx(180)
    assert mercator(0) == 0
    assert mercator(48.85) == pytest.approx(math.degrees(math.log(math.tan(math.pi / 4 + math.radians(48.85) / 2))))


def test_a_square_is_hatched_from_side_to_side():
    found = lines(shape([SQUARE]))
    assert len(found) == math.ceil(2 * mercator(2) / HATCH_STEP) - 1
    for (west, south), (east, north) in found:
        assert mercator(north) - mercator(south) == pytest.approx(east - west, abs=2e-3)
        assert east >= west
        assert west == 0 or south == 0
        assert east == 2 or north == 2


def test_a_hole_and_the_sea_between_islands_are_left_free():
    holed = lines(shape([SQUARE, HOLE]))
    assert len(holed) > len(lines(shape([SQUARE])))
    assert not any(0.51 < (west + east) / 2 < 1.49 and 0.51 < (south + north) / 2 < 1.49
                   for (west, south), (east, north) in holed)  # fmt: skip
    island = [[x + 5, y] for x, y in SQUARE]
    both = lines(shape([SQUARE], [island]))
    assert both
    assert all(east <= 2 or west >= 5 for (west, _), (east, _) in both)


def test_every_department_can_be_hatched_even_the_smallest():
    for feature in shapes()["features"]:
        found = lines(feature)
        assert len(found) >= 4, feature["properties"]
        points = [point for ring in rings(feature) for point in ring]
        for side in (0, 1):
            low, high = min(point[side] for point in points), max(point[side] for point in points)
            assert all(low - 1e-3 <= end[side] <= high + 1e-3 for line in found for end in line)
