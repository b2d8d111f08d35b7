"""The report: one static page in French that opens from disk and asks the network for nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from election_assets.election import Election
from election_assets.transforms.sentiment import LANGUAGE
from election_assets.visuals import french

if TYPE_CHECKING:
    import pandas as pd

TOTAL = ""
"""Value of `candidate`, and key of a cloud, that stands for all candidates."""

LABEL_NAMES = {"negative": "négatif", "neutral": "neutre", "positive": "positif"}
COUNT_NAMES = {
    "received": "Reçus",
    "repeats": "Répétitions",
    "quarantined": "Quarantaine",
    "kept": "Gardés",
    "repeated_deliveries": "Livraisons répétées",
    "deleted": "Supprimés",
    "waiting": "En attente",
}
RARE_COUNTS = ("deleted", "waiting")
"""Counts that have a column only where one of them is not 0."""
SCOPES = {"root": "Depuis le début de la collecte", "run": "Depuis le rapport précédent"}
SOURCES = {"sample": "données d’exemple", "archive": "archive de tweets", "x": "API de X"}
ENGINES = {"spark": "Calcul", "broker": "Messages", "sentiment": "Ton"}

MAX_DAYS_BY_DAY = 92
"""Longest period that the chart shows by day; a longer one is shown by month."""
MAX_TIME_LABELS = 5
"""Dates under the chart at most, so that they fit a screen of 390 px."""


_Day = tuple[dt.date, int, int]
"""A day, its tweets, and those of them that are no retweets."""


class _Bar(NamedTuple):
    """A bar of the chart, in per cent of its area: left edge, width, heights of all tweets and of those no retweets."""

    left: float
    width: float
    tweets: float
    originals: float
    title: str


class _Mark(NamedTuple):
    """A label of an axis, at a per cent of its length."""

    at: float
    text: str


class _Chart(NamedTuple):
    unit: str
    bars: list[_Bar]
    counts: list[_Mark]
    times: list[_Mark]
    rows: list[tuple[str, int, int]]


def report_html(
    *,
    election: Election,
    run: Mapping[str, Any],
    overview: pd.DataFrame,
    hashtags: pd.DataFrame,
    days: pd.DataFrame,
    map_file: str = "department_map.html",
    clouds: Mapping[str, tuple[str, str]] | None = None,
) -> str:
    """The report as an HTML page.

    Args:
        election: Gives names, colours, dates and the time zone.
        run: The content of run.json: `election`, `source`, `made_at`, `run_id`, `candidates`, `total`, `archive`,
            `versions`, `engines`, `seconds`.
        overview: What `aggregates.overview` gives.
        hashtags: What `aggregates.top_hashtags` gives: `hashtag`, `texts`.
        days: What `aggregates.tweets_by_day` gives: `candidate`, `day`, `tweets`, `originals`.
        map_file: Path of the map's page, relative to the report.
        clouds: By candidate, and of all under `TOTAL`: the picture's path relative to the report, and the text that
            stands for it.

    Raises:
        KeyError: If `run` or a frame lacks a part named here.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        number=french.number,
        signed=french.signed,
        percent=french.percent,
        count=french.count,
        date=french.date,
        path=lambda path: quote(path, safe="/"),
    )
    figures = {row["candidate"]: row for row in overview.to_dict("records")}
    total_days = sorted(
        (row["day"], int(row["tweets"]), int(row["originals"]))
        for row in days.to_dict("records")
        if row["candidate"] == TOTAL
    )
    clouds = clouds or {}
    return environment.from_string(french.spaced(PAGE)).render(
        election=election,
        run=run,
        sample=run["source"] == "sample",
        source=SOURCES[run["source"]],
        made_at=french.moment(dt.datetime.fromisoformat(run["made_at"]), election.time_zone),
        period=_period(total_days),
        total=figures[TOTAL],
        candidates=[(one, figures[one.key]) for one in election.candidates],
        labels=LABEL_NAMES,
        errors=_errors(election, run),
        notes=_notes(election, run),
        chart=_chart(total_days) if total_days else None,
        map_file=map_file,
        cloud=clouds.get(TOTAL),
        candidate_clouds=[(one.name, *clouds[one.key]) for one in election.candidates if one.key in clouds],
        hashtags=hashtags.to_dict("records"),
        tables=[(scope, title, _count_rows(election, run, scope)) for scope, title in SCOPES.items()],
        count_names=_shown_counts(run),
        new=any(any(counts["run"].values()) for counts in (run["total"], *run["candidates"].values())),
        unbalanced=_unbalanced(election, run),
        named_engines=[(ENGINES.get(role, role), name) for role, name in run["engines"].items()],
        durations=[(asset, french.number(seconds, 1)) for asset, seconds in run["seconds"].items()],
        toned=election.language == LANGUAGE,
    )


