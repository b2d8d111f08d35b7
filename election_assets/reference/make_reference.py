"""The record of how the files of this folder were made; nothing imports it at run time.

    python -m election_assets.reference.make_reference departments DECOUPAGE_DATA
    python -m election_assets.reference.make_reference shapes FRANCE_GEOJSON
    python -m election_assets.reference.make_reference results ROUND_1 ROUND_2

`DECOUPAGE_DATA` is the folder `data` of the npm package @etalab/decoupage-administratif 6.0.0, `FRANCE_GEOJSON` the
file `lib/countries/france.geojson` of @superset-ui/legacy-plugin-chart-country-map 0.20.3, and the rounds are the
ministry's results by department. Run in this order: the later ones read `departments.csv`.
"""

import csv
import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).parent
MINISTRY_CODES = {
    "971": "ZA",
    "972": "ZB",
    "973": "ZC",
    "974": "ZD",
    "975": "ZS",
    "976": "ZM",
    "977-978": "ZX",
    "986": "ZW",
    "987": "ZP",
    "988": "ZN",
}
OVERSEAS_SHAPES = {"971": "FR-GP", "972": "FR-MQ", "973": "FR-GF", "974": "FR-RE", "976": "FR-YT"}
SQUARES = ["975", "977-978", "986", "987", "988", "ZZ"]
# Insets and squares stand in two rows of the same columns, apart enough for a name beneath each on a phone. In degrees:
# the first column's centre, the step between columns, the insets' middle, the squares' top edge and side. The side in
# latitude is shortened by the cosine of 40 degrees, so that Mercator's projection draws a square.
COLUMN, STEP, INSET_MIDDLE, SQUARE_TOP, SQUARE_SIDE = -4.1, 2.5, 41.6, 40.2, 1.2
DECIMALS = 3


def _read_json(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))


def make_departments(folder: Path) -> None:
    """Write departments.csv: INSEE's departments and collectivities that vote, with their population."""
    regions = {region["code"]: region["nom"] for region in _read_json(folder / "regions.json")}
    population: dict[str, int] = {}
    for commune in _read_json(folder / "communes.json"):
        if commune["type"] == "commune-actuelle":
            code = commune["departement"]
            population[code] = population.get(code, 0) + commune.get("population", 0)
    rows = []
    for department in _read_json(folder / "departements.json"):
        code, zone = department["code"], department["zone"]
        if population[code] == 0 or code in ("977", "978"):
            continue
        kind = {"metro": "metropolitan", "drom": "overseas department", "com": "collectivity"}[zone]
        shape = f"square-{code}" if zone == "com" else OVERSEAS_SHAPES.get(code, f"FR-{code}")
        region = "" if zone == "com" else regions[department["region"]]
        rows.append([code, department["nom"], region, population[code], MINISTRY_CODES.get(code, code), shape, kind])
    both = population["977"] + population["978"]
    rows.append(["977-978", "Saint-Barthélemy et Saint-Martin", "", both, "ZX", "square-977-978", "collectivity"])
    rows.append(["ZZ", "Français établis hors de France", "", "", "ZZ", "square-ZZ", "abroad"])
    with (HERE / "departments.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["department", "department_name", "region", "population", "ministry_code", "shape_id", "kind"])
        writer.writerows(sorted(rows))


def _departments() -> list[dict[str, str]]:
    with (HERE / "departments.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _rounded(ring: list[list[float]], *, exterior: bool) -> list[list[float]]:
    """The ring in fewer decimals; d3-geo wants exterior rings clockwise and holes anticlockwise."""
    points: list[list[float]] = []
    for lon, lat in ring:
        point = [round(lon, DECIMALS), round(lat, DECIMALS)]
        if not points or points[-1] != point:
            points.append(point)
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points))
    return points if (twice_area < 0) == exterior else points[::-1]


def _polygon(rings: list[list[list[float]]]) -> list[list[list[float]]]:
    return [_rounded(ring, exterior=number == 0) for number, ring in enumerate(rings)]


def _moved(polygons: list, number: int) -> list:
    """The inset, around the middle of its column."""
    points = [point for polygon in polygons for point in polygon[0]]
    (west, east), (south, north) = ((min(values), max(values)) for values in zip(*points, strict=True))
    right, up = COLUMN + number * STEP - (west + east) / 2, INSET_MIDDLE - (south + north) / 2
    return [[[[lon + right, lat + up] for lon, lat in ring] for ring in polygon] for polygon in polygons]


def _square(number: int) -> dict:
    west = COLUMN + number * STEP - SQUARE_SIDE / 2
    east, north, south = west + SQUARE_SIDE, SQUARE_TOP, SQUARE_TOP - SQUARE_SIDE * 0.766
    ring = [[west, south], [west, north], [east, north], [east, south], [west, south]]
    return {"type": "Polygon", "coordinates": _polygon([ring])}


def make_shapes(france: Path) -> None:
    """Write departments.geojson: one feature a row of departments.csv, with properties `code` and `name`."""
    geometries = {}
    insets = list(OVERSEAS_SHAPES.values())
    for feature in json.loads(france.read_text(encoding="utf-8"))["features"]:
        geometry = feature["geometry"]
        parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        iso = feature["properties"]["ISO"]
        if iso in insets:
            parts = _moved(parts, insets.index(iso))
        geometries[iso] = {
            "type": "MultiPolygon",
            "coordinates": [_polygon(part) for part in parts],
        }
    for number, code in enumerate(SQUARES):
        geometries[f"square-{code}"] = _square(number)
    features = [
        {
            "type": "Feature",
            "id": row["department"],
            "properties": {"code": row["department"], "name": row["department_name"]},
            "geometry": geometries[row["shape_id"]],
        }
        for row in _departments()
    ]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    text = f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
    (HERE / "departments.geojson").write_text(text, encoding="utf-8")


def make_results(first: Path, second: Path) -> None:
    """Write results_2017.csv from the ministry's two files by department."""
    from election_assets.transforms.results import load_results

    load_results([first, second]).to_csv(HERE / "results_2017.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    makers: dict[str, Callable[..., None]] = {
        "departments": make_departments,
        "shapes": make_shapes,
        "results": make_results,
    }
    makers[what](*map(Path, paths))
