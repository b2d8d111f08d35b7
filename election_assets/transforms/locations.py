"""The French department behind an author's free-text location; precision before recall, so doubt means None."""

from __future__ import annotations

import csv
import gzip
import html
import io
import re
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import NamedTuple


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in text.split(","))


MAX_LENGTH = 200
"""Longer texts are no location; X itself allows 30 characters."""

DOMINANT_POPULATION = 20_000
DOMINANT_RATIO = 20
"""A name borne in several departments means the bearer with this population and this many times the others'."""

FAMOUS_POPULATION = 100_000
"""A commune this large is still believed beside a part that could not be read ('Lyon | vélo et café')."""

SMALL_WORD_POPULATION = 2_000
"""A one-word commune below this is as likely a surname, a joke or a common noun: it needs a second, agreeing part."""

SHORT_NAME_LENGTH = 3
SHORT_NAME_POPULATION = 20_000
"""Names of up to three letters need this population to stand alone (Pau, Gap and Dax do; Eu, Mer and Die do not)."""

ABROAD = "abroad"
"""Bearer added to names that reach across the border; never an answer."""

# Everyday French or English words that are also communes large enough to escape the rule on small one-word names, or
# phrases of several words. Those of at least EVERYDAY_POPULATION stand alone, but never beside an unread part.
EVERYDAY_POPULATION = 50_000
EVERYDAY_WORDS = (
    # common nouns
    _names(
        """
        avion, bras, brains, champagne, charmes, chars, chatte, cintre, cognac, condom, contes, cours, croix, drap,
        fontaine, gorges, graces, grenade, guise, hanches, isle, jardin, l hopital, l union, la couronne, la
        creche, la force, la garde, la machine, la montagne, la planche, la possession, la terrasse, la
        couture, la loupe, la mure, la flotte, la cavalerie, le cendre, le diamant, le marin, le moule, le palais, le
        passage, le port, le sequestre, le trait, les angles, angles, les arcs, les attaques, les fins, les touches,
        les pieux, ligne, lisses, mare, marines, marquise, mer, monnaie, orange, pierres, plaisir, revel,
        rives, roche, rots, rouille, rue, salles, sens, signes, tonnerre, tours, tresses, taule, l herbergement
        """
    )
    # adjectives, adverbs, verbs
    | _names(
        """
        abondant, ardentes, bonne, bouillante, change, chauve, la riche, la souterraine, le blanc, luisant,
        publier, rouge, sales, soyons, vif, nice, angers, ham, hem, die, bury, lure, mana, persan
        """
    )
    # forenames and saints, of whom there are hundreds
    | _names(
        """
        saint barthelemy, saint martin, albert, antony, leon, lorette, mathieu, nancy, noe, salome, vernon, saint
        nicolas
        """
    )
    # phrases
    | _names(
        """
        chateau rouge, cheval blanc, deux chaises, entre deux, la croix blanche, la grande fosse, la petite marche, le
        vieux bourg, les deux villes, maison rouge, nouvelle eglise, petite foret, petite ile, pire chance, sainte
        terre, vieux pont, vieux port, vieux bourg, village neuf
        """
    )
    # quarters of Paris, Lyon or Marseille better known than the commune
    | _names(
        """
        passy, auteuil, belleville, la villette, la chapelle
        """
    )
)