def _errors(election: Election, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    reports = ((one.name, run["candidates"].get(one.key, {}).get("error")) for one in election.candidates)
    return [(name, error) for name, error in reports if error]


def _notes(election: Election, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was noted of each candidate's collection; a note that all share is told once, without a name."""
    noted = [
        (one.name, note) for one in election.candidates for note in run["candidates"].get(one.key, {}).get("notes", ())
    ]
    texts = Counter(note for _, note in noted)
    of_all = [note for note, count in texts.items() if count == len(election.candidates) > 1]
    return [("", note) for note in of_all] + [(name, note) for name, note in noted if note not in of_all]


def _difference(counts: Mapping[str, int]) -> int:
    """Records received that are nowhere: neither kept, repeats, in quarantine, deleted nor waiting."""
    told = ("kept", "repeats", "quarantined", "deleted", "waiting")
    return counts["received"] - sum(counts[name] for name in told)


def _shown_counts(run: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: label
        for name, label in COUNT_NAMES.items()
        if name not in RARE_COUNTS or any(counts[name] for counts in run["total"].values())
    }


def _count_rows(
    election: Election, run: Mapping[str, Any], scope: str
) -> list[tuple[str, Mapping[str, int] | None, int]]:
    """A row a candidate, then all: name, counts (None where the run has none) and what does not add up."""
    reports = [(one.name, run["candidates"].get(one.key)) for one in election.candidates]
    rows = [(name, report[scope] if report else None) for name, report in [*reports, ("Ensemble", run["total"])]]
    return [(name, counts, _difference(counts) if counts else 0) for name, counts in rows]


def _unbalanced(election: Election, run: Mapping[str, Any]) -> list[str]:
    """The names, and for the total its word, whose counts since the root began do not add up."""
    return [name for name, _, difference in _count_rows(election, run, "root") if difference]


def _period(days: Sequence[_Day]) -> str:
    if not days:
        return ""
    first, last = (french.date(days[at][0]) for at in (0, -1))
    return f"Tweets du {first}" if first == last else f"Tweets du {first} au {last}"


def _chart(days: Sequence[_Day]) -> _Chart:
    """The chart of tweets by day, or by month over a long period; a day without tweets is a gap.

    Args:
        days: At least one, ascending.
    """
    first, last = days[0][0], days[-1][0]
    counts = {day: (tweets, originals) for day, tweets, originals in days}
    if (last - first).days < MAX_DAYS_BY_DAY:
        unit, several_years = "jour", first.year != last.year
        times = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
        names = [french.date(time) for time in times]
        labels = [f"{french.day(time)} {time.year}" if several_years else french.day(time) for time in times]
    else:
        unit = "mois"
        months: dict[dt.date, tuple[int, int]] = {}
        for day, (tweets, originals) in counts.items():
            before = months.get(day.replace(day=1), (0, 0))
            months[day.replace(day=1)] = (before[0] + tweets, before[1] + originals)
        counts = months
        span = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
        times = [dt.date(number // 12, number % 12 + 1, 1) for number in span]
        names = labels = [f"{french.MONTHS[time.month - 1]} {time.year}" for time in times]
    ticks = _ticks(max(tweets for tweets, _ in counts.values()))
    slot, top = 100 / len(times), ticks[-1]
    bars = []
    for number, (time, name) in enumerate(zip(times, names, strict=True)):
        tweets, originals = counts.get(time, (0, 0))
        title = f"{name} : {french.count(tweets, 'tweet')}, dont {french.number(originals)} sans les retweets"
        bars.append(
            _Bar((number + 0.1) * slot, 0.8 * slot, 100 * tweets / top, 100 * originals / top, french.spaced(title))
        )
    step = -(-len(times) // MAX_TIME_LABELS)
    return _Chart(
        unit,
        bars,
        [_Mark(100 * tick / top, french.number(tick)) for tick in ticks],
        [_Mark((number + 0.5) * slot, labels[number]) for number in range(step // 2, len(times), step)],
        [(name, *counts[time]) for time, name in zip(times, names, strict=True) if time in counts],
    )


def _ticks(highest: int) -> Sequence[int]:
    """Three to five round numbers from 0 to at least this count, in steps of 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if 4 * step >= highest:
                return range(0, step * max(2, -(-highest // step)) + 1, step)
        power *= 10


CSS = """
:root { color-scheme: light; --ink: #16191d; --soft: #4a5058; --line: #d5d9de; --paper: #fff; --shade: #f4f5f7;
  --accent: #1b3a6b; --light: #a9bcd8; --negative: #b5472f; --neutral: #c3c7cc; --positive: #2f6db3; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
main, header, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: clamp(1.6rem, 4.5vw, 2.5rem); line-height: 1.15; margin: 0 0 .5rem; text-wrap: balance; }
h2 { font-size: clamp(1.2rem, 3vw, 1.5rem); line-height: 1.25; margin: 0 0 .5rem; }
h3 { font-size: 1.05rem; margin: 1.25rem 0 .25rem; }
p { margin: 0 0 .75rem; max-width: 46rem; }
section { margin: 2.5rem 0; }
a { color: var(--accent); }
.kicker { color: var(--accent); font-weight: 600; margin-bottom: .25rem; }
.soft { color: var(--soft); }
.small { font-size: .9rem; }
.banner { border-left: .35rem solid; padding: .75rem 1rem; margin: 1rem 0; max-width: none; }
.banner p { margin: 0; max-width: 60rem; }
.sample { background: #fff3d1; border-color: #b97900; color: #402a00; }
.trouble { background: #fbe9e6; border-color: #b5472f; color: #4d150a; }
.figures { display: grid; grid-template-columns: repeat(2, 1fr); gap: .75rem; margin: 1.5rem 0; }
.figures div { background: var(--shade); border-radius: .4rem; padding: .75rem 1rem; display: flex;
  flex-direction: column; }
.figures dt { order: 2; font-size: .9rem; color: var(--soft); line-height: 1.3; }
.figures dd { margin: 0; font-size: 1.7rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: .4rem; }
.map { width: 100%; height: 112rem; border: 1px solid var(--line); border-radius: .4rem; display: block; }
.chart { position: relative; height: 15rem; margin: 1rem 0 2.2rem 3.4rem; border-bottom: 1px solid var(--ink); }
.chart svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.chart span { position: absolute; font-size: .8rem; color: var(--soft); white-space: nowrap; }
.chart .count { right: calc(100% + .5rem); transform: translateY(50%); }
.chart .time { top: calc(100% + .4rem); transform: translateX(-50%); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .5rem 0; list-style: none;
  font-size: .9rem; }
.legend i { display: inline-block; width: .9em; height: .9em; border-radius: .15em; margin-right: .4em;
  vertical-align: -.1em; }
.tweets { fill: var(--light); background: var(--light); } .originals { fill: var(--accent); background: var(--accent); }
.grid { fill: var(--line); }
.negative { background: var(--negative); } .neutral { background: var(--neutral); }
.positive { background: var(--positive); }
/* The paper moves with the table and hides the shadow at its end: the shadow shows where there is more. */
.scroll { overflow-x: auto; margin: .5rem 0 1rem;
  background: linear-gradient(to left, var(--paper) 50%, transparent) right / 2.5rem 100% no-repeat local,
    linear-gradient(to left, #16191d4d, transparent) right / 1.1rem 100% no-repeat scroll; }
@media screen and (max-width: 46rem) {
  .wide caption::after { content: "faites défiler →"; display: block; font-weight: 400; color: var(--soft); }
}
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: separate; border-spacing: 0; font-size: .92rem; font-variant-numeric: tabular-nums; }
.wide { width: 100%; }
caption { text-align: left; font-weight: 600; padding: .25rem 0 .5rem; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
thead th { vertical-align: bottom; border-bottom: 2px solid var(--ink); line-height: 1.25; font-weight: 600; }
th[scope=row], th.text, td.text { text-align: left; }
tbody th { font-weight: 500; }
tbody td { white-space: nowrap; } td.text { white-space: normal; overflow-wrap: anywhere; }
tfoot th, tfoot td { border-top: 2px solid var(--ink); border-bottom: 0; font-weight: 650; white-space: nowrap; }
.wide tr > :first-child { position: sticky; left: 0; background: var(--paper) padding-box;
  min-width: 8.5rem; }
@media (min-width: 25rem) { .days tbody th { white-space: nowrap; } }
@media (min-width: 46rem) { .figures { grid-template-columns: repeat(3, 1fr); } .map { height: 79rem; } }
@media (min-width: 66rem) { .figures { grid-template-columns: repeat(6, 1fr); } .map { height: 70rem; } }
@media (min-width: 60rem) { .wide th[scope=row] { white-space: nowrap; } }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .45em; }
.tone { min-width: 13rem; }
.bar { display: flex; height: .8rem; border-radius: .2rem; overflow: hidden; background: var(--shade); }
.bar + span { font-size: .82rem; color: var(--soft); white-space: nowrap; font-weight: 400; }
.clouds { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.25rem; }
.clouds figcaption { font-weight: 600; margin-bottom: .25rem; }
details { margin: 1rem 0; } summary { cursor: pointer; font-weight: 600; color: var(--accent); padding: .25rem 0; }
.columns tbody th { overflow-wrap: anywhere; min-width: 6rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 1rem 2.5rem;
  align-items: start; }
.reason { min-width: 16rem; }
.good { color: #1d6340; } .bad { color: #9c2d17; font-weight: 650; }
footer { border-top: 1px solid var(--line); padding: 1rem; color: var(--soft); font-size: .9rem; }
@media print {
  body { font-size: 10pt; } main, header, footer { max-width: none; padding: 0; } section { margin: 1.25rem 0; }
  figure, tr, .figures, .banner { break-inside: avoid; } h2, h3, caption { break-after: avoid; }
  .scroll { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } table { font-size: 7pt; }
  th, td { padding: .15rem .25rem; } .tone { min-width: 0; } .bar + span { font-size: 6pt; }
  .map { height: 24cm; }
}
"""

PAGE = (
    """\
{% macro tone(row) %}
{% if row.scored_texts %}
<div class="bar" aria-hidden="true">
{%- for label in labels %}<i class="{{ label }}" style="width:{{ '%.2f' | format(100 * row['share_' ~ label]) }}%"></i>
{%- endfor %}</div>
<span>{% for label, name in labels.items() %}{{ row['share_' ~ label] | percent(0) }} {{ name }}
{{- '' if loop.last else ' · ' }}{% endfor %}</span>
{% else %}–{% endif %}
{% endmacro %}
{% macro cells(row) %}
<td>{{ row.tweets | number }}</td><td>{{ row.originals | number }}</td><td>{{ row.distinct_texts | number }}</td>
<td>{{ row.distinct_authors | number }}</td><td>{{ row.mean_polarity | signed }}</td>
<td class="text tone">{{ tone(row) }}</td><td>{{ row.unscored_texts | number }}</td>
<td>{{ row.other_language | number }}</td><td>{{ row.unplaced | number }}</td>
{% endmacro %}
{% macro pairs(title, head, items) %}
<table><caption>{{ title }}</caption>
<thead><tr><th scope="col" class="text">{{ head[0] }}</th><th scope="col" class="text">{{ head[1] }}</th></tr></thead>
<tbody>{% for name, value in items %}
<tr><th scope="row">{{ name }}</th><td class="text">{{ value }}</td></tr>
{% endfor %}</tbody></table>
{% endmacro %}
<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ election.name }} : les tweets sur les candidats</title>
<style>"""
    + CSS
    + """</style>
</head>
<body>
<header>
<p class="kicker">Ce que disent les tweets sur les candidats</p>
<h1>{{ election.name }}</h1>
<p>Premier tour {{ election.first_round | date }}, second tour {{ election.second_round | date }}.
{% if period %}{{ period }}.{% endif %}</p>
<p class="soft small">Source des tweets : {{ source }}. Page établie {{ made_at }} ({{ election.time_zone }}).</p>
{% if sample %}
<div class="banner sample" role="note"><p><strong>Données d’exemple synthétiques.</strong> Aucun de ces tweets n’a été
écrit par une personne : les chiffres et les images montrent ce que fait la plateforme, et rien de l’opinion.</p></div>
{% endif %}
{% if errors %}
<div class="banner trouble" role="note"><p><strong>Collecte incomplète pour {{ errors | length | count('candidat') }}.
</strong> Les chiffres de {{ errors | map(attribute=0) | join(', ') }} sont ceux d’avant l’incident
(<a href="#incidents">détails</a>).</p></div>
{% endif %}
</header>
<main>
<section aria-labelledby="h-figures">
<h2 id="h-figures">L’essentiel</h2>
<dl class="figures">
<div><dt>tweets, chacun compté une fois</dt>
<dd>{{ total.tweets | number }}</dd></div>
<div><dt>sans les retweets</dt>
<dd>{{ total.originals | number }}</dd></div>
<div><dt>textes distincts</dt>
<dd>{{ total.distinct_texts | number }}</dd></div>
<div><dt>auteurs distincts</dt>
<dd>{{ total.distinct_authors | number }}</dd></div>
{% set texts = total.scored_texts + total.unscored_texts %}
<div><dt>des textes dans la langue de l’élection ont un ton calculé{% if texts %}, sur
{{ texts | count('texte') }}{% endif %}</dt>
<dd>{{ (total.scored_texts / texts if texts else none) | percent(0) }}</dd></div>
<div><dt>des tweets sont placés dans un département</dt>
<dd>{{ ((total.tweets - total.unplaced) / total.tweets if total.tweets else none) | percent(0) }}</dd></div>
</dl>
</section>

<section aria-labelledby="h-days">
<h2 id="h-days">Combien de tweets par {{ chart.unit if chart else 'jour' }}</h2>
{% if chart %}
<figure>
<ul class="legend" aria-hidden="true"><li><i class="originals"></i>sans les retweets</li>
<li><i class="tweets"></i>retweets</li></ul>
<div class="chart">
<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img"
 aria-label="Tweets par {{ chart.unit }} ; les chiffres sont dans le tableau qui suit.">
{% for mark in chart.counts[1:] %}
<rect class="grid" x="0" y="{{ '%.3f' | format(100 - mark.at) }}" width="100" height="0.35"/>
{% endfor %}
{% for bar in chart.bars %}
<g><title>{{ bar.title }}</title>
{% for name, height in [('tweets', bar.tweets), ('originals', bar.originals)] %}
<rect class="{{ name }}" x="{{ '%.3f' | format(bar.left) }}" y="{{ '%.3f' | format(100 - height) }}"
 width="{{ '%.3f' | format(bar.width) }}" height="{{ '%.3f' | format(height) }}"/>
{% endfor %}</g>
{% endfor %}
</svg>
{% for mark in chart.counts %}
<span class="count" aria-hidden="true" style="bottom:{{ '%.3f' | format(mark.at) }}%">{{ mark.text }}</span>
{% endfor %}
{% for mark in chart.times %}
<span class="time" aria-hidden="true" style="left:{{ '%.3f' | format(mark.at) }}%">{{ mark.text }}</span>
{% endfor %}
</div>
</figure>
<details><summary>Les chiffres par {{ chart.unit }}</summary>
<table class="days"><caption>Tweets par {{ chart.unit }}, tous candidats, chacun compté une fois</caption>
<thead><tr><th scope="col" class="text">{{ chart.unit | capitalize }}</th><th scope="col">Tweets</th>
<th scope="col">Sans les retweets</th></tr></thead>
<tbody>{% for name, tweets, originals in chart.rows %}
<tr><th scope="row">{{ name }}</th><td>{{ tweets | number }}</td><td>{{ originals | number }}</td></tr>
{% endfor %}</tbody></table></details>
{% else %}
<p>Aucun tweet.</p>
{% endif %}
</section>

<section aria-labelledby="h-candidates">
<h2 id="h-candidates">Candidat par candidat</h2>
<p>Un tweet qui nomme plusieurs candidats compte pour chacun d’eux, et une seule fois dans l’ensemble. Le ton est celui
des textes distincts, de −1 (négatif) à +1 (positif).</p>
<ul class="legend" aria-hidden="true">{% for label, name in labels.items() %}
<li><i class="{{ label }}"></i>ton {{ name }}</li>{% endfor %}</ul>
<div class="scroll" tabindex="0" role="region" aria-labelledby="c-candidates">
<table class="wide"><caption id="c-candidates">Tweets et ton par candidat</caption>
<thead><tr><th scope="col" class="text">Candidat</th><th scope="col">Tweets</th><th scope="col">Sans les retweets</th>
<th scope="col">Textes distincts</th><th scope="col">Auteurs distincts</th><th scope="col">Ton moyen</th>
<th scope="col" class="text">Répartition du ton</th><th scope="col">Textes non notés</th>
<th scope="col">Tweets d’autre langue</th><th scope="col">Tweets non placés</th></tr></thead>
<tbody>{% for candidate, row in candidates %}
<tr><th scope="row"><span class="dot" style="background:{{ candidate.colour }}"></span>{{ candidate.name }}</th>
{{ cells(row) }}</tr>
{% endfor %}</tbody>
<tfoot><tr><th scope="row">Ensemble</th>{{ cells(total) }}</tr></tfoot>
</table></div>
</section>

<section aria-labelledby="h-map">
<h2 id="h-map">Département par département</h2>
<iframe class="map" src="{{ map_file | path }}" loading="lazy"
 title="Carte des résultats de 2017 par département"></iframe>
<p class="small"><a href="{{ map_file | path }}">Ouvrir la carte seule</a></p>
</section>

<section aria-labelledby="h-words">
<h2 id="h-words">Les mots des tweets</h2>
{% if cloud %}
<figure><img src="{{ cloud[0] | path }}" width="1200" height="675" alt="{{ cloud[1] }}"></figure>
{% endif %}
{% if candidate_clouds %}
<details><summary>Le nuage de chaque candidat</summary>
<div class="clouds">{% for name, file, alt in candidate_clouds %}
<figure><figcaption>{{ name }}</figcaption>
<img src="{{ file | path }}" width="1200" height="675" alt="{{ alt }}"></figure>
{% endfor %}</div></details>
{% endif %}
{% if not cloud and not candidate_clouds %}<p>Aucun nuage de mots.</p>{% endif %}
<h3>Les mots-dièse</h3>
{% if hashtags %}
<table><caption>Mots-dièse les plus employés, en textes distincts</caption>
<thead><tr><th scope="col" class="text">Mot-dièse</th><th scope="col">Textes</th></tr></thead>
<tbody>{% for row in hashtags %}
<tr><th scope="row">#{{ row.hashtag }}</th><td>{{ row.texts | number }}</td></tr>
{% endfor %}</tbody></table>
{% else %}<p>Aucun mot-dièse.</p>{% endif %}
</section>

<section aria-labelledby="h-counts">
<h2 id="h-counts">Rien de perdu, rien de compté deux fois</h2>
{% if unbalanced %}
<p class="bad">Le compte n’y est pas pour {{ unbalanced | join(', ') }} : reçus ≠ gardés + répétitions + quarantaine
depuis le début de la collecte.</p>
{% else %}
<p><strong class="good">Le compte est bon</strong> pour chaque candidat et pour l’ensemble depuis le début de la
collecte : reçus = gardés + répétitions + quarantaine.</p>
{% endif %}
<p class="small soft">Ici un tweet compte pour chaque candidat dont la recherche l’a trouvé. Une répétition est un tweet
déjà gardé ; une livraison répétée est un lot arrivé deux fois, qui n’ajoute rien aux autres nombres.</p>
{% for scope, title, rows in tables %}
{% if scope == 'run' and not new %}
<p>Rien de nouveau depuis le rapport précédent.</p>
{% else %}
<div class="scroll" tabindex="0" role="region" aria-labelledby="c-{{ scope }}">
<table class="wide"><caption id="c-{{ scope }}">{{ title }}</caption>
<thead><tr><th scope="col" class="text">Candidat</th>
{% for name in count_names.values() %}<th scope="col">{{ name }}</th>
{% endfor %}<th scope="col">Compte</th></tr></thead>
{% for name, counts, difference in rows %}
{{ '<tfoot>' | safe if loop.last else '<tbody>' | safe if loop.first else '' }}
<tr><th scope="row">{{ name }}</th>{% for key in count_names %}<td>{{ (counts[key] if counts else none) | number }}</td>
{% endfor %}<td>{% if not counts %}–{% elif difference %}<span class="bad">écart de {{ difference | number }}</span>
{%- else %}<span class="good">bon</span>{% endif %}</td></tr>
{{ '</tfoot>' | safe if loop.last else '</tbody>' | safe if loop.revindex == 2 else '' }}
{% endfor %}
</table></div>
{% endif %}
{% endfor %}
{% if run.archive %}
<h3>{{ 'Le corpus d’exemple' if sample else 'L’archive lue' }}</h3>
{% set segments, segments_done = run.archive.get('segments', 0), run.archive.get('segments_done', 0) %}
{% if segments_done < segments %}
<p><strong class="bad">Lecture inachevée.</strong> {% if segments_done %}
{{ segments_done | count('morceau', 'morceaux') }} sur {{ segments | number }} ;
les nombres qui suivent ne comptent que ce qui est lu en entier pour tous les candidats.
{%- else %}Rien n’est encore lu en entier pour tous les candidats : ce qui est lu se compte à la fin.{% endif %}</p>
{% endif %}
{% if segments_done or not segments %}
<ul>
<li>{{ run.archive.read | count('enregistrement lu', 'enregistrements lus') }}</li>
<li>{{ run.archive.unreadable | count('enregistrement illisible', 'enregistrements illisibles') }}</li>
<li>{{ run.archive.matched_no_candidate | count('enregistrement', 'enregistrements') }} sans aucun candidat</li>
</ul>
{% endif %}
{% if run.archive.problem_count %}
<details><summary>{{ run.archive.problem_count | count('problème') }} de lecture</summary>
<div class="scroll" tabindex="0" role="region" aria-labelledby="c-problems">
<table><caption id="c-problems">Problèmes de lecture
{%- if run.archive.problems | length < run.archive.problem_count %}, les {{ run.archive.problems | length | number }}
premiers sur {{ run.archive.problem_count | number }}{% endif %}</caption>
<thead><tr><th scope="col" class="text">Fichier</th><th scope="col">Ligne</th><th scope="col">Nature</th>
<th scope="col" class="text">Raison</th></tr></thead>
<tbody>{% for problem in run.archive.problems %}
<tr><th scope="row">{{ problem.file }}</th><td>{{ problem.line | number }}</td><td lang="en">{{ problem.kind }}</td>
<td class="text reason" lang="en">{{ problem.reason }}</td></tr>
{% endfor %}</tbody></table></div></details>
{% endif %}
{% endif %}
{% if errors %}
<h3 id="incidents">Incidents de collecte</h3>
<ul>{% for name, error in errors %}
<li><strong>{{ name }}</strong> : <span lang="en">{{ error }}</span></li>
{% endfor %}</ul>
{% endif %}
{% if notes %}
<h3 id="notes">Notes de collecte</h3>
<ul>{% for name, note in notes %}
<li>{% if name %}<strong>{{ name }}</strong> : {% endif %}<span lang="en">{{ note }}</span></li>
{% endfor %}</ul>
{% endif %}
</section>

<section aria-labelledby="h-method">
<h2 id="h-method">Méthode</h2>
{% if toned %}
<p><strong>Le ton</strong> d’un texte est estimé par {{ run.engines.sentiment }} d’après ses mots, ses expressions et
ses émojis, négations, renforcements et contrastes compris : positif, neutre ou négatif, le plus probable des trois. Sa
polarité, de −1 à 1, est la probabilité qu’il soit positif moins celle qu’il soit négatif. Un texte dont le lexique ne
connaît aucun mot est « non noté » : il n’est ni neutre ni compté dans une moyenne. Seuls les textes dans la langue de
l’élection sont
notés ; les autres sont comptés à part.</p>
<p><strong>Ce que le ton n’est pas.</strong> C’est le ton de tweets qui nomment un candidat, et non un jugement sur ce
candidat : un texte sombre sur le chômage est négatif, qui qu’il cite. Un lexique n’entend ni l’ironie ni le contexte.
Ce n’est pas une opinion mesurée, et encore moins un vote : ceux qui écrivent sur X ne sont pas un échantillon des
électeurs.</p>
{% else %}
<p><strong>Le ton</strong> n’est calculé pour aucun texte : le lexique de {{ run.engines.sentiment }} ne connaît pas la
langue de cette élection ({{ election.language }}), et tous les textes sont « non notés ».</p>
{% endif %}
<p><strong>Le département</strong> est deviné d’après le lieu que l’auteur écrit dans son profil, ou le lieu attaché au
tweet. Un nom ambigu n’est pas placé, et les tweets non placés sont comptés comme tels.</p>
<p><strong>Les personnes.</strong> Cette page ne contient que des agrégats : aucun texte de tweet, aucun auteur, aucune
étiquette par auteur. Les auteurs sont comptés sous pseudonyme.</p>
<p><strong>Sources et licences.</strong> Résultats de 2017 : ministère de l’Intérieur, Licence Ouverte. Contours des
départements : Apache Superset, licence Apache 2.0. Communes et populations : Etalab, licence MIT. Lexiques du ton :
textblob-fr, d’après pattern.fr (université d’Anvers), licences MIT et BSD ; vaderSentiment-fr, licence MIT ; celui du
projet. Tweets : {{ source }}.</p>
</section>

<section aria-labelledby="h-made">
<h2 id="h-made">Fabrication</h2>
<p class="small soft">Exécution {{ run.run_id }}.</p>
<details><summary>Moteurs, versions et durées</summary>
<div class="columns">
{{ pairs('Moteurs', ('Rôle', 'Moteur'), named_engines) }}
{{ pairs('Versions', ('Paquet', 'Version'), run.versions.items() | sort) }}
{{ pairs('Durées', ('Étape', 'Secondes'), durations) }}
</div></details>
</section>
</main>
<footer>{% if sample %}Données d’exemple synthétiques. {% endif %}
{{ election.name }}. Page établie {{ made_at }}.</footer>
</body>
</html>
"""
)
