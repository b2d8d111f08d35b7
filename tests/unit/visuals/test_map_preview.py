"""The small picture shows each department in the colour of its leader, with a legend."""

import io

from PIL import Image

from election_assets.visuals.department_layers import NO_DATA_COLOUR, leader_colours
from election_assets.visuals.map_preview import map_preview
from tests.unit.visuals.pages import FRENCH, results, shapes


def colours_of(png: bytes) -> set[str]:
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in image.getcolors(image.width * image.height)}


def test_the_leaders_are_those_of_the_first_round():
    colours, legend = leader_colours(results(), FRENCH)
    assert len(colours) == 107
    names = {colour: name for name, colour in legend.items()}
    leaders = [names[colour] for colour in colours.values()]
    assert {name: leaders.count(name) for name in legend} == {"MACRON": 44, "LE PEN": 47, "FILLON": 9, "MÉLENCHON": 7}
    assert names[colours["2A"]] == "LE PEN"


def test_a_tie_is_its_own_colour():
    found = results()
    first = found[(found["round"] == 1) & (found["department"] == "01")].copy()
    first["votes"] = 10
    colours, legend = leader_colours(first, FRENCH)
    assert list(legend) == ["Égalité"]
    assert colours == {"01": legend["Égalité"]}


def test_every_colour_of_the_legend_is_drawn_and_what_has_none_is_grey():
    colours, legend = leader_colours(results(), FRENCH)
    del colours["33"]
    drawn = colours_of(map_preview(shapes(), colours, legend))

    def near(wanted: str) -> bool:
        parts = [int(wanted[at : at + 2], 16) for at in (1, 3, 5)]
        return any(
            all(abs(int(found[at : at + 2], 16) - part) < 6 for at, part in zip((1, 3, 5), parts, strict=True))
            for found in drawn
        )

    assert all(near(colour) for colour in [*legend.values(), NO_DATA_COLOUR])
    assert not any(near(colour) for colour in ("#123456", "#ff00ff"))
