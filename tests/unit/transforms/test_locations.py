"""guess_department against hand-labelled locations, and what must hold for any text."""

import csv
import gzip
import unicodedata
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.transforms.locations import MAX_LENGTH, guess_department, place_index

# Judged by hand: the department that a careful reader would be sure of, None where they would not be.
PRECISE = {
    "Paris": "75",
    "Paris, France": "75",
    "Lyon, France": "69",
    "Lyon (69)": "69",
    "69003 Lyon": "69",
    "Lyon 69003": "69",
    "75000 Paris": "75",
    "Marseille": "13",
    "MARSEILLE": "13",
    "marseille, france": "13",
    "Toulouse": "31",
    "Nice": "06",
    "Nice, Côte d'Azur": "06",
    "Nantes": "44",
    "Nantes 44": "44",
    "44 Nantes": "44",
    "Lille": "59",
    "Lille, Nord-Pas-de-Calais": "59",
    "Lille, Hauts-de-France": "59",
    "Rennes - Bretagne": "35",
    "Rennes Bretagne": "35",
    "Rennes-Bretagne": "35",
    "Strasbourg, Alsace": "67",
    "Bordeaux, Aquitaine": "33",
    "Bordeaux métropole": "33",
    "Saint-Étienne": "42",
    "St Etienne": "42",
    "Saint Etienne (Loire)": "42",
    "Clermont-Ferrand": "63",
    "Aix-en-Provence": "13",
    "AIX EN PROVENCE": "13",
    "Le Havre": "76",
    "Le Mans, Pays de la Loire": "72",
    "Villeurbanne | Rhône": "69",
    "Boulogne-Billancourt": "92",
    "Saint-Germain-en-Laye": "78",
    "St-Germain en Laye, Yvelines": "78",
    "Sainte-Geneviève-des-Bois (91)": "91",
    "Villeneuve s/ Lot": "47",
    "L’Haÿ-les-Roses": "94",
    "Pau": "64",
    "Dax, Landes": "40",
    "Bayonne, Pays Basque": "64",
    "Tours": "37",
    "Tours, Centre-Val de Loire": "37",
    "Sens (89)": "89",
    "Sens, Yonne": "89",
    "Us, Val d'Oise": "95",
    "Bruges, Gironde": "33",
    "Vienne (38)": "38",
    "Vienne, Isère": "38",
    "Département de la Vienne": "86",
    "Valence (26)": "26",
    "Valence, Drôme": "26",
    "Montreuil, Seine-Saint-Denis": "93",
    "Saint-Denis (93)": "93",
    "Saint-Denis, La Réunion": "974",
    "Saint-Denis 974": "974",
    "93200 Saint-Denis": "93",
    "Département du Nord": "59",
    "Nord (59)": "59",
    "Nord": "59",
    "Dépt 44": "44",
    "Seine Saint Denis": "93",
    "seine-saint-denis, france": "93",
    "93": "93",
    "le 93": "93",
    "Neuf-Trois": "93",
    "9-3": "93",
    "2A": "2A",
    "Haute-Corse": "2B",
    "Ajaccio, Corse": "2A",
    "Bastia (Corse)": "2B",
    "Paris 11e": "75",
    "Paris 11ème": "75",
    "Paris XVI": "75",
    "Paris 20e arrondissement": "75",
    "Marseille 13": "13",
    "Marseille 8ème": "13",
    "Lyon 7e": "69",
    "Île de la Réunion": "974",
    "La Réunion": "974",
    "Reunion Island": "974",
    "Martinique": "972",
    "Fort-de-France, Martinique": "972",
    "Guadeloupe 🇬🇵": "971",
    "Guyane": "973",
    "Cayenne, Guyane française": "973",
    "Mayotte": "976",
    "Nouméa, Nouvelle-Calédonie": "988",
    "Nouvelle Calédonie": "988",
    "Tahiti": "987",
    "Polynésie française": "987",
    "Papeete": "987",
    "Wallis et Futuna": "986",
    "Saint-Pierre-et-Miquelon": "975",
    "Saint-Barth": "977-978",
    "Saint-Martin (97150)": "977-978",
    "Le Var": "83",
    "L'Ain": "01",
    "Les Landes": "40",
    "Finistère, Bretagne": "29",
    "Haute Savoie": "74",
    "Hérault, Occitanie": "34",
    "J'habite à Lyon": "69",
    "Basé à Grenoble": "38",
    "Based in Paris": "75",
    "Ville de Paris": "75",
    "Paris intra-muros": "75",
    "Lyon | dev & café": "69",
    "Toulouse - amoureux du rugby": "31",
    "📍Paris": "75",
    "Paris 🇫🇷": "75",
    "🇫🇷 Lille ❤️": "59",
    "𝐏𝐚𝐫𝐢𝐬": "75",
    "Gre\u200bnoble": "38",
    "<b>Lyon</b>": "69",
    "Lyon &amp; Villeurbanne": "69",
    "Évry-Courcouronnes": "91",
    "Annecy-le-Vieux": "74",
    "Paname": "75",
    "La Défense": "92",
    "Île-de-France, Paris": "75",
    "Sceaux, Hauts-de-Seine": "92",
    "Orange, Vaucluse": "84",
    "Eu, Seine-Maritime": "76",
    # Right, but beyond a reader that will not guess at sentences, small villages or names that INSEE writes otherwise
    # (Montreuil-sur-Mer): counted as coverage lost.
    "Vivant près de la gare de Lyon à Paris": "75",
    "Lyonnais exilé à Paris": "75",
    "Nord Finistère": "29",
    "Neuilly, Paris 92": "92",
    "Conques": "12",
    "Lomme": "59",
    "Montreuil (62)": "62",
}
OUT_OF_REACH = {
    "Vivant près de la gare de Lyon à Paris",
    "Lyonnais exilé à Paris",
    "Nord Finistère",
    "Neuilly, Paris 92",
    "Conques",
    "Lomme",
    "Montreuil (62)",
}
AMBIGUOUS = [
    "Saint-Denis",
    "St Denis, France",
    "Saint-Étienne-de-X",
    "Saint-Martin",
    "Saint-Barthélemy",
    "Saint-Pierre",
    "Sainte-Marie",
    "Valence",
    "Vienne",
    "Montréal",
    "Corse",
    "Bretagne",
    "Région Bretagne",
    "Alsace, France",
    "Île-de-France",
    "PACA",
    "Normandie",
    "Pays Basque",
    "Antilles",
    "Le Nord",
    "Dans le nord",
    "Paris / Marseille",
    "Paris-Marseille",
    "Paris ↔ Lyon",
    "Lyon ❤️ Paris",
    "entre Lyon et Grenoble",
    "Lyon et Grenoble",
    "Paris & banlieue de Lille, Lille",
    "75/92",
    "Lyon (42)",
    "Paris 92",
    "Nord, Isère",
    "près de Lyon",
    "région lyonnaise",
    "banlieue parisienne",
    "Marne-la-Vallée",
    "Castres, Vernon",
    "20000 lieues sous les mers",
]
ABSURD = [
    "France",
    "FRANCE 🇫🇷",
    "Europe",
    "Monde",
    "Terre",
    "La Terre",
    "Planète Terre",
    "Ici",
    "Ailleurs",
    "ici et là",
    "Lune",
    "Sur la Lune",
    "Paradis",
    "Bonheur",
    "Y",
    "Us",
    "Au",
    "Ger",
    "Sens",
    "Sens de la vie",
    "Mer",
    "Die",
    "Plaisir",
    "La Montagne",
    "La Machine",
    "Vieux-Port",
    "Château Rouge",
    "Nice try",
    "Nice, try again",
    "Tours du monde",
    "Nancy, mom of two",
    "Dans ton cœur",
    "Derrière toi",
    "Narnia",
    "Poudlard",
    "Quelque part",
    "J'adore Paris",
    "Pas à Paris",
    "Parisien",
    "Parisette",
    "Lyonel",
    "PSG",
    "18+",
    "24/7",
    "100%",
    "2022",
    "ÜT: 48.8566,2.3522",
    "48.85, 2.35",
    "https://paris.fr",
    "Somme, toute",
]
FOREIGN = [
    "Paris, Texas",
    "Paris, TX",
    "Paris TX",
    "Paris, TX 75460",
    "Paris, Ontario",
    "Paris, London",
    "Valence, Espagne",
    "Brest, Belarus",
    "Bruxelles",
    "Bruges",
    "Bruges, Belgique",
    "Montréal, Québec",
    "Laval, QC",
    "Londres",
    "Genève",
    "Vienne, Autriche",
    "Cologne",
    "Grenade",
    "Alger, Algérie",
    "Dakar",
    "Abidjan - Paris",
    "New York",
    "90210",
    "St. Paul, Minnesota",
    "Orléans, Ottawa",
    "Port-Louis, Maurice",
    "Valence 🇪🇸",
    "Beijing",
    "Москва",
    "Москва, Paris, Россия и Texas",
    "東京",
]
HOSTILE = [
    "",
    " ",
    "\x00",
    "\x00\x1b[31m\x07",
    "🙂",
    "🇫🇷",
    "🇫",
    "👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "’’’---///",
    "()[]{}",
    "&#x110000;",
    "&lt;script&gt;",
    "Paris " * 10_000,
    "," * 150,
    "a" * MAX_LENGTH,
    "̀" * 150,
    "ﷺ" * 150,
    "\ud800",
    "'; DROP TABLE tweets; --",
    "../../etc/passwd",
]
LABELLED = [*PRECISE.items(), *((text, None) for text in [*AMBIGUOUS, *ABSURD, *FOREIGN, *HOSTILE])]


