"""The rules of French tone one by one: how far each reaches, what it leaves of a tone, which words have none."""

import pytest

from election_assets.transforms.sentiment import french, lexicon, rules

ANALYZER = french.FrenchTweetAnalyzer()
TONES = ("positive", "negative", "inferred positive", "inferred negative")


def features(text):
    return dict(zip(rules.FEATURES, ANALYZER.read(text).features, strict=True))


def net(text):
    return features(text)["net"]


def label(text):
    return ANALYZER.analyze(text).label


def spaced(before, number, after):
    return f"{before} {'zyx ' * number}{after}"


@pytest.mark.parametrize(
    ("before", "after", "farthest"),
    [("pas", "bon", 4), ("rien", "bon", 4), ("sans", "bon", 2), ("aucun", "bon", 2), ("peu", "bon", 1)],
)
def test_a_negation_turns_praise_as_far_as_it_reaches(before, after, farthest):
    assert net(spaced(before, farthest, after)) < 0 < net(spaced(before, farthest + 1, after))


def test_ne_finds_its_pas_within_six_words():
    assert net(spaced("ne bon", 4, "pas")) < 0 < net(spaced("ne bon", 5, "pas"))


def test_an_intensifier_reaches_two_words():
    assert net(spaced("très", 1, "bon")) > net("bon")
    assert net(spaced("très", 2, "bon")) == net("bon")


def test_what_is_reduced_is_five_words_away_at_most():
    assert features(spaced("diminuer", 4, "crise"))["negative"] == 0
    assert features(spaced("diminuer", 5, "crise"))["negative"] > 0


def test_contre_is_three_words_from_the_fight_at_most():
    assert features(spaced("loi", 2, "contre crise"))["negative"] == 0
    assert features(spaced("loi", 3, "contre crise"))["negative"] > 0


def test_what_recedes_stands_three_words_before_at_most():
    assert features("la pollution est en baisse")["negative"] == 0
    assert features("la pollution va est en baisse")["negative"] > 0


def test_thanks_are_for_something_six_words_away_at_most():
    assert features(spaced("merci", 5, "crise..."))["positive"] == 0
    assert features(spaced("merci", 6, "crise..."))["positive"] > 0