# Names of places outside France, in French and English, folded. One that is a French commune too (Bruges, Grenade,
# Cologne) only needs a second part to confirm it; any other rules France out.
FOREIGN_NAMES = (
    # Europe
    _names(
        """
        allemagne, germany, deutschland, autriche, austria, osterreich, belgique, belgium, belgie, belarus,
        bielorussie, bulgarie, bulgaria, croatie, croatia, chypre, cyprus, danemark, denmark, espagne, spain, espana,
        estonie, estonia, finlande, finland, grece, greece, hongrie, hungary, irlande, ireland, islande, iceland,
        italie, italy, italia, lettonie, latvia, lituanie, lithuania, luxembourg, malte, malta, moldavie, moldova,
        monaco, norvege, norway, pays bas, netherlands, hollande, holland, pologne, poland, polska, portugal,
        roumanie, romania, russie, russia, serbie, serbia, slovaquie, slovakia, slovenie, slovenia, suede, sweden,
        suisse, switzerland, schweiz, svizzera, tchequie, czechia, republique tcheque, ukraine, andorre, andorra,
        albanie, albania, kosovo, bosnie, bosnia, montenegro, macedoine, macedonia, vatican, saint marin, san marino,
        liechtenstein, jersey, guernesey, royaume uni, united kingdom, uk, u k, gb, grande bretagne, great britain,
        angleterre, england, ecosse, scotland, pays de galles, wales, wallonie, wallonia, flandres, vlaanderen, suisse
        romande, catalogne, catalunya, andalousie, toscane, sicile, sardaigne, baviere, valais, vaud, piemont,
        lombardie, aoste, londres, london, bruxelles, brussels, brussel, geneve, geneva, lausanne, berne, bern, bale,
        basel, zurich, fribourg, sion, neuchatel, montreux, lugano, delemont, nyon, liege, namur, mons, charleroi,
        tournai, anvers, antwerp, gand, gent, bruges, brugge, louvain, ostende, arlon, bastogne, wavre, spa, huy, ath,
        verviers, dinant, mouscron, waterloo, berlin, munich, hambourg, hamburg, francfort, frankfurt, cologne, koln,
        stuttgart, dusseldorf, treves, mayence, ulm, vienna, wien, madrid, barcelone, barcelona, seville, sevilla,
        valencia, grenade, cordoue, bilbao, malaga, pampelune, saragosse, tolede, lisbonne, lisbon, lisboa, porto,
        rome, roma, milan, milano, turin, torino, naples, venise, venice, florence, firenze, bologne, bologna, genes,
        pise, verone, sienne, parme, plaisance, palerme, amsterdam, rotterdam, la haye, copenhague, copenhagen,
        stockholm, oslo, helsinki, dublin, edimbourg, edinburgh, glasgow, manchester, liverpool, oxford, cambridge,
        bristol, varsovie, warsaw, cracovie, prague, budapest, bucarest, sofia, belgrade, zagreb, athenes, athens,
        corinthe, moscou, moscow, saint petersbourg, kiev, kyiv, lviv, minsk, istanbul, ankara
        """
    )
    # Americas
    | _names(
        """
        etats unis, etats unis d amerique, usa, u s a, us, u s, united states, united states of america, canada,
        quebec, mexique, mexico, bresil, brazil, brasil, argentine, argentina, chili, chile, perou, peru, colombie,
        colombia, venezuela, equateur, ecuador, bolivie, bolivia, uruguay, paraguay, cuba, haiti, republique
        dominicaine, jamaique, jamaica, panama, costa rica, guatemala, honduras, nicaragua, salvador, guyana,
        suriname, porto rico, puerto rico, dominique, sainte lucie, barbade, grenada, bahamas, trinidad, sint maarten,
        alabama, alaska, arizona, arkansas, california, californie, colorado, connecticut, delaware, florida, floride,
        georgia, hawaii, idaho, illinois, indiana, iowa, kansas, kentucky, louisiana, louisiane, maine, maryland,
        massachusetts, michigan, minnesota, mississippi, missouri, montana, nebraska, nevada, new hampshire, new
        jersey, new mexico, new york, new york city, nyc, north carolina, north dakota, ohio, oklahoma, oregon,
        pennsylvania, rhode island, south carolina, south dakota, tennessee, texas, utah, vermont, virginia, virginie,
        washington, washington dc, west virginia, wisconsin, wyoming, ontario, alberta, manitoba, saskatchewan, nova
        scotia, nouveau brunswick, new brunswick, colombie britannique, british columbia, terre neuve, newfoundland,
        beauce, montreal, toronto, ottawa, gatineau, vancouver, calgary, sherbrooke, trois rivieres, longueuil, levis,
        saguenay, rimouski, winnipeg, moncton, los angeles, san francisco, chicago, boston, miami, houston, dallas,
        seattle, new orleans, la nouvelle orleans, las vegas, detroit, atlanta, philadelphia, saint paul, rio de
        janeiro, sao paulo, buenos aires, bogota, lima, caracas, la paz, la havane, port au prince, monticello,
        princeton
        """
    )
    # Africa and the Indian Ocean
    | _names(
        """
        algerie, algeria, maroc, morocco, tunisie, tunisia, libye, libya, egypte, egypt, senegal, mali, niger,
        nigeria, tchad, chad, cameroun, cameroon, gabon, congo, rdc, drc, rd congo, cote d ivoire, ivory coast, benin,
        togo, ghana, burkina faso, burkina, guinee, guinea, mauritanie, mauritania, maurice, ile maurice, mauritius,
        madagascar, comores, comoros, seychelles, djibouti, ethiopie, ethiopia, kenya, ouganda, uganda, rwanda,
        burundi, tanzanie, tanzania, angola, mozambique, afrique du sud, south africa, namibie, zimbabwe, zambie,
        soudan, sudan, somalie, centrafrique, cap vert, cape verde, afrique, africa, maghreb, kabylie, sahara, alger,
        algiers, oran, constantine, annaba, bejaia, tizi ouzou, setif, casablanca, rabat, marrakech, tanger, fes,
        agadir, meknes, tunis, sfax, sousse, tripoli, le caire, cairo, alexandrie, dakar, thies, bamako, niamey,
        ndjamena, yaounde, douala, libreville, brazzaville, kinshasa, lubumbashi, abidjan, yamoussoukro, bouake,
        cotonou, porto novo, lome, accra, lagos, abuja, ouagadougou, conakry, nouakchott, antananarivo, tananarive,
        port louis, moroni, nairobi, kigali, johannesburg, le cap, cape town
        """
    )
    # Asia, Middle East, Oceania
    | _names(
        """
        israel, palestine, gaza, liban, lebanon, syrie, syria, jordanie, jordan, irak, iraq, iran, turquie, turkey,
        armenie, armenia, georgie, azerbaidjan, azerbaijan, arabie saoudite, saudi arabia, qatar, emirats, emirats
        arabes unis, uae, dubai, abu dhabi, doha, koweit, kuwait, yemen, oman, afghanistan, pakistan, inde, india,
        bangladesh, nepal, sri lanka, chine, china, japon, japan, coree, coree du sud, south korea, korea, vietnam,
        viet nam, laos, cambodge, cambodia, thailande, thailand, birmanie, malaisie, malaysia, singapour, singapore,
        indonesie, indonesia, philippines, taiwan, mongolie, kazakhstan, australie, australia, nouvelle zelande, new
        zealand, fidji, fiji, vanuatu, asie, asia, oceanie, amerique, america, beyrouth, beirut, jerusalem, tel aviv,
        bethleem, nazareth, damas, alep, bagdad, teheran, tokyo, kyoto, pekin, beijing, shanghai, hong kong, seoul,
        bangkok, hanoi, saigon, new delhi, mumbai, bombay, pondichery, sydney, melbourne, brisbane, auckland, port
        vila, jakarta, bali, manille, erevan, tbilissi
        """
    )
)

