"""The files that a reader opens: `department_map`, `word_cloud` and `report`."""

import base64
import datetime as dt
import json
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import dagster as dg

from election_assets import delta
from election_assets.defs.analysis import DAILY, merged_tweets, sentiment_scores
from election_assets.defs.results import results_2017
from election_assets.defs.upstream import OWNERS
from election_assets.metadata import markdown_rows, page_metadata
from election_assets.partitions import DATA_ROOT, ELECTION
from election_assets.run_record import COUNTS, run_record
from election_assets.schemas import MERGED_TWEETS, RESULTS_2017, SENTIMENT_SCORES
from election_assets.storage import write_atomically
from resources.kafka import KafkaResource
from resources.report_server import report_address
from resources.scraper import ScraperError, ScraperResource
from resources.spark import SparkResource

if TYPE_CHECKING:
    from election_assets.visuals.site import SiteData

CLOUD_INDEX = "word_clouds/index.json"
"""For every cloud the picture's path in the report's folder, and the text that stands for it."""

LANGUAGE = "fr"
"""Of the pages; another one is a catalogue away."""

NEWEST_EVENTS = 20 * len(ELECTION.candidates)
"""Materialisations of an asset among which those of every candidate are looked for."""


@dg.asset(
    deps=[results_2017, merged_tweets, sentiment_scores],
    group_name="visuals",
    kinds={"plotly", "html"},
    owners=OWNERS,
    freshness_policy=DAILY,
)
def department_map(spark: SparkResource) -> dg.MaterializeResult:
    """The 2017 results by department beside the tweets placed there, as a page that opens offline."""
    from election_assets.transforms.aggregates import TOTAL, departments, overview, placed_total, tweets_by_day
    from election_assets.transforms.results import bundled_shapes
    from election_assets.transforms.sentiment import LANGUAGE as TONED_LANGUAGE
    from election_assets.visuals.catalogue import load_catalogue
    from election_assets.visuals.department_layers import department_table, leader_colours, map_data
    from election_assets.visuals.department_map import department_map_files
    from election_assets.visuals.map_preview import map_preview
    from election_assets.visuals.site import Head, assets
    from election_assets.visuals.tables import csv_bytes

    merged = delta.read(spark.session, MERGED_TWEETS, DATA_ROOT.table(MERGED_TWEETS.name))
    scores = delta.read(spark.session, SENTIMENT_SCORES, DATA_ROOT.table(SENTIMENT_SCORES.name))
    results = delta.read(spark.session, RESULTS_2017, DATA_ROOT.table(RESULTS_2017.name)).toPandas()
    placed, days = departments(merged, scores, ELECTION), tweets_by_day(merged)["day"]
    total = overview(merged, scores, ELECTION).set_index("candidate").loc[TOTAL].to_dict()
    catalogue, shapes = load_catalogue(LANGUAGE), bundled_shapes()
    data = map_data(
        results,
        shapes,
        catalogue,
        tweets=placed,
        placed=placed_total(merged, scores, ELECTION),
        total=total,
        toned=ELECTION.language == TONED_LANGUAGE,
    )
    files = department_map_files(
        data,
        shapes,
        Head(ELECTION, DATA_ROOT.info(ELECTION).source, dt.datetime.now(dt.UTC)),
        catalogue,
        period=catalogue.period(days.min(), days.max()) if len(days) else "",
    )
    table = csv_bytes(department_table(results, placed), catalogue)
    for path, content in (files | assets() | {"data/departments.csv": table}).items():
        write_atomically(DATA_ROOT.report / path, content)
    preview = map_preview(shapes, *leader_colours(results, catalogue))
    return dg.MaterializeResult(
        metadata={
            **_page("department_map.html"),
            "preview": _picture(preview, catalogue.text("overview.map_preview")),
            "departments": int(results["department"].nunique()),
            "tweets_shown": int(placed["tweets"].sum()),
            "departments_below_floor": int(placed["below_floor"].sum()),
            "tweets_unplaced": int(total["unplaced"]),
        }
    )