def test_encore_is_five_words_from_praise_and_from_blame_at_most():
    assert features(spaced("bravo", 4, ", encore un échec"))["positive"] == 0
    assert features(spaced("bravo", 5, ", encore un échec"))["positive"] > 0
    assert features(spaced("bravo, encore un", 3, "échec"))["positive"] == 0
    assert features(spaced("bravo, encore un", 4, "échec"))["positive"] > 0


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        ("pas bon", "mauvais"),
        ("un peu mauvais", "mauvais"),
        ("BON", "très bon"),
        ("bon", "BON"),
        ("bon mais zyx", "bon zyx"),
        ("bon", "zyx mais bon"),
        ("bon 🙃", "mauvais 🙃"),
        ("qui est bon ?", "il est bon ?"),
        ("éviter la misère", "une réussite"),
        ("assez bon", "bon"),
    ],
)
def test_a_rule_leaves_some_of_a_tone_and_less_than_another(weaker, stronger):
    assert 0 < abs(net(weaker)) < abs(net(stronger))
    assert net(weaker) * net(stronger) > 0


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Une personne sincère", 1),
        ("La plus belle personne du monde", 1),
        ("Personne n'est sincère", -1),
        ("Je ne vois personne d'honnête ici", -1),
        ("Elle marque un joli point", 1),
        ("Il n'est point honnête", -1),
        ("Sans doute une belle journée", 1),
        ("Sans aucun doute, il est brillant", 1),
        ("Pourquoi pas, ce projet est beau", 1),
        ("Aucun problème, elle est adorable", 1),
        ("Il n'a pas répondu, c'est brillant", 1),
        ("Je n'y étais pas, quelle belle fête", 1),
        ("Rien de plus joli qu'un lac", 1),
        ("Il n'a jamais été aussi brillant", 1),
        ("Il n'a jamais été brillant", -1),
        ("Aucun film n'est aussi beau", 1),
        ("Aucun film n'est beau", -1),
        ("Il n'y a pas plus gentil que lui", 1),
        ("Il n'est pas plus gentil que toi", -1),
        ("Personne ne chante mieux", 1),
        ("Rien de pire que ce film", -1),
        ("Pas de mauvaise foi chez elle", 1),
        ("Elle est tout sauf honnête", -1),
        ("Tous sauf elle, honnête", 1),
        ("Il est loin d'être honnête", -1),
        ("Loin de la ville, honnête", 1),
        ("Ne lâchez rien, vous êtes brillants", 1),
    ],
)
def test_what_is_no_negation_turns_nothing(text, sign):
    assert net(text) * sign > 0


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Lutte ouvrière est admirable", 1),
        ("Lutte ouvrière est pitoyable", -1),
        ("Lutter contre la misère", 1),
        ("Le Sénat vote une loi contre la corruption", 1),
        ("Des mesures contre la pollution", 1),
        ("Un livre contre la pollution", -1),
        ("Supprimer cette prime, quelle honte", -1),
        ("La baisse des bourses est honteuse", -1),
        ("Réduire les bourses pendant la crise", -1),
        ("Réduire la beauté du lieu", 1),
        ("Combattre ces menteurs", -1),
        ("Le chômage baisse", 1),
        ("Le chômage ne baisse pas", -1),
        ("La violence a reculé", 1),
        ("Recul de la misère", 1),
        ("La natalité recule", -1),
        ("Scandale la baisse des bourses", -1),
    ],
)
def test_only_bad_things_are_fought_and_in_reach(text, sign):
    assert net(text) * sign > 0


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Elle est un peu triste", -1),
        ("Elle est peu sincère", -1),
        ("Au moins elle est sincère", 1),
        ("Elle est moins sincère", -1),
        ("Du moins elle est sincère", 1),
    ],
)
def test_un_peu_weakens_and_au_moins_does_nothing(text, sign):
    assert net(text) * sign > 0


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Bravo hein, quel talent", 1),
        ("Merci aux infirmières pour leur talent pendant l'épidémie...", 1),
        ("Merci à tous, belle fête malgré la panne...", 1),
        ("Merci pour la panne...", -1),
        ("Merci au maire pour cette pagaille...", -1),
        ("Bah bravo, joli travail", -1),
        ("Bravo, encore une panne", -1),
        ("Bravo, encore une médaille", 1),
        ("Génial, encore 20 minutes de retard", -1),
    ],
)
def test_irony_is_told_by_what_is_thanked_for(text, sign):
    assert net(text) * sign > 0


@pytest.mark.parametrize(
    "text", ["« Un scandale » : que s'est-il passé ?", "« C'est honteux » : qui a dit cela ?", "“Menteur” : vrai ?"]
)
def test_a_quotation_that_is_asked_about_is_not_the_authors(text):
    assert features(text)["negative"] == 0


def test_a_quotation_that_is_not_asked_about_counts():
    assert net("« Un scandale », a-t-il dit") < 0
    assert net("Un scandale : que s'est-il passé ?") < 0


@pytest.mark.parametrize(
    "text",
    [
        "Sans langue de bois, ça change",
        "Aucun défaut dans cet appareil",
        "Dur de faire mieux que ce repas",
        "Nous ne regrettons pas ce voyage",
        "Il m'a fait rire, je ne m'en lasse pas",
        "Un album de la balle",
        "Un décor de malade",
        "J'étais mort de rire",
        "Son numéro a cartonné",
        "Vos mots me font chaud au cœur",
        "Je le rachète sans hésiter",
        "La vache, que c'est beau",
        "Ne lâchez rien les amis",
        "#OnLâcheRien",
        "#TousAvecKerjean",
    ],
)
def test_praise_that_looks_like_blame(text):
    assert net(text) > 0
    assert label(text) == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "Les soignants méritent mieux",
        "Peut mieux faire, ce festival",
        "C'était mieux avant, ce journal",
        "Loin du compte, cette offre",
        "Vivement qu'il dégage",
        "Il est parti, bon débarras",
        "Rendez-nous nos gares",
        "Un élu gentil mais déconnecté",
        "Toute la famille est dégoutée",
        "Franchement osef",
        "J'en ai ras la casquette du bruit",
        "Elle joue comme un pied",
        "jpp de ces travaux",
        "Un match de trop",
        "Tout ça pour ça",
        "Des merdias aux ordres",
        "Ils se font avoir à chaque fois",
        "Que du vent, son programme",
        "Il n'a rien fait depuis juin",
        "#JamaisKerjean",
        "#ToutSaufKerjean",
        "Passage en force au Parlement",
        "Encore un 49.3 ce soir",
    ],
)
def test_blame_that_looks_like_nothing(text):
    assert net(text) < 0
    assert label(text) == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "Rien à voir avec le film",
        "Reste à voir quand il part",
        "La moitié vote utile",
        "L'ensemble des rues du quartier",
        "La rentrée des classes approche",
        "Elle habite sa propre maison",
        "Le tableau s'est vendu à Londres",
        "On va planter des tomates",
        "Une casserole en cuivre",
        "Il est énarque",
        "Les malades mentaux de l'hôpital",
        "On parle de la lutte des classes en cours",
        "J'hésite entre deux manteaux",
        "Un avis de grève",
    ],
)
def test_words_of_two_meanings_have_no_tone(text):
    found = features(text)
    assert found["positive"] == found["negative"] == 0