# Postal codes of the states of the USA and the provinces of Canada: foreign as a part's whole text or last word.
FOREIGN_CODES = _names(
    """
    ab, ak, al, ar, az, bc, ca, co, ct, dc, de, fl, ga, hi, ia, id, il, in, ks, ky, la, ma, mb, md, me, mi, mn,
    mo, ms, mt, nb, nc, nd, ne, nh, nj, nl, nm, ns, nv, ny, oh, ok, on, or, pa, pe, qc, ri, sc, sd, sk, tn, tx,
    ut, va, vt, wa, wi, wv, wy
    """
)

# Names in use that the reference table lacks, as the departments they cover: former regions, parts of regions, other
# names and spellings of departments.
OTHER_AREAS: dict[str, str] = {
    "alsace": "67 68",
    "lorraine": "54 55 57 88",
    "champagne ardenne": "08 10 51 52",
    "nord pas de calais": "59 62",
    "picardie": "02 60 80",
    "haute normandie": "27 76",
    "basse normandie": "14 50 61",
    "normandy": "14 27 50 61 76",
    "bourgogne": "21 58 71 89",
    "burgundy": "21 58 71 89",
    "franche comte": "25 39 70 90",
    "auvergne": "03 15 43 63",
    "rhone alpes": "01 07 26 38 42 69 73 74",
    "limousin": "19 23 87",
    "poitou charentes": "16 17 79 86",
    "aquitaine": "24 33 40 47 64",
    "midi pyrenees": "09 12 31 32 46 65 81 82",
    "languedoc roussillon": "11 30 34 48 66",
    "languedoc": "11 30 34 48",
    "roussillon": "66 38",
    "centre": "18 28 36 37 41 45",
    "provence": "04 13 83 84",
    "paca": "04 05 06 13 83 84",
    "cote d azur": "06 83",
    "french riviera": "06 83",
    "idf": "75 77 78 91 92 93 94 95",
    "region parisienne": "75 77 78 91 92 93 94 95",
    "grand paris": "75 77 78 91 92 93 94 95",
    "marne la vallee": "77 93 94",
    "brittany": "22 29 35 56",
    "breizh": "22 29 35 44 56",
    "corsica": "2A 2B",
    "savoies": "73 74",
    "pays de savoie": "73 74",
    "charentes": "16 17",
    "antilles": "971 972 977-978",
    "caraibes": "971 972 977-978",
    "pays basque": f"64 {ABROAD}",
    "basque country": f"64 {ABROAD}",
    "flandre": f"59 {ABROAD}",
    "bearn": "64",
    "cotes du nord": "22",
    "haute corse": "2B",
    "belfort territoire": "90",
    "reunion": "974",
    "ile de la reunion": "974",
    "ile reunion": "974",
    "reunion island": "974",
    "guyane francaise": "973",
    "french guiana": "973",
    "saint pierre miquelon": "975",
    "saint barth": "977-978",
    "saint barts": "977-978",
    "saint barthelemy antilles": "977-978",
    "saint martin antilles": "977-978",
    "saint martin saint barthelemy": "977-978",
    "saint barthelemy et saint martin": "977-978",
    "wallis": "986",
    "tahiti": "987",
    "polynesie": "987",
    "french polynesia": "987",
    "new caledonia": "988",
    "kanaky": "988",
    "paname": "75",
    "panam": "75",
    "la defense": "92",
    "cherbourg": "50",
    "sophia antipolis": "06",
    "saint quentin en yvelines": "78",
    "cergy pontoise": "95",
    "neuf trois": "93",
    "9 3": "93",
    "20": "2A 2B",
}