@dg.asset(
    deps=[merged_tweets],
    group_name="visuals",
    kinds={"wordcloud", "png"},
    owners=OWNERS,
    freshness_policy=DAILY,
)
def word_cloud(spark: SparkResource) -> dg.MaterializeResult:
    """The words of all candidates' tweets, and those that tell each one's from the others', as PNG and SVG."""
    from election_assets.transforms.aggregates import TOTAL, distinctive_words, word_counts
    from election_assets.visuals.catalogue import load_catalogue
    from election_assets.visuals.word_cloud import stop_words
    from election_assets.visuals.word_cloud import word_cloud as draw

    merged = delta.read(spark.session, MERGED_TWEETS, DATA_ROOT.table(MERGED_TWEETS.name))
    # A name says nothing of what is said; the others' names would fill the cloud of each candidate.
    left_out = stop_words(ELECTION)
    counts, distinctive = word_counts(merged, ELECTION, None, left_out), distinctive_words(merged, ELECTION, left_out)
    clouds: dict[str, tuple[Mapping[str, float], Mapping[str, int], str, str | None]] = {}
    clouds[TOTAL] = (counts, counts, ELECTION.name, None)
    for one in ELECTION.candidates:
        own = distinctive[distinctive["candidate"] == one.key]
        weights, texts = (dict(zip(own["word"], own[measure], strict=True)) for measure in ("z", "texts"))
        clouds[one.key] = (weights, texts, one.name, one.colour)
    index: dict[str, dict[str, str]] = {}
    for key, (sizes, of_texts, title, colour) in clouds.items():
        cloud = draw(
            sizes, texts=of_texts, title=title, catalogue=load_catalogue(LANGUAGE), colour=colour, sample=_is_sample()
        )
        name = f"word_clouds/{key}" if key else "word_cloud"
        write_atomically(DATA_ROOT.report / f"{name}.png", cloud.png)
        write_atomically(DATA_ROOT.report / f"{name}.svg", cloud.svg.encode())
        index[key] = {"picture": f"{name}.png", "alt": cloud.alt}
        if not key:
            overall = cloud.png
    write_atomically(DATA_ROOT.report / CLOUD_INDEX, json.dumps(index, ensure_ascii=False, indent=1).encode())
    return dg.MaterializeResult(
        metadata={
            **_page("word_cloud.png"),
            "preview": _picture(overall, index[TOTAL]["alt"]),
            "words": len(counts),
            "clouds": len(index),
        }
    )


@dg.asset(
    deps=[department_map, word_cloud, merged_tweets, sentiment_scores],
    group_name="visuals",
    kinds={"html"},
    owners=OWNERS,
    freshness_policy=DAILY,
)
def report(
    context: dg.AssetExecutionContext, spark: SparkResource, scraper: ScraperResource, kafka: KafkaResource
) -> dg.MaterializeResult:
    """The pages that set it all side by side, their tables as CSV, and `run.json` with the counts behind them."""
    import pandas as pd

    from election_assets.transforms import aggregates
    from election_assets.visuals.catalogue import load_catalogue
    from election_assets.visuals.site import SiteData, site_files
    from election_assets.visuals.word_cloud import stop_words

    session = spark.session
    merged = delta.read(session, MERGED_TWEETS, DATA_ROOT.table(MERGED_TWEETS.name))
    scores = delta.read(session, SENTIMENT_SCORES, DATA_ROOT.table(SENTIMENT_SCORES.name))
    status, now = _status(context, scraper), dt.datetime.now(dt.UTC)
    today = now.astimezone(ZoneInfo(ELECTION.time_zone)).date()
    collection = status.get("candidates", {})
    record = run_record(
        DATA_ROOT,
        ELECTION,
        run_id=context.run_id,
        # The scraper's word first: where collecting failed for all, no materialisation tells of it.
        errors=_errors(context.instance) | {key: of["error"] for key, of in collection.items() if of["error"]},
        notes={key: of["notes"] for key, of in collection.items()},
        archive=status.get("archive"),
        engines={"spark": spark.engine, "broker": kafka.engine, "sentiment": aggregates.tone_engine(scores)},
        seconds=_seconds(context),
        now=now,
    )
    left_out = stop_words(ELECTION)
    clouds = json.loads((DATA_ROOT.report / CLOUD_INDEX).read_text(encoding="utf-8"))
    data = SiteData(
        election=ELECTION,
        run=record,
        overview=aggregates.overview(merged, scores, ELECTION),
        days=aggregates.tweets_by_day(merged),
        hours=aggregates.tweets_by_hour(merged),
        tones=aggregates.tone_by_day(merged, scores, ELECTION),
        hashtags={
            key: aggregates.top_hashtags(merged, key or None) for key in (aggregates.TOTAL, *ELECTION.candidate_keys)
        },
        rising=aggregates.rising_hashtags(merged, today=today),
        top_words=pd.DataFrame(
            aggregates.word_counts(merged, ELECTION, None, left_out).items(), columns=["word", "texts"]
        ),
        words=aggregates.distinctive_words(merged, ELECTION, left_out),
        pairs=aggregates.co_mentions(merged),
        clouds={key: (cloud["picture"], cloud["alt"]) for key, cloud in clouds.items()},
    )
    for path, content in site_files(data, load_catalogue(LANGUAGE)).items():
        write_atomically(DATA_ROOT.report / path, content)
    # After the pages: the next record counts from this one on.
    write_atomically(DATA_ROOT.report / "run.json", json.dumps(record, ensure_ascii=False, indent=1).encode())
    total = record["total"]["root"]
    return dg.MaterializeResult(
        metadata={
            **_page("index.html"),
            "preview": _overview_table(data),
            "counts": _counts_table(record),
            **{f"{name}_since_the_beginning": count for name, count in total.items()},
        }
    )