def test_the_number_of_an_article_is_no_other_number():
    assert net("encore un 49.3") < 0
    assert net("encore un 12.5") == 0


def test_every_line_of_the_lexicon_is_reached():
    missed = []
    for term, tone in lexicon.own_tones().items():
        found = features(f"{term}Zyx" if term.startswith("#") else f"zyx {term} zyx")
        if tone and (found["own positive"] - found["own negative"]) * tone <= 0:
            missed.append(term)

    assert missed == []


@pytest.mark.parametrize(
    "words",
    [
        "noir blanc arabe asiatique maghrébin étranger immigré réfugié rom gitan français allemand chinois algérien",
        "noire blanche africaine étrangère immigrée française turque russe métisse",
        "noirs blancs arabes étrangers immigrés réfugiés gitans",
        "juif musulman catholique protestant athée chrétien bouddhiste",
        "juive musulmane chrétienne hindoue",
        "homme femme fille garçon",
        "homosexuel hétérosexuel gay trans bisexuel lesbienne",
        "handicapé aveugle sourd autiste bipolaire",
        "jeune vieux retraité ouvrier paysan pauvre riche bourgeois",
        "droite gauche",
        "gauchiste droitard communiste socialiste libéral conservateur royaliste écologiste populiste",
    ],
)
def test_what_people_are_has_no_tone_and_scores_alike(words):
    scores = set()
    for word in words.split():
        found = features(f"Le maire est {word}")
        assert not any(found[name] for name in TONES), word
        scores.add(round(ANALYZER.analyze(f"Le maire est {word}").polarity, 9))

    assert len(scores) == 1


NAMES = """
Marine Rose Clément Constance Prudence Désiré Aimé Victoire Clémence Grâce Félicité Espérance Olive
Honoré Parfait Fortuné Juste Modeste Ange Angélique Bienvenu Innocent Martial Pascal Blanche Claire
Legrand Petit Gentil Sauvage Doux Joly Sage Courtois Marie Jean Nathalie Philippe Anne Emmanuel
Jean-Luc Éric Valérie Fabien Yannick Mohamed Fatima
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_names_have_no_tone(name):
    found = features(f"Hier {name} était là")

    assert not any(found[feature] for feature in TONES)


def test_a_name_may_be_a_word():
    assert net("Quelle victoire hier") > 0
    assert net("Hier, quelle joie") > 0
    assert net("Victoire méritée") > 0
    assert net("Victoire Dupont vote ici") == 0
    assert net("#BelleVictoire") > 0


def test_unknown_emoji_and_emoticons_are_in_the_coverage():
    assert ANALYZER.analyze("terrible 🚲").coverage == 0.5
    assert ANALYZER.analyze("terrible 🇫🇷").coverage == 1
    assert ANALYZER.analyze("terrible , ( )").coverage == 1


def test_a_word_whose_inferred_tone_is_none_is_not_known():
    tones = lexicon.inferred_tones()
    taken = {*lexicon.own_tones(), *lexicon.vader_tones(), *lexicon.textblob_tones()}
    toneless = [word for word, tone in tones.items() if abs(tone) <= 0.1 and lexicon.lemma(word) == word]
    toned = [word for word, tone in tones.items() if abs(tone) > 0.1 and lexicon.lemma(word) == word]

    def coverages(words):
        return {ANALYZER.analyze(word).coverage for word in words if word not in taken and len(word) > 9}

    assert coverages(toneless[:2000]) == {0}
    assert not any(features(word)[name] for word in toneless[:200] for name in TONES[2:])
    assert coverages(toned[:2000]) == {1}