NEUTRAL_PARTS = _names(
    """
    eu, europe, european union, fr, france, france metropolitaine, french republic, hexagone, la france,
    metropole, republique francaise, ue, union europeenne
    """
)
"""Parts that say nothing of the department and cast no doubt on another part."""

CONNECTORS = frozenset({"france", "fr", "et", "ou", "and", "or"})
FRENCH_FLAGS = frozenset({"FR", "RE", "GP", "MQ", "GF", "YT", "NC", "PF", "BL", "MF", "PM", "WF", "EU"})
ARRONDISSEMENTS = {"paris": 20, "lyon": 9, "marseille": 16}
ROMAN_NUMERALS = [
    *("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"),
    *("xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii", "xviii", "xix", "xx"),
]
ARTICLES = frozenset({"le", "la", "les", "l"})

_INVISIBLE = re.compile(
    "[\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060\u20e3\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_NOT_A_PLACE = re.compile(r"\d[.,:]\d|\d\s*[+%€$°]|://|www\.")
_SEPARATOR = re.compile(r"[^\w\s'’‘.\-‐‑–—]+|_|[\r\n]")
_SPACED_DASH = re.compile(r"\s[-‐‑–—]+\s")
_NOT_A_WORD = re.compile(r"[\s'’‘.\-‐‑–—]+")
_LEAD_IN = re.compile(
    r"^(?:(?:(?:j habite|je vis|je reside|habite|vis|vit|reside|basee?|based|living|lives|i live|actuellement) )?"
    r"(?:a|en|in|dans)|ville de|commune de|city of) (?=.)"
)
_TRAILER = re.compile(r" (?:centre ville|centre|city|ville|metropole|intra muros)$")
_DEPARTMENT = re.compile(r"(?:le )?(?:departement|dept?|dpt)(?: (?:de la|de l|du|des|de|d))? (.+)")
_REGION = re.compile(r"(?:la )?region(?: (?:de la|de l|du|des|de|d))? (.+)")
_ARRONDISSEMENT = re.compile(
    r"(paris|lyon|marseille) (?:0?(\d{1,2})|([ivx]+)) ?(?:er|ere|e|eme|ieme|nd|nde)?(?: (?:arrondissement|arrdt|arr))?"
)
_SAINTS = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}


class Place(NamedTuple):
    """What a name can mean.

    Attributes:
        name: The folded name.
        bearers: Population by INSEE department code of each bearer; 0 where unknown.
        area: Whether a department, region, postcode or code bears the name, not only communes.
        weak: Whether the name means nothing unless an area or an unambiguous commune beside it agrees.
        everyday: Whether the name is an ordinary word as well.
    """

    name: str
    bearers: dict[str, int]
    area: bool = False
    weak: bool = False
    everyday: bool = False