def reference(kind: str) -> list[tuple[str, str]]:
    packed = (resources.files("election_assets.reference") / "places.csv.gz").read_bytes()
    rows = csv.DictReader(gzip.decompress(packed).decode("utf-8").splitlines())
    return [(row["name"], row["department"]) for row in rows if row["kind"] == kind]


COMMUNES = [name for name, _ in reference("commune")]
DEPARTMENTS = reference("department")
CODES = {code for _, code in DEPARTMENTS}
pieces = st.one_of(
    st.text(max_size=12),
    st.sampled_from(COMMUNES),
    st.sampled_from([name for name, _ in DEPARTMENTS] + sorted(CODES)),
    st.sampled_from(
        ["France", "🇫🇷", " - ", ", ", "/", "(", ")", "st ", "à ", "Texas", "TX", "69003", "11e", "\x00", "s/ "]
    ),
)


@pytest.mark.parametrize(("location", "department"), LABELLED, ids=lambda value: repr(value)[:40])
def test_labelled_location(location, department):
    expected = None if location in OUT_OF_REACH else department
    assert guess_department(location) == expected


def test_table_is_large_and_its_guesses_are_never_wrong():
    guesses = [(guess_department(text), department) for text, department in LABELLED]
    placed = [(guess, department) for guess, department in guesses if guess is not None]
    assert len(LABELLED) >= 250
    assert all(guess == department for guess, department in placed)
    assert len(placed) == len(PRECISE) - len(OUT_OF_REACH) >= 0.9 * len(PRECISE)


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_a_missing_location_is_no_department(nothing):
    assert guess_department(nothing) is None