def _page(name: str) -> dict[str, Any]:
    return page_metadata(DATA_ROOT.report, name, report_address(os.environ))


def _is_sample() -> bool:
    return DATA_ROOT.info(ELECTION).source == "sample"


def _picture(png: bytes, alt: str) -> dg.MarkdownMetadataValue:
    text = alt.replace("[", "(").replace("]", ")")
    return dg.MetadataValue.md(f"![{text}](data:image/png;base64,{base64.b64encode(png).decode()})")


def _overview_table(data: "SiteData") -> dg.MarkdownMetadataValue:
    """Tweets, share of the mentions and mean tone with its 95 % interval, a row a candidate."""
    rows = []
    for one in ELECTION.candidates:
        row, share = data.figures[one.key], data.mentions_share(one.key)
        ends = (row["mean_polarity_low"], row["mean_polarity_high"])
        tone = "–" if math.isnan(row["mean_polarity"]) else f"{row['mean_polarity']:+.2f}"
        interval = "" if any(math.isnan(end) for end in ends) else f" ({ends[0]:+.2f} to {ends[1]:+.2f})"
        rows.append((one.name, row["tweets"], "–" if share is None else f"{share:.1%}", tone + interval))
    return markdown_rows(("candidate", "tweets", "share of mentions", "mean tone (95 % interval)"), rows)


def _counts_table(record: Mapping[str, Any]) -> dg.MarkdownMetadataValue:
    """The counts since the data root began, a row a candidate."""
    reports = [(one.name, record["candidates"][one.key]["root"]) for one in ELECTION.candidates]
    rows = [(name, *(of[count] for count in COUNTS)) for name, of in [*reports, ("all", record["total"]["root"])]]
    return markdown_rows(("candidate", *COUNTS), rows)


def _errors(instance: dg.DagsterInstance) -> dict[str, str]:
    """The error of each candidate's newest materialisation, of the first asset that has one."""
    errors: dict[str, str] = {}
    for name in ("raw_tweets", "landed_csv", "cleaned_tweets", "candidate_stats"):
        newest: dict[str, dg.AssetMaterialization] = {}
        for record in instance.fetch_materializations(dg.AssetKey(name), limit=NEWEST_EVENTS).records:
            found = record.asset_materialization
            if found and found.partition:
                newest.setdefault(found.partition, found)
        for key, found in newest.items():
            if "error" in found.metadata:
                errors.setdefault(key, str(found.metadata["error"].value))
    return errors


def _status(context: dg.AssetExecutionContext, scraper: ScraperResource) -> Mapping[str, Any]:
    """What the scraper says of the collection; the report is drawn without it where the scraper is down."""
    try:
        return scraper.status()
    except ScraperError as error:
        context.log.warning(f"The report is drawn without what the scraper says: {error}")
        return {}


def _seconds(context: dg.AssetExecutionContext) -> dict[str, float]:
    """Seconds of the steps that have ended in this run."""
    steps = context.instance.get_run_step_stats(context.run_id)
    return {step.step_key: step.end_time - step.start_time for step in steps if step.start_time and step.end_time}