class PlaceIndex(NamedTuple):
    """The reference table, compiled.

    Attributes:
        places: Every name, postcode and department code, folded.
        departments: Department names and codes alone, folded, to their INSEE codes.
        longest: Words in the longest name.
    """

    places: dict[str, Place]
    departments: dict[str, str]
    longest: int


def _plain_letters(text: str) -> str:
    """Returns the text without case, accents, invisible characters and compatibility forms (bold '𝐏𝐚𝐫𝐢𝐬')."""
    folded = text.lower() if text.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFKD", text)).casefold()
    return folded if folded.isascii() else folded.replace("œ", "oe").replace("æ", "ae")


def _name_key(folded: str) -> str:
    """Returns a folded name as words with single spaces, 'st' and 'ste' spelled out."""
    return " ".join(_SAINTS.get(word, word) for word in _NOT_A_WORD.split(folded) if word)


@lru_cache(maxsize=1)
def place_index() -> PlaceIndex:
    """Reads and compiles reference/places.csv.gz, once a process.

    Returns:
        The index of about 44,000 rows (`kind`, `name`, `department`, `population`).

    Raises:
        FileNotFoundError: The package was installed without its reference data.
    """
    packed = (resources.files("election_assets.reference") / "places.csv.gz").read_bytes()
    rows = csv.reader(io.StringIO(gzip.decompress(packed).decode("utf-8")))
    next(rows)
    bearers: dict[str, dict[str, int]] = {}
    areas: set[str] = set()
    departments: dict[str, str] = {}
    for kind, name, department, population in rows:
        # 'Château-Chinon (Ville)': what stands in parentheses only tells two neighbours apart.
        key = name if kind == "postcode" else _name_key(_plain_letters(name.partition(" (")[0]))
        known = bearers.setdefault(key, {})
        known[department] = max(known.get(department, 0), int(population))
        if kind == "department":
            departments[key] = department
            for code in (department, *department.split("-")):
                bearers[code.lower()] = {department: 0}
                areas.add(code.lower())
                departments[code.lower()] = department
        if kind in ("department", "region", "postcode"):
            areas.add(key)
    for name, codes in OTHER_AREAS.items():
        bearers.setdefault(name, {}).update(dict.fromkeys(codes.split(), 0))
        areas.add(name)
    for name in [key for key in areas if key[0].isalpha()]:
        # 'Le Nord' and "L'Est" are directions; other departments and regions are often given their article.
        if name != "nord":
            for article in ("le", "la", "les", "l"):
                if f"{article} {name}" not in bearers:
                    bearers[f"{article} {name}"] = bearers[name]
                    areas.add(f"{article} {name}")
    places = {name: _place(name, known, name in areas) for name, known in bearers.items()}
    return PlaceIndex(places, departments, max(name.count(" ") for name in places) + 1)


def _place(name: str, bearers: dict[str, int], area: bool) -> Place:
    everyday = name in EVERYDAY_WORDS
    population = max(bearers.values())
    if area:
        return Place(name, bearers, True, everyday and population < EVERYDAY_POPULATION, everyday)
    first, _, rest = name.partition(" ")
    one_word = not rest or (first in ARTICLES and " " not in rest)
    weak = (
        (one_word and population < SMALL_WORD_POPULATION)
        or (everyday and population < EVERYDAY_POPULATION)
        or (len(name) <= SHORT_NAME_LENGTH and population < SHORT_NAME_POPULATION)
        or name in FOREIGN_NAMES
    )
    return Place(name, bearers, False, weak, everyday)


def guess_department(location: str | None) -> str | None:
    """Guesses the department of a free-text location, or abstains.

    The text is split at separators and emoji; each part is read as a whole name, or as a run of names and codes
    ('69003 Lyon', 'Rennes Bretagne'). All parts that were read must agree on one department. A name borne in several
    departments abstains unless another part settles it or one bearer dominates (`DOMINANT_POPULATION`,
    `DOMINANT_RATIO`). A foreign place abstains. A part that cannot be read is accepted beside two agreeing names or a
    commune of `FAMOUS_POPULATION`.

    Args:
        location: The author's location as X gives it; None, NaN and '' are taken as no location.

    Returns:
        INSEE's code of the department ('01'..'95', '2A', '2B', '971'..'976', '977-978', '986', '987', '988'), or None
        when the text names none, several, only a region of several, or anything doubtful.
    """
    if not isinstance(location, str) or not location or len(location) > MAX_LENGTH:
        return None
    return _guess(location)