@pytest.mark.parametrize(("name", "code"), DEPARTMENTS)
def test_every_department_resolves(name, code):
    for part in code.split("-"):
        assert guess_department(f"({part})") == code
        assert guess_department(part.lower()) == code
        assert guess_department(f"{name} ({part})") == code
    assert guess_department(f"département {name}") == code
    # Vienne is a commune of Isère and Austria's capital too; the other two are communes of several departments.
    alone = None if name in ("Vienne", "Saint-Barthélemy", "Saint-Martin") else code
    assert guess_department(name) == alone


def test_regions_of_one_department_alone_resolve():
    departments: dict[str, set[str]] = {}
    for name, code in reference("region"):
        departments.setdefault(name, set()).add(code)
    ambiguous = {"Saint-Barthélemy", "Saint-Martin"}
    for name, codes in departments.items():
        expected = next(iter(codes)) if len(codes) == 1 and name not in ambiguous else None
        assert guess_department(name) == expected, name


def test_every_large_commune_is_its_own_department_or_abstains():
    bearers: dict[str, set[str]] = {}
    for name, code in reference("commune"):
        bearers.setdefault(name, set()).add(code)
    wrong = {name for name, codes in bearers.items() if guess_department(name) not in codes | {None}}
    # Departments and regions that are overwhelmingly larger than the commune of their name.
    assert wrong <= {"Indre", "Loiré", "Landes", "Vaucluse", "La Réunion", "Allier", "Aube", "Creuse"}


def test_a_commune_with_its_department_resolves_to_it():
    names = {code: name for name, code in DEPARTMENTS}
    asked = reference("commune")[::37]
    answers = {(name, code): guess_department(f"{name}, {names[code]}") for name, code in asked}
    assert not {key: answer for key, answer in answers.items() if answer not in (key[1], None)}
    assert sum(answer is not None for answer in answers.values()) >= 0.99 * len(asked)


def test_the_index_is_built_once():
    assert place_index() is place_index()
    assert len(place_index().places) > 35_000


@given(st.one_of(st.text(), st.lists(pieces, max_size=6).map("".join), st.lists(pieces, max_size=4).map(", ".join)))
def test_any_text_gives_a_known_code_or_none(location):
    assert guess_department(location) in CODES | {None}


@given(st.sampled_from(COMMUNES))
def test_france_adds_nothing_to_a_commune(name):
    assert guess_department(f"{name}, France") == guess_department(name)
    assert guess_department(f"{name} 🇫🇷") == guess_department(name)


@given(st.one_of(st.sampled_from(COMMUNES), st.sampled_from(sorted(PRECISE))))
def test_case_accents_and_hyphens_do_not_matter(name):
    plain = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    answer = guess_department(name)
    assert guess_department(name.upper()) == answer
    assert guess_department(name.lower()) == answer
    assert guess_department(plain) == answer
    assert guess_department(unicodedata.normalize("NFD", name)) == answer
    assert guess_department(f"  {name}\n") == answer


@given(st.sampled_from(COMMUNES), st.sampled_from(COMMUNES))
def test_the_order_of_parts_does_not_matter(first, second):
    assert guess_department(f"{first} / {second}") == guess_department(f"{second} / {first}")


@given(st.sampled_from(COMMUNES), st.sampled_from(["Texas", "Belgique", "Québec", "London", "Algérie"]))
def test_a_foreign_part_rules_france_out(name, abroad):
    assert guess_department(f"{name}, {abroad}") is None
    assert guess_department(f"{abroad} - {name}") is None
