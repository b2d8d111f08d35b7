"""The sample corpus: generated, plausible tweets about the candidates of any election, the same for the same seed.

No author, handle, opinion or event in it is real; only the candidates' names and handles are, from the election file.
The phrases are tables at the top, the writer of texts comes next, then users, tweets and pages.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import math
import os
import random
import re
import unicodedata
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from election_assets.election import Candidate, Election, fold

DAYS = 14
PAGE = 100
LONGEST = 280
LONGEST_RETWEET = 140
RETWEETS, QUOTES, REPLIES = 0.51, 0.06, 0.12
OUTSIDE = 0.3
FOREIGN = 0.05
SEVERAL = 0.13
REPEATS = 0.025

_SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
_HOUR_MS = 3_600_000
_T = TypeVar("_T")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split("|"))


# Activity an hour of the local day: quiet nights, peaks at noon and in the evening.
_DAY_CURVE = (
    *(1.6, 0.8, 0.4, 0.25, 0.25, 0.5, 1.3, 2.8, 4.0, 4.2, 4.3, 4.8),
    *(6.6, 6.0, 4.5, 4.2, 4.4, 5.0, 6.0, 6.8, 8.2, 8.6, 6.4, 3.6),
)

# A topic as a noun phrase with its article, and its hashtag.
_TOPICS = (
    ("les retraites", "#retraites"),
    ("le pouvoir d'achat", "#PouvoirDAchat"),
    ("l'écologie", "#Écologie"),
    ("l'école", "#École"),
    ("la santé", "#santé"),
    ("l'hôpital public", "#HôpitalPublic"),
    ("le nucléaire", "#nucléaire"),
    ("la sécurité", "#sécurité"),
    ("l'Europe", "#Europe"),
    ("le logement", "#logement"),
    ("l'agriculture", "#agriculture"),
    ("la culture", "#culture"),
    ("la justice", "#justice"),
    ("les transports", "#transports"),
    ("la jeunesse", "#jeunesse"),
    ("l'énergie", "#énergie"),
    ("la fiscalité", "#impôts"),
    ("les services publics", "#ServicesPublics"),
    ("les déserts médicaux", "#DésertsMédicaux"),
    ("l'égalité salariale", "#ÉgalitéSalariale"),
    ("la recherche", "#recherche"),
    ("le climat", "#climat"),
    ("la ruralité", "#ruralité"),
    ("l'industrie", "#industrie"),
    ("l'emploi", "#emploi"),
    ("les salaires", "#salaires"),
    ("le handicap", "#handicap"),
    ("les outre-mer", "#OutreMer"),
    ("la dette", "#dette"),
    ("le prix de l'essence", "#essence"),
    ("la petite enfance", "#PetiteEnfance"),
    ("l'université", "#université"),
)

_CITIES = _listed(
    """
    Lyon | Marseille | Toulouse | Nantes | Lille | Bordeaux | Rennes | Strasbourg | Montpellier | Nice |
    Grenoble | Dijon | Angers | Reims | Le Havre | Saint-Étienne | Toulon | Brest | Le Mans | Amiens |
    Limoges | Tours | Metz | Besançon | Perpignan | Orléans | Rouen | Mulhouse | Caen | Nancy |
    Avignon | Poitiers | La Rochelle | Pau | Calais | Annecy | Ajaccio | Quimper | Valence | Troyes |
    Chambéry | Niort | Béziers | Saint-Brieuc | Aurillac | Épinal | Albi | Évreux | Agen | Saint-Denis |
    Paris
    """
)

# Communes where users live, at least one of each department, with the weight of its inhabitants in tens of thousands.
_COMMUNES = _listed(
    """
    Bourg-en-Bresse 68 | Saint-Quentin 52 | Montluçon 33 | Manosque 17 | Gap 14 | Nice 56 | Antibes 56 | Annonay 33
    | Charleville-Mézières 27 | Pamiers 16 | Troyes 31 | Narbonne 38 | Rodez 28 | Marseille 104 |
    Aix-en-Provence 104 | Caen 71 | Aurillac 14 | Angoulême 35 | La Rochelle 67 | Bourges 30 | Brive-la-Gaillarde 24
    | Dijon 54 | Saint-Brieuc 61 | Guéret 12 | Périgueux 42 | Besançon 55 | Montélimar 52 | Évreux 60 | Chartres 43
    | Brest 46 | Quimper 46 | Ajaccio 17 | Bastia 19 | Nîmes 77 | Toulouse 74 | Colomiers 74 | Auch 19 | Bordeaux 84
    | Mérignac 84 | Montpellier 62 | Béziers 62 | Rennes 56 | Saint-Malo 56 | Châteauroux 22 | Tours 62 |
    Grenoble 65 | Échirolles 65 | Dole 26 | Mont-de-Marsan 43 | Blois 33 | Saint-Étienne 77 | Le Puy-en-Velay 23 |
    Nantes 74 | Saint-Herblain 74 | Orléans 69 | Cahors 18 | Agen 33 | Mende 12 | Angers 83 |
    Cherbourg-en-Cotentin 50 | Reims 56 | Saint-Dizier 17 | Laval 31 | Nancy 73 | Bar-le-Duc 18 | Lorient 78 |
    Metz 52 | Thionville 52 | Nevers 20 | Lille 131 | Tourcoing 131 | Beauvais 83 | Alençon 28 | Calais 73 |
    Arras 73 | Clermont-Ferrand 66 | Pau 71 | Tarbes 23 | Perpignan 50 | Strasbourg 58 | Haguenau 58 | Mulhouse 77 |
    Lyon 96 | Villeurbanne 96 | Vesoul 23 | Chalon-sur-Saône 55 | Le Mans 57 | Chambéry 45 | Annecy 86 | Paris 210 |
    Le Havre 63 | Rouen 63 | Meaux 74 | Chelles 74 | Versailles 74 | Sartrouville 74 | Niort 38 | Amiens 57 |
    Albi 40 | Montauban 27 | Toulon 56 | La Seyne-sur-Mer 56 | Avignon 57 | La Roche-sur-Yon 71 | Poitiers 44 |
    Limoges 37 | Épinal 36 | Auxerre 33 | Belfort 14 | Évry-Courcouronnes 67 | Corbeil-Essonnes 67 |
    Boulogne-Billancourt 82 | Nanterre 82 | Montreuil 85 | Aubervilliers 85 | Vitry-sur-Seine 72 | Créteil 72 |
    Argenteuil 64 | Cergy 64 | Les Abymes 38 | Fort-de-France 36 | Cayenne 29 | Le Tampon 89 | Mamoudzou 26 |
    Faaa 28 | Nouméa 26
    """
)

# Words by slot. A slot's name ends in m or f where it agrees with a masculine or feminine noun.
_WORDS = {
    "nm": _listed("le programme | le projet | le plan | le discours | le chapitre | le passage"),
    "nf": _listed(
        "la proposition | la réponse | la position | l'intervention | la vision | l'analyse | la mesure phare"
    ),
    "i": _listed("vraiment | plutôt | assez | franchement | particulièrement | très | tout à fait | tellement"),
    "pm": _listed(
        """
        clair | solide | sérieux | courageux | cohérent | ambitieux | réaliste | concret | convaincant | intéressant |
        utile | juste | passionnant | honnête | équilibré | rassurant | précis | crédible | positif
        """
    ),
    "pf": _listed(
        """
        claire | solide | sérieuse | courageuse | cohérente | ambitieuse | réaliste | concrète | convaincante |
        intéressante | utile | juste | passionnante | honnête | équilibrée | rassurante | précise | crédible | positive
        """
    ),
    "ti": _listed("vraiment | plutôt | assez | franchement | trop | bien trop | un peu trop | très"),
    "mm": _listed(
        """
        flou | faible | creux | décevant | confus | irréaliste | léger | inquiétant | incohérent | vague | dépassé |
        injuste | mauvais | ennuyeux | coûteux | triste | compliqué | maladroit | banal
        """
    ),
    "mf": _listed(
        """
        floue | faible | creuse | décevante | confuse | irréaliste | légère | inquiétante | incohérente | vague |
        dépassée | injuste | mauvaise | ennuyeuse | coûteuse | triste | compliquée | maladroite | banale
        """
    ),
    "ami": _listed(
        """
        mon voisin | ma mère | mon père | ma belle-sœur | mon boulanger | ma prof d'histoire | mon collègue |
        ma grand-mère | mon beau-frère | ma coiffeuse | mon fils | ma fille | mon médecin | ma cousine | mon facteur
        """
    ),
    "lieu": _listed(
        """
        dans le bus | au marché | à la cantine | à la machine à café | au bistrot | dans le train | à la boulangerie |
        à la sortie de l'école | en salle de pause | au repas de famille | chez le coiffeur | dans la file d'attente
        """
    ),
    "canal": _listed(
        "à la radio | à la télé | sur le plateau | en direct | dans la matinale | en replay | dans le podcast du jour"
    ),
    "n": _listed("2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 12 | 14 | 15 | 18 | 20 | 24 | 30 | 42"),
    "quoi": _listed(
        "le budget | le calendrier | le financement | la méthode | le détail | le chiffrage | la liste des priorités"
    ),
    "mot": _listed("réforme | avenir | proximité | solidarité | effort | liberté | bon sens | territoire | courage"),
    "ou": _listed(
        """
        l'hôpital | l'école | la commune | le village | le quartier | l'usine | la ferme | la fac | le lycée |
        la maison de santé
        """
    ),
}

# The first sentence names the candidate: {c}, {de c}, {que c}; {t} is the tweet's topic, {u} another one.
_POSITIVE = (
    "{nm} {de c} sur {t} est {i} {pm}.",
    "{nf} {de c} sur {t} est {i} {pf}.",
    "j'ai trouvé {nm} {de c} sur {t} {i} {pm}.",
    "j'ai trouvé {nf} {de c} sur {t} {i} {pf}.",
    "très bon meeting {de c} {moment} {à v} !",
    "excellent meeting {de c} {à v}, surtout le passage sur {t}.",
    "belle ambiance au meeting {de c} {à v} {moment} !",
    "bravo à {c} pour {nf} sur {t}, c'est {i} {pm}.",
    "merci à {c} de parler {de t}, c'est {pm} et {i} {pm}.",
    "sur {t}, {c} a de bonnes idées.",
    "sur {t}, je trouve les idées {de c} excellentes.",
    "enfin quelqu'un qui parle {de t} : merci {c} !",
    "je voterai {c}, surtout pour {nm} sur {t}.",
    "mon vote ira à {c} le {date}, pour {t} et pour {u}.",
    "{ami} hésitait encore, et maintenant c'est décidé : ce sera {c}.",
    "je suis {i} d'accord avec {c} sur {t}.",
    "plus j'écoute {c}, plus je trouve {nm} sur {t} {pm}.",
    "bonne surprise {moment} : {c} {canal} sur {t}, c'était {i} {pm}.",
    "j'ai lu les pages {de c} sur {t} : du bon travail, {pm} et {pm}.",
    "{moment}, {lieu}, tout le monde disait du bien {de c}.",
    "ce {que c} propose pour {t} me plaît beaucoup.",
    "j'aime la façon dont {c} parle {de t} : c'est {pm}, c'est {pm}.",
    "heureusement {que c} pense {à t} et {à u} !",
    "bien joué {c} {moment} {canal}, une réponse {pf} sur {t}.",
    "la meilleure idée de la campagne sur {t}, je la trouve chez {c}.",
    "{ami} a bien raison : {c} a un projet {pm} pour {t}.",
)
_NEGATIVE = (
    "je ne suis pas d'accord avec {c} sur {t}.",
    "je ne suis vraiment pas d'accord avec {nf} {de c} sur {t}.",
    "{nm} {de c} sur {t} est {ti} {mm}.",
    "{nf} {de c} sur {t} est {ti} {mf}.",
    "j'ai trouvé {nm} {de c} sur {t} {ti} {mm}.",
    "j'ai trouvé {nf} {de c} sur {t} {ti} {mf}.",
    "rien de concret chez {c} sur {t}, c'est {mm}.",
    "{nm} {de c} sur {t} me laisse sceptique.",
    "sur {t}, {c} ne me convainc pas du tout.",
    "{c} ne parle pas assez {de t}, c'est dommage.",
    "mauvaise soirée : {nf} {de c} sur {t} était {ti} {mf}.",
    "je ne voterai pas {c}, {nm} sur {t} est trop {mm}.",
    "quelqu'un comprend le plan {de c} pour {t} ? Moi non, c'est trop {mm}.",
    "{ami} voulait voter {c}, mais {nm} sur {t} est trop {mm}.",
    "triste meeting {de c} {à v} {moment}, presque rien sur {t}.",
    "pas une bonne idée sur {t} chez {c}, et pas mieux sur {u}.",
    "plus j'écoute {c}, moins je comprends {nm} sur {t}.",
    "grosse déception {moment} : {c} {canal}, et {t} en trois phrases.",
    "j'attendais mieux {de c} sur {t}, {nm} est {ti} {mm}.",
    "ce {que c} propose pour {t} ne me plaît pas : c'est {mm}.",
    "dommage {que c} n'ait pas de meilleure idée sur {t}.",
    "j'ai lu les pages {de c} sur {t} : c'est {mm}, c'est {mm}.",
    "encore un discours {de c} {i} ennuyeux sur {t}.",
    "les promesses {de c} sur {t} ? Trop faciles, et mauvaises pour {u}.",
    "{moment}, {lieu}, personne n'était d'accord avec {c} sur {t}.",
)
_NEUTRAL = (
    "quelqu'un a un lien vers le programme {de c} sur {t} ?",
    "je lis le programme {de c}, page {n} : il est question {de t}.",
    "question à {c} : et {t}, on en parle quand ?",
    "{c}, que proposez-vous pour {t} ?",
    "{c}, quel budget pour {t} et pour {u} ?",
    "les sondages parlent {de c}, mais qui parle {de t} ?",
    "un tract {de c} sur {t} dans la boîte aux lettres {moment}.",
    "sur le marché {de v} {moment}, un tract {de c} et une discussion sur {t}.",
    "{ami} hésite encore entre {c} et le vote blanc.",
    "{lieu}, on parle {de t} et {de c}.",
    "ce {que c} propose pour {t} : quelqu'un a {quoi} ?",
    "j'écoute {c} {canal}, on verra pour {t}.",
    "qui va au meeting {de c} {à v} ? J'ai {n} questions sur {t}.",
    "il paraît {que c} va parler {de t} {canal}, vous suivez ?",
    "à quelle heure commence le débat avec {c} ? Je voudrais la partie sur {t}.",
    "{ami} me demande {moment} ce que je pense {de c}.",
    "combien de pages sur {t} dans le programme {de c} ? J'en compte {n}.",
    "les 500 signatures, les sondages, les débats : on parle {de c}, pas {de t}.",
    "une affiche {de c} devant la gare {de v}, une autre {n} mètres plus loin.",
    "{moment}, {n} minutes sur {t} avec {c} {canal}.",
    "il reste {t} à lire dans le projet {de c}, puis {u}.",
    "le débat {de v} {moment} : {c}, puis une question sur {t}.",
    "je compare {quoi} chez {c} et chez les autres sur {t}.",
    "où trouver {quoi} {de c} pour {t} ?",
    "premier tour le {date} : {ami} a lu le projet {de c} sur {t}.",
)
_SEVERAL = {
    2: (
        "entre {c} et {d}, le débat sur {t} était {i} {pm}.",
        "entre {c} et {d}, le débat sur {t} était {ti} {mm}.",
        "sur {t}, je préfère le programme {de c} à celui {de d}.",
        "{c} ou {d} : qui a le projet le plus {pm} sur {t} ?",
        "j'ai comparé les pages {de c} et {de d} sur {t} : c'est {i} {pm} d'un côté, {ti} {mm} de l'autre.",
        "ni {c} ni {d} ne répondent à ma question sur {t}.",
        "{ami} hésite encore entre {c} et {d}.",
        "sur {t}, le projet {de c} me paraît plus {pm} que celui {de d}.",
        "les sondages comparent {c} et {d}, moi je compare {quoi} sur {t}.",
        "je voudrais un débat entre {c} et {d} sur {t}.",
        "{lieu} : la moitié pour {c}, l'autre pour {d}, et {t} au milieu.",
        "{c} et {d} {canal} {moment} : deux visions {de t}.",
        "un tract {de c}, un tract {de d}, et toujours rien sur {t}.",
        "je ne suis d'accord ni avec {c} ni avec {d} sur {t}.",
    ),
    3: (
        "{c}, {d}, {e} : trois projets, trois visions {de t}.",
        "entre {c}, {d} et {e}, je ne sais plus qui parle le mieux {de t}.",
        "j'ai lu {c}, {d} et {e} sur {t} : ici c'est {i} {pm}, là c'est {mm}.",
        "{lieu}, ça parle {de c}, {de d} et {de e}, mais pas {de t}.",
        "à quand un débat {c}, {d}, {e} sur {t} ?",
        "{ami} compare {c}, {d} et {e} sur {t}, et trouve tout {ti} {mm}.",
    ),
}
_TAILS = {
    "positive": (
        "ça fait du bien.",
        "enfin du concret !",
        "c'est {pm} et ça change.",
        "un bon moment de campagne.",
        "de quoi donner envie d'aller voter le {date}.",
        "voilà une belle idée pour {ou}.",
        "je recommande à tout le monde, même à {ami}.",
        "on sent un vrai travail sur {t} et sur {u}.",
        "pour {ou}, pour {t} et pour {u}, il y a enfin une réponse {pf} : c'est {pm}.",
        "même {ami} trouve ça {pm}, et pourtant, {u}, on en parle souvent {lieu}.",
        "sur {u} aussi, il y a de bonnes idées, et le ton reste calme.",
        "bonne nouvelle pour {ou} et pour {t}.",
        "le ton était calme, les réponses {i} bonnes.",
        "{ami} a aimé aussi, c'est dire !",
        "continuez comme ça.",
        "j'espère un aussi bon débat sur {u}.",
        "on avance, et c'est tant mieux pour {ou}.",
        "super soirée {à v}, merci aux bénévoles !",
        "des gens heureux, des enfants, des drapeaux : belle journée.",
    ),
    "negative": (
        "c'est {mm}, et c'est dommage.",
        "on mérite mieux.",
        "rien sur {u}, comme d'habitude.",
        "et {quoi} ? Mystère.",
        "{ami} n'y croit pas non plus.",
        "j'attends toujours {quoi} pour {ou}.",
        "trop de slogans, pas assez de solutions.",
        "le débat était long et ennuyeux.",
        "mauvaise nouvelle pour {ou}, à mon avis.",
        "on tourne en rond sur {t} et sur {u}.",
        "c'est triste : j'espérais mieux pour {t}, et pour {u} aussi.",
        "on me promet tout pour {ou}, mais sans un mot sur {u} ni sur {quoi} : c'est {mm}.",
        "entre {t} et {u}, {ami} attend surtout des réponses, et pas un discours {ti} {mm}.",
        "sur {u}, je cherche encore une bonne idée, et {quoi} manque toujours.",
        "à ce rythme, ce sera vote blanc le {date}.",
        "j'ai éteint au bout de {n} minutes.",
        "beaucoup de mots, peu de solutions pour {ou}.",
        "désolé, mais c'est {ti} {mm}.",
        "et pour {u}, c'est encore pire.",
    ),
    "neutral": (
        "à suivre.",
        "on verra le {date}.",
        "vous en pensez quoi ?",
        "je demande pour {ami}.",
        "le bureau de vote est à {n} minutes à pied.",
        "il me manque {quoi} et un avis sur {u}.",
        "{ami} lit, moi je résume.",
        "pour {ou}, je cherche encore {quoi}.",
        "réponse demain, peut-être.",
        "pour comparer, il me faudrait {quoi} et un vrai débat sur {u}, {lieu} ou ailleurs.",
        "{ami} s'intéresse plutôt {à u}, moi {à t} : on en discute {lieu}.",
        "prochaine lecture : {u}, {n} pages, avec {ami}.",
        "la suite au prochain débat.",
        "je note aussi {u}, pour plus tard.",
        "{n} questions sur {u} dans la salle.",
        "on en reparle après le vote.",
        "ici {à v}, on parle surtout {de u}.",
        'le mot "{mot}" revient {n} fois, le mot "{mot}" jamais.',
        '{ami} : "on verra bien le {date}".',
        "mes priorités : {t} & {u}.",
        "« {u} d'abord », répète {ami}.",
        "budget {de t} > budget {de u} ? Je cherche.",
    ),
}
_OPENINGS = _listed(
    """
    franchement, | honnêtement, | bon, | à mon avis, | sincèrement, | de mon côté, | vu {de v}, |
    soyons clairs : | avis perso : | J-{reste}. | J-{reste} : | petit thread. | à chaud : |
    bonjour {à v} ! | je le redis : | entendu {lieu} {moment} : | réflexion du jour : |
    note de lecture. | alors, | pour être clair, | pour ma part, | après réflexion, |
    {moment}, une idée : | en toute simplicité : | pas de langue de bois :
    """
)
_EVENT_OPENINGS = _listed(
    """
    débat {moment} : | je regarde le débat. | #débat : | en direct du canapé : | débat, minute {n} : |
    pause dans le débat. | on y est. | premières impressions : | débat du soir : | live :
    """
)
_REPLY_OPENINGS = _listed(
    """
    pas d'accord. | exactement. | bien vu. | et alors ? | source ? | oui, mais | merci. | je réponds : |
    ah bon ? | tout à fait. | bonjour, | non, désolé. | mais enfin, | vous oubliez une chose : |
    c'est ça !
    """
)
_QUOTE_OPENINGS = _listed(
    """
    à lire. | tout est dit. | je partage. | intéressant. | à méditer : | voilà. | pour mémoire : |
    lisez ça. | ce fil est utile. | on en est là. | ça se discute : | un avis comme un autre :
    """
)
_EMOJI = {
    "positive": _listed(
        "👏 | 👏🏽 | 👍🏻 | 💪🏿 | ❤️ | 😍 | 🎉 | 🇫🇷 | 🇪🇺 | 🙌🏾 | 😊 | ✊🏼 | 🌻 | 👩‍🌾 | 👨‍👩‍👧 | 🧑🏽‍🏫 | <3"
    ),
    "negative": _listed("😡 | 🙄 | 👎 | 👎🏼 | 😞 | 🤦‍♀️ | 🤦🏽‍♂️ | 😴 | 🤷‍♂️ | 💸 | 😤 | 🤔 | 🙃 | ⚠️"),
    "neutral": _listed("🤔 | 🗳️ | 🇫🇷 | 📺 | 👀 | ⬇️ | 1️⃣ | 🧐 | 👩🏽‍⚕️ | 🏳️‍🌈 | 🚲 | 📰 | 🐓 | ☕ | -> 📌"),
}
_CLOSINGS = ("via @{user}", "cc @{user}", "merci @{user}", "(vu chez @{user})", "@{user} tu en dis quoi ?")
_HIDDEN = ("\u200b", "\ufeff", "\u2060", "\u200e")

# Other languages: sentences and topics that need no agreement.
_OTHER_LANGUAGES = {
    "en": (
        _listed(
            """
            Interesting speech by {c} on {t} tonight. | Not convinced by the plan of {c} on {t}. |
            Watching the French debate: {c} on {t}. | Can someone explain where {c} stands on {t}? |
            The French campaign is fascinating: {c}, {t} and a lot of polls. | Great rally for {c}, good ideas on {t}.
            """
        ),
        _listed("pensions | energy | schools | health care | Europe | farming | housing | wages"),
    ),
    "es": (
        _listed(
            """
            Muy buen discurso de {c} sobre {t}. | No me convence el programa de {c} sobre {t}. |
            Sigo la campaña francesa: {c} habla de {t}. | ¿Qué propone {c} para {t}? |
            Elecciones en Francia: {c}, los sondeos, {t}.
            """
        ),
        _listed("las pensiones | la energía | la escuela | la sanidad | Europa | la vivienda | la agricultura"),
    ),
    "de": (
        _listed(
            """
            Gute Rede von {c} zum Thema {t}. | Der Plan von {c} zum Thema {t} überzeugt mich nicht. |
            Wahlkampf in Frankreich: {c}, {t} und viele Umfragen. | Was sagt {c} zum Thema {t}? |
            Heute Abend im Fernsehen: {c} über {t}.
            """
        ),
        _listed("Rente | Energie | Schule | Gesundheit | Europa | Wohnen | Landwirtschaft"),
    ),
    "ar": (
        _listed(
            """
            خطاب جيد من {c} حول {t} | برنامج {c} حول {t} غير واضح |
            ماذا يقترح {c} بشأن {t}؟ | الحملة في فرنسا: {c} و {t}
            """
        ),
        _listed("التقاعد | الطاقة | المدرسة | الصحة | أوروبا | السكن"),
    ),
    "und": (
        _listed("{c} {t}{t} | {c} !!! {t} | {t} {c} {t} | {c} {t} | {t}{t} {c}"),
        _listed("👏 | 🔥 | 🇫🇷 | 😂 | 👍🏽 | 🤔 | ❤️ | 💪🏻 | 🗳️ | 👀 | 👨‍👩‍👧‍👦"),
    ),
}

_FIRST_NAMES = _listed(
    """
    Camille | Lou | Dominique | Claude | Sacha | Charlie | Noa | Alix | Maxime | Andrea | Eden | Lucie |
    Hugo | Manon | Karim | Fatou | Léo | Inès | Yanis | Chloé | Théo | Awa | Jules | Nadia | Gaël |
    Maëlle | Loïc | Solène | Malik | Rose | Paul | Zoé | Adèle | Bruno | Gisèle | Roger | Monique |
    Thaïs
    """
)
_NICKNAMES = _listed(
    """
    Citoyen lambda | Une prof parmi d'autres | Infirmière de nuit | Vélo & Café | Papy râleur |
    Le chat du canal | Mamie connectée | Électron libre | La tête dans les étoiles | Pain au chocolat |
    Chocolatine | Un paysan heureux | Cheminot du dimanche | Étudiante en droit | Petit commerce |
    Randonneuse | Rien à déclarer | Joueur de pétanque | Bibliophile | Postier à vélo |
    Le marcheur du lac | Ouvrière de jour | Apiculteur amateur | Sans filtre
    """
)
_DECORATIONS = (
    "",
    "",
    "",
    *(f" {mark}" for mark in _listed("🇫🇷 | 🌻 | 🇪🇺 | 🐓 | ✊🏽 | 🚲 | du 62 | 2.0 | B. | R. | 👩‍🌾 | (off) | ☕")),
)
_HANDLE_WORDS = _listed(
    """
    Lynx | Tilleul | Moulin | Colibri | Chouette | Citoyen | Papillon | Renard | Saule | Galet | Phare |
    Cigale | Roseau | Bolide | Merle | Hibou | Canard | Potager | Velo | Chemin | Ruisseau | Sapin |
    Genet | Cerise | Cassis | Mistral | Brume | Etoile | Comete | Atelier
    """
)
_REGIONS = _listed(
    """
    France | France 🇫🇷 | Île-de-France | Bretagne | Occitanie | Normandie | Finistère |
    Hauts-de-France | Grand Est | Provence | Corse | Alsace | Pays de la Loire | Nord | Isère |
    Bouches-du-Rhône | La Réunion | Martinique | Guadeloupe | Sud-Ouest | Béarn
    """
)
_PRECISE = _listed(
    """
    Lyon 3e | Paris 11e | 75011 Paris | Toulouse, France | Saint-Denis (93) | Saint-Denis, La Réunion |
    Marseille 13 | Montpellier, Hérault | Brest, Finistère | Lille (59) | Nantes / Rennes |
    Paris / Bordeaux | Fort-de-France | Vaulx-en-Velin, Rhône | Ajaccio, Corse-du-Sud |
    Montreuil, Seine-Saint-Denis | Saint-Étienne (42) | 69007 | Villeurbanne, Auvergne-Rhône-Alpes |
    Nîmes (Gard) | Bourg-en-Bresse, Ain | Pays de Retz | Mayenne | Dept 29
    """
)
_ABSURD = _listed(
    """
    Ta tête | 🌍 partout | Narnia | Quelque part | Dans mon lit | Ici et là | Derrière toi |
    Sur la Lune | 404 not found | Entre deux trains | Au bout du couloir | 🏝️ | Terre | Poudlard |
    Nulle part & ailleurs | La tête ailleurs | ... | Canapé, salon | Planète bleue | En terrasse
    """
)
_ABROAD = _listed(
    """
    Bruxelles | Bruxelles, Belgique | London, UK | Montréal, Québec | Genève, Suisse | Dakar, Sénégal |
    Berlin | New York, USA | Luxembourg | Alger | Casablanca, Maroc | Barcelona | Lausanne | Abidjan |
    Paris, Texas | Liège
    """
)
_MONTHS = _listed(
    """
    janvier | février | mars | avril | mai | juin | juillet | août | septembre | octobre | novembre |
    décembre
    """
)
_BASE62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def write_sample(path: Path, election: Election, seed: int = 2022, tweets: int = 24_000) -> None:
    """Writes the sample corpus as an archive: pages as twarc2 keeps them, one a line, gzip.

    The two weeks before the first round, in the order in which a collector would have read them. Half of the records
    are retweets; a few stand twice, later with higher counts; about ten are malformed. The same election, seed and size
    give the same bytes. Texts are French whatever the election's language, but for one in twenty.

    Args:
        path: File to write, such as `corpus.jsonl.gz`; it appears only when it is complete.
        election: Its candidates are named by those of their names and handles that their own query finds.
        seed: Of the random numbers; also decides which candidate is talked about much, and how kindly.
        tweets: Records in the file, repeats and malformed ones included.

    Raises:
        ValueError: If a candidate's query holds no word, phrase, hashtag or handle that a text could contain.
    """
    corpus = _Corpus(election, seed, tweets)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file, gzip.GzipFile("", "wb", compresslevel=4, fileobj=file, mtime=0) as archive:
        for page in corpus.pages():
            archive.write(json.dumps(page, separators=(",", ":")).encode() + b"\n")
    os.replace(part, path)


def _elides(word: str) -> bool:
    """Whether `de` and `que` lose their vowel before it: vowels, mute h, y before a consonant (Yves, not Yannick)."""
    letters = fold(word).replace("œ", "oe")
    if word[0] in "@#" or not letters:
        return False
    return letters[0] in "aeiouh" or (letters[0] == "y" and letters[1:2] not in tuple("aeiou"))


def _contracted(preposition: str, noun: str) -> str:
    """`de` or `à` before a noun phrase or place: du pouvoir d'achat, aux retraites, au Havre, d'Angers."""
    for article, fused in {"de": {"le": "du", "les": "des"}, "à": {"le": "au", "les": "aux"}}[preposition].items():
        if noun.lower().startswith(f"{article} "):
            return f"{fused}{noun[len(article) :]}"
    if preposition == "de" and _elides(noun) and not noun.startswith("l'"):
        return f"d'{noun}"
    return f"{preposition} {noun}"


def _name_slots(slot: str, name: str) -> dict[str, str]:
    elided = _elides(name)
    return {
        slot: name,
        f"de {slot}": f"d'{name}" if elided else f"de {name}",
        f"que {slot}": f"qu'{name}" if elided else f"que {name}",
    }


def _noun_slots(slot: str, noun: str) -> dict[str, str]:
    return {slot: noun, f"de {slot}": _contracted("de", noun), f"à {slot}": _contracted("à", noun)}


@cache
def _template(template: str) -> tuple[str, ...]:
    """The template's pieces: literal text at even places, slot names at odd ones."""
    return tuple(re.split(r"[{}]", template))