@lru_cache(maxsize=65_536)
def _guess(location: str) -> str | None:
    text = html.unescape(location)
    flags = {"".join(chr(ord(letter) - 0x1F1E6 + ord("A")) for letter in pair) for pair in _FLAG.findall(text)}
    doubt = bool(flags) and not flags & FRENCH_FLAGS
    text = re.sub(r"\bs/(?=\s*\w)", "sur ", _plain_letters(text))
    if _NOT_A_PLACE.search(text):
        return None
    found: dict[str, Place] = {}
    for part in _SEPARATOR.split(text):
        places = _read(_name_key(part))
        if places is None and _SPACED_DASH.search(part):
            pieces = [_read(_name_key(piece)) for piece in _SPACED_DASH.split(part)]
            doubt = doubt or None in pieces
            places = [place for piece in pieces if piece for place in piece]
        if places is None:
            doubt = True
            continue
        for place in places:
            if place.bearers.keys() == {ABROAD}:
                return None
            found[place.name] = place
    return _decide(list(found.values()), doubt)


def _read(key: str) -> list[Place] | None:
    """Reads one part: the places it names, [] when it says nothing, None when it cannot be read wholly."""
    if not key or key in NEUTRAL_PARTS:
        return []
    index = place_index()
    if key in index.places:
        return [index.places[key]]
    key = _TRAILER.sub("", _LEAD_IN.sub("", key))
    if key in index.places:
        return [index.places[key]]
    if match := _DEPARTMENT.fullmatch(key):
        code = index.departments.get(match[1])
        return None if code is None else [Place(match[1], {code: 0}, True)]
    if match := _REGION.fullmatch(key):
        place = index.places.get(match[1])
        return [place] if place is not None and place.area else None
    if match := _ARRONDISSEMENT.fullmatch(key):
        city, digits, roman = match.groups()
        number = int(digits) if digits else ROMAN_NUMERALS.index(roman) + 1 if roman in ROMAN_NUMERALS else 0
        if 1 <= number <= ARRONDISSEMENTS[city]:
            return [index.places[city]]
    if key.startswith("le ") and key[3:] in index.departments and key[3].isdigit():
        return [index.places[key[3:]]]
    return _read_words(key.split(), index)


def _read_words(words: list[str], index: PlaceIndex) -> list[Place] | None:
    """Reads words as a run of known names, the longest first; None when a word belongs to none; a foreign name wins."""
    places: list[Place] = []
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + index.longest), start, -1):
            name = " ".join(words[start:end])
            if name in index.places:
                places.append(index.places[name])
                break
            is_last = all(word.isdigit() for word in words[end:])
            if name in FOREIGN_NAMES or (name in FOREIGN_CODES and is_last):
                return [Place(name, {ABROAD: 0})]
            if name.isdigit() and len(name) == 5 and name.endswith("000") and name[:2] in index.departments:
                # '75000 Paris' is common, though no such postcode exists.
                places.append(index.places[name[:2]])
                break
            if name in CONNECTORS:
                break
        else:
            # 'Paris, born in Texas': what cannot be read may still name a foreign place.
            abroad = [word for word in words if len(word) > 3 and word in FOREIGN_NAMES and word not in index.places]
            return [Place(abroad[0], {ABROAD: 0})] if abroad else None
        start = end
    return places


def _dominant(bearers: dict[str, int]) -> str | None:
    """Returns the only bearer, or the one that is overwhelmingly larger than the others together."""
    largest = max(bearers, key=lambda code: bearers[code])
    others = sum(bearers.values()) - bearers[largest]
    alone = len(bearers) == 1
    dominates = bearers[largest] >= DOMINANT_POPULATION and bearers[largest] >= DOMINANT_RATIO * others
    return largest if alone or dominates else None


def _decide(places: list[Place], doubt: bool) -> str | None:
    solid = [place for place in places if not place.weak and (place.area or _dominant(place.bearers))]
    if not solid:
        return None
    if doubt and len(places) < 2:
        place = places[0]
        if place.area or place.everyday or max(place.bearers.values()) < FAMOUS_POPULATION:
            return None
    # 'Castres / Vernon': two clear communes are two places, even if small namesakes of both share a department.
    if len({_dominant(place.bearers) for place in solid if not place.area}) > 1:
        return None
    common = set.intersection(*(set(place.bearers) for place in places))
    if not common:
        return None
    for place in places:
        answer = _dominant({code: place.bearers[code] for code in common})
        if answer is not None and answer != ABROAD:
            return answer
    return None