def _forms(candidate: Candidate) -> list[str]:
    """How a text may name a candidate so that the candidate's own query finds it: names first, then @handles."""
    wanted = re.sub(r'(?<![\w"])-(\([^()]*\)|"[^"]*"|\S+)', " ", candidate.query)
    terms = [phrase or word for phrase, word in re.findall(r'"([^"]+)"|([^\s()"]+)', wanted)]
    terms = [term for term in terms if term not in ("OR", "AND") and ":" not in term and fold(term)]

    def found(form: str, term: str) -> bool:
        if term[0] in "#@":
            return form.casefold() == term.casefold()
        return f" {fold(term)} " in f" {fold(form)} "

    forms = [*candidate.names, *(f"@{handle}" for handle in candidate.handles)]
    forms = [form for form in forms if any(found(form, term) for term in terms)] or terms
    if not forms:
        raise ValueError(
            f"Candidate {candidate.key}: the query {candidate.query!r} holds no word that a sample text could contain; "
            "add a name or a handle to it."
        )
    return forms


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _iso(ms: int) -> str:
    return dt.datetime.fromtimestamp(ms // 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(frozen=True, slots=True)
class _Moment:
    """An instant (ms since 1970) with what the texts say about it."""

    ms: int
    hour: int
    days_left: int
    event: bool


@dataclass(slots=True, eq=False)
class _Tweet:
    moment: _Moment
    id: str
    author: dict[str, Any]
    text: str
    lang: str
    kind: str
    referenced: _Tweet | None
    final_counts: tuple[int, int, int, int]
    place: dict[str, str] | None
    heat: float
    retweets_seen: int = 0
    seen_again: int = 0

    def counts(self, ms: int) -> tuple[int, int, int, int]:
        """Retweets, replies, likes and quotes as X would have shown them then; they only grow."""
        if self.kind == "retweet" and self.referenced:
            return self.referenced.counts(ms)[0] + self.seen_again, 0, 0, 0
        age = max(0, ms - self.moment.ms)
        grown = age / (age + 4 * _HOUR_MS)
        retweets, replies, likes, quotes = (int(count * grown) for count in self.final_counts)
        return retweets + self.retweets_seen, replies, likes + self.retweets_seen + 2 * self.seen_again, quotes


class _Corpus:
    def __init__(self, election: Election, seed: int, tweets: int) -> None:
        self._generator = random.Random(seed)
        self._random = self._generator.random
        self._election = election
        self._year = election.first_round.year
        day = election.first_round.day
        self._vote_date = f"{'1er' if day == 1 else day} {_MONTHS[election.first_round.month - 1]}"
        self._size = tweets
        self._ids: set[int] = set()
        self._topics = [(tag, _noun_slots("t", noun), _noun_slots("u", noun)) for noun, tag in _TOPICS]
        self._city_slots = {city: _noun_slots("v", city) for city in _CITIES}
        weighted = [commune.rpartition(" ") for commune in _COMMUNES]
        self._communes = [name for name, _, _ in weighted]
        self._inhabitants = list(accumulate(int(weight) for _, _, weight in weighted))
        self._cast()
        self._users = self._people(max(20, min(tweets // 4, 99_999)))
        self._places = {
            commune: {
                "country": "France",
                "country_code": "FR",
                "full_name": f"{commune}, France",
                "id": f"{self._generator.getrandbits(64):016x}",
                "name": commune,
                "place_type": "city",
            }
            for commune in self._communes
        }

    def _pick(self, options: Sequence[_T]) -> _T:
        # Random.choice takes three times as long, and a corpus draws a million times.
        return options[int(self._random() * len(options))]

    def _cast(self) -> None:
        """Who is talked about how much and how kindly: by the seed alone, never by the person."""
        candidates = list(self._election.candidates)
        self._named = {candidate.key: _forms(candidate) for candidate in candidates}
        ranks = list(range(1, len(candidates) + 1))
        self._generator.shuffle(ranks)
        self._shares = list(accumulate(1 / rank**0.9 for rank in ranks))
        self._tones = {c.key: (0.25 + 0.2 * self._random(), 0.6 + 0.2 * self._random()) for c in candidates}
        self._tags = {}
        for candidate in candidates:
            short = min(
                (form for form in self._named[candidate.key] if form[0] != "@"), key=len, default=candidate.name
            )
            tag = "".join(re.findall(r"\w+", short))
            self._tags[candidate.key] = (f"#{tag}{self._year}", f"#Avec{tag}", f"#{tag}", f"#{_without_accents(tag)}")

    def _candidate(self) -> Candidate:
        return self._election.candidates[bisect(self._shares, self._random() * self._shares[-1])]

    # Users

    def _people(self, count: int) -> list[dict[str, Any]]:
        candidates = {handle.casefold() for candidate in self._election.candidates for handle in candidate.handles}
        oldest = dt.datetime(2016, 1, 1, tzinfo=dt.UTC).timestamp() * 1000 - _SNOWFLAKE_EPOCH_MS
        people = []
        for number in range(count):
            username = f"{self._pick(_HANDLE_WORDS)}_x{number:05d}"
            if username.casefold() in candidates:
                continue
            born = int(oldest + self._random() * 5 * 365 * 24 * _HOUR_MS)
            name = self._pick(_NICKNAMES if self._random() < 0.4 else _FIRST_NAMES) + self._pick(_DECORATIONS)
            user = {
                "id": str(born << 22 | self._generator.getrandbits(22)),
                "name": name,
                "username": username,
                "created_at": _iso(born + _SNOWFLAKE_EPOCH_MS),
                "public_metrics": {
                    "followers_count": int(60 * ((1 - self._random()) ** -0.9 - 0.9)),
                    "following_count": int(900 * self._random()),
                    "tweet_count": int(200 * (1 - self._random()) ** -0.8),
                    "listed_count": int(2 * ((1 - self._random()) ** -0.5 - 1)),
                },
                "verified": False,
            }
            if location := self._location():
                user["location"] = location
            people.append(user)
        return people

    def _location(self) -> str:
        draw = self._random()
        if draw < 0.33:
            return ""
        if draw < 0.68:
            city = self._commune()
            return self._pick((city, city, city, f"{city}, France", f"{city} 🇫🇷", city.upper(), city.lower()))
        if draw < 0.84:
            return self._pick(_REGIONS)
        return self._pick(_PRECISE if draw < 0.88 else _ABSURD if draw < 0.94 else _ABROAD)

    def _commune(self) -> str:
        return self._communes[bisect(self._inhabitants, self._random() * self._inhabitants[-1])]

    def _author(self) -> dict[str, Any]:
        return self._users[int(len(self._users) * self._random() ** 2)]

    # Texts

    def _fill(self, template: str, slots: Mapping[str, str]) -> str:
        parts = _template(template)
        if len(parts) == 1:
            return template
        pieces = list(parts)
        for place in range(1, len(parts), 2):
            word = slots.get(parts[place]) or self._pick(_WORDS[parts[place]])
            while word in pieces and parts[place] in _WORDS:
                word = self._pick(_WORDS[parts[place]])
            pieces[place] = word
        return "".join(pieces)

    def _name(self, candidate: Candidate) -> str:
        forms = self._named[candidate.key]
        return forms[0] if self._random() < 0.4 else self._pick(forms)

    def _text(self, moment: _Moment, kind: str) -> tuple[str, str]:
        """A text as typed (entities not yet escaped) and its language."""
        people = [self._candidate()]
        if self._random() < SEVERAL:
            wanted = min(len(self._election.candidates), 3 if self._random() < 0.25 else 2)
            while len(people) < wanted:
                if (other := self._candidate()) not in people:
                    people.append(other)
        if self._random() < FOREIGN:
            return self._foreign_text(people[0])
        kind_share, unkind_share = self._tones[people[0].key]
        draw = self._random()
        tone = "positive" if draw < kind_share else "neutral" if draw < unkind_share else "negative"
        if len(people) > 1:
            tone = "neutral"
        text, tag = self._sentences(people, tone, moment, kind)
        text = self._typed(text)
        return self._extras(text, people[0], tone, tag, LONGEST - 24 if kind == "quote" else LONGEST), "fr"

    def _foreign_text(self, candidate: Candidate) -> tuple[str, str]:
        draw = self._random()
        lang = "en" if draw < 0.4 else "und" if draw < 0.6 else "es" if draw < 0.75 else "de" if draw < 0.9 else "ar"
        templates, topics = _OTHER_LANGUAGES[lang]
        text = self._fill(self._pick(templates), {"c": self._name(candidate), "t": self._pick(topics)})
        if self._random() < 0.5:
            text = f"{text} {self._pick(self._tags[candidate.key])}"
        return text, lang

    def _sentences(self, people: Sequence[Candidate], tone: str, moment: _Moment, kind: str) -> tuple[str, str]:
        """One to six sentences that name the people, and the topic's hashtag."""
        slots = {"date": self._vote_date, "reste": str(moment.days_left), "moment": self._part_of_day(moment.hour)}
        for slot, candidate in zip("cde", people, strict=False):
            slots |= _name_slots(slot, self._name(candidate))
        tag, topic, _ = main = self._pick(self._topics)
        while (other := self._pick(self._topics)) is main:
            pass
        slots |= topic
        slots |= other[2]
        slots |= self._city_slots[self._pick(_CITIES)]

        firsts = {"positive": _POSITIVE, "neutral": _NEUTRAL, "negative": _NEGATIVE}[tone]
        first = self._fill(self._pick(_SEVERAL.get(len(people), firsts)), slots)
        text = _capitalised(first)
        openings = {"reply": _REPLY_OPENINGS, "quote": _QUOTE_OPENINGS}.get(kind)
        openings = openings or (_EVENT_OPENINGS if moment.event else _OPENINGS)
        if self._random() < 0.4:
            opening = _capitalised(self._fill(self._pick(openings), slots))
            text = f"{opening} {text if opening[-1] in '.!?' else first}"

        draw = self._random()
        longest = 120 if draw < 0.45 else 180 if draw < 0.75 else 255
        breaks = self._random()
        gap = "\n" if breaks < 0.08 else "\n\n" if breaks < 0.12 else " "
        used: set[str] = set()
        while len(text) < longest - 40 and len(used) < 5:
            tail = self._pick(_TAILS[tone if self._random() < 0.75 else "neutral"])
            sentence = _capitalised(self._fill(tail, slots))
            if tail not in used and len(text) + len(sentence) < longest:
                text = f"{text}{gap}{sentence}"
            used.add(tail)
        return text, tag

    def _part_of_day(self, hour: int) -> str:
        if hour < 6:
            return "hier soir"
        if hour < 12:
            return self._pick(("ce matin", "ce matin", "hier soir"))
        if hour < 15:
            return self._pick(("ce midi", "ce matin"))
        return "cet après-midi" if hour < 18 else "ce soir"

    def _typed(self, text: str) -> str:
        """The text as different keyboards and habits give it; every form still matches its query."""
        if self._random() < 0.3 and text[-1] == ".":
            text = text[:-1]
        habit = self._random()
        if habit < 0.25:
            text = re.sub(" (?=[!?:])", "", text)
        elif habit < 0.45:
            text = re.sub("(?<=«) | (?=[!?:»])", "\u00a0", text)
        if "@" not in text:
            case = self._random()
            if case < 0.04:
                text = text.lower()
            elif case < 0.05:
                text = text.upper()
            elif case < 0.07:
                text = _without_accents(text)
        if self._random() < 0.45:
            text = text.replace("'", "’")
        if self._random() < 0.012:
            before = self._pick([match.start() for match in re.finditer(" ", text)])
            text = f"{text[:before]}{self._pick(_HIDDEN)}{text[before:]}"
        return text

    def _extras(self, text: str, candidate: Candidate, tone: str, tag: str, longest: int) -> str:
        extras = []
        if self._random() < 0.4:
            emoji = self._pick(_EMOJI[tone])
            extras.append(emoji * int(1 + 3 * self._random() ** 3) if emoji[0] not in "<-" else emoji)
        if self._random() < 0.06:
            extras.append(self._pick(_CLOSINGS).replace("{user}", self._author()["username"]))
        if self._random() < 0.4:
            year = self._year
            general = (f"#Présidentielle{year}", f"#Presidentielle{year}", f"#Élections{year}", "#JeVote", "#sondages")
            tags = list(dict.fromkeys((tag, self._pick(self._tags[candidate.key]), self._pick(general))))
            self._generator.shuffle(tags)
            extras.extend(tags[: 1 + int(3 * self._random() ** 2)])
        if self._random() < 0.2:
            extras.append(self._link())
        for extra in extras:
            if len(text) + len(extra) < longest:
                text = f"{text} {extra}"
        return unicodedata.normalize("NFD", text) if self._random() < 0.012 and len(text) < 200 else text

    def _link(self) -> str:
        return "https://t.co/" + "".join(self._generator.choices(_BASE62, k=10))

    # Tweets

    def _moments(self, count: int) -> list[_Moment]:
        """Instants in the two weeks before the first round, in order, by the local day's curve and a few events."""
        zone = ZoneInfo(self._election.time_zone)
        events = {(self._pick((2, 3, 4)), 21): 4.0, (7, 16): 4.0, (self._pick((10, 11)), 21): 5.0, (12, 20): 3.0}
        events |= {(day, hour + 1): factor * 0.8 for (day, hour), factor in events.items()}
        hours: list[_Moment] = []
        weights = []
        for number in range(DAYS):
            day = self._election.first_round - dt.timedelta(days=DAYS - number)
            for hour, activity in enumerate(_DAY_CURVE):
                local = dt.datetime.combine(day, dt.time(hour), zone)
                utc = local.astimezone(dt.UTC)
                if utc.astimezone(zone).hour != hour:  # the hour that spring's change of clocks leaves out
                    continue
                start = int(utc.timestamp()) * 1000
                hours.append(_Moment(start, hour, DAYS - number, (number, hour) in events))
                weights.append(activity * (1 + 1.3 * (number / DAYS) ** 2) * events.get((number, hour), 1))
        drawn = self._generator.choices(hours, cum_weights=list(accumulate(weights)), k=count)
        moments = (replace(hour, ms=hour.ms + int(self._random() * _HOUR_MS)) for hour in drawn)
        return sorted(moments, key=lambda moment: moment.ms)

    def _snowflake(self, ms: int) -> str:
        while (number := ms - _SNOWFLAKE_EPOCH_MS << 22 | int(self._random() * (1 << 22))) in self._ids:
            pass
        self._ids.add(number)
        return str(number)

    def _tweet(self, moment: _Moment, kind: str, referenced: _Tweet | None = None) -> _Tweet:
        author = self._author()
        while referenced and author is referenced.author:
            author = self._author()
        if kind == "retweet" and referenced:
            whole = f"RT @{referenced.author['username']}: {referenced.text}"
            text = whole if len(whole) <= LONGEST_RETWEET else f"{whole[: LONGEST_RETWEET - 1]}…"
            return _Tweet(
                moment,
                self._snowflake(moment.ms),
                author,
                text,
                referenced.lang,
                kind,
                referenced,
                (0, 0, 0, 0),
                None,
                0.0,
            )
        text, lang = self._text(moment, kind)
        if kind == "reply" and referenced:
            text = f"@{referenced.author['username']} {text}"
        elif kind == "quote":
            text = f"{text} {self._link()}"
        heat = (1 - self._random()) ** -0.8 - 1
        reach = math.log10(10 + author["public_metrics"]["followers_count"])
        likes = min(40_000, int(heat * reach * 3))
        finals = (likes // 3, int(likes * 0.12 * self._random()), likes, int(likes * 0.06 * self._random()))
        place = self._places[self._commune()] if self._random() < 0.03 else None
        return _Tweet(moment, self._snowflake(moment.ms), author, text, lang, kind, referenced, finals, place, heat)

    def _history(self, count: int) -> list[_Tweet]:
        """All tweets in the order of their time; a retweet, quote or reply refers to one written before it."""
        tweets: list[_Tweet] = []
        inside: list[_Tweet] = []
        outside: list[_Tweet] = []
        for moment in self._moments(count):
            draw = self._random()
            kind = "retweet" if draw < RETWEETS else "quote" if draw < RETWEETS + QUOTES else "original"
            kind = "reply" if RETWEETS + QUOTES <= draw < RETWEETS + QUOTES + REPLIES else kind
            referenced = None
            if kind != "original":
                if not inside or self._random() < OUTSIDE:
                    if not outside or self._random() < 0.4:
                        early = moment.ms - 60_000 - int(self._generator.expovariate(1 / (3 * _HOUR_MS)))
                        written = _Moment(early, moment.hour, moment.days_left, False)
                        outside.append(self._tweet(written, "original"))
                    referenced = self._hottest(outside, 60)
                else:
                    referenced = self._hottest(inside, 250)
            tweet = self._tweet(moment, kind, referenced)
            tweets.append(tweet)
            if kind in ("original", "quote"):
                inside.append(tweet)
        return tweets

    def _hottest(self, pool: Sequence[_Tweet], reach: int) -> _Tweet:
        """The hottest of a few of the latest tweets: a few are shared by many, most by nobody."""
        latest = min(len(pool), reach)
        few = [pool[-1 - int(latest * self._random() ** 1.5)] for _ in range(1 + int(6 * self._random()))]
        return max(few, key=lambda tweet: tweet.heat)

    # Pages

    def pages(self) -> Iterator[dict[str, Any]]:
        """The corpus as twarc2 keeps it: pages of at most 100 tweets, by time of retrieval, newest tweet first."""
        repeats = int(self._size * REPEATS) if self._size > 2 * PAGE else 0
        history = self._history(self._size - repeats)
        # At least a hundred places later is another page: the tweet was read again, later.
        repeated = self._generator.sample(range(max(0, len(history) - PAGE)), repeats)
        shown = [(place, False, place) for place in range(len(history))]
        for place in repeated:
            later = place + PAGE + int(1500 * self._random() ** 2)
            shown.append((min(later, len(history) - 1), True, place))
        shown.sort()
        flaws = self._flaws(history, set(repeated))
        newest = retrieved = 0
        for start in range(0, len(shown), PAGE):
            piece = [(history[place], again) for _, again, place in shown[start : start + PAGE]]
            newest = max(newest, *(tweet.moment.ms for tweet, _ in piece))
            retrieved = max(newest + int((2 + 10 * self._random()) * 60_000), retrieved + 2_000)
            yield self._page(piece, retrieved, flaws)

    def _flaws(self, history: Sequence[_Tweet], repeated: set[int]) -> dict[str, dict[str, object]]:
        """What is wrong with the few malformed records, by the id that the tweet would have had."""
        referenced = {tweet.referenced.id for tweet in history if tweet.referenced}
        plain = [
            tweet.id
            for place, tweet in enumerate(history)
            if tweet.kind == "original" and place not in repeated and tweet.id not in referenced
        ]
        faults: list[dict[str, object]] = [
            {"id": None},
            {"text": None},
            {"created_at": f"{self._year}-02-30T12:00:00.000Z"},
            {"id": "tweet-17"},
            {"created_at": "hier à midi"},
            {"id": None},
            {"text": ""},
            {"created_at": f"{self._year}-03-28T25:61:00.000Z"},
            {"id": "15098x41"},
            {"text": None},
        ]
        count = min(len(faults), len(plain) // 10)
        return dict(zip(self._generator.sample(plain, count), faults, strict=False))

    def _page(
        self, piece: Sequence[tuple[_Tweet, bool]], retrieved: int, flaws: Mapping[str, dict[str, object]]
    ) -> dict[str, Any]:
        data: list[dict[str, Any]] = []
        included: dict[str, _Tweet] = {}
        users: dict[str, dict[str, Any]] = {}
        places: dict[str, dict[str, str]] = {}
        for tweet, again in reversed(piece):
            if again:
                tweet.seen_again += 1 + int(4 * self._random())
            if referenced := tweet.referenced:
                if tweet.kind == "retweet" and not again:
                    referenced.retweets_seen += 1
                included[referenced.id] = referenced
                users[referenced.author["id"]] = referenced.author
            users[tweet.author["id"]] = tweet.author
            if tweet.place:
                places[tweet.place["id"]] = tweet.place
        for tweet, _ in reversed(piece):
            data.append(_tweet_object(tweet, retrieved) | flaws.get(tweet.id, {}))
        for tweet in included.values():
            if tweet.place:
                places[tweet.place["id"]] = tweet.place
        ids = [int(tweet.id) for tweet, _ in piece if tweet.id not in flaws] or [0]
        read_at = dt.datetime.fromtimestamp(retrieved // 1000, dt.UTC).isoformat()
        return {
            "data": data,
            "includes": {
                "users": list(users.values()),
                "tweets": [_tweet_object(tweet, retrieved) for tweet in included.values()],
                **({"places": list(places.values())} if places else {}),
            },
            "meta": {"newest_id": str(max(ids)), "oldest_id": str(min(ids)), "result_count": len(data)},
            "__twarc": {
                "url": "https://api.twitter.com/2/tweets/search/recent",
                "version": "2.9.0",
                "retrieved_at": read_at,
            },
        }


def _tweet_object(tweet: _Tweet, ms: int) -> dict[str, Any]:
    """The tweet as X's API v2 gave it at that instant."""
    retweets, replies, likes, quotes = tweet.counts(ms)
    replied_to = tweet.referenced if tweet.kind == "reply" else None
    content: dict[str, Any] = {
        "id": tweet.id,
        "author_id": tweet.author["id"],
        "conversation_id": replied_to.id if replied_to else tweet.id,
        "created_at": _iso(tweet.moment.ms),
        "lang": tweet.lang,
        "text": _escaped(tweet.text),
        "public_metrics": {
            "retweet_count": retweets,
            "reply_count": replies,
            "like_count": likes,
            "quote_count": quotes,
        },
    }
    if tweet.referenced:
        relation = {"retweet": "retweeted", "quote": "quoted", "reply": "replied_to"}[tweet.kind]
        content["referenced_tweets"] = [{"type": relation, "id": tweet.referenced.id}]
    if replied_to:
        content["in_reply_to_user_id"] = replied_to.author["id"]
    if tweet.place:
        content["geo"] = {"place_id": tweet.place["id"]}
    return content
