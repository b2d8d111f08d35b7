"""The official results that the tweets are set beside: `results_2017` and its checks."""

import os
from collections.abc import Iterator

import dagster as dg

from election_assets import delta
from election_assets.defs.upstream import OWNERS
from election_assets.metadata import table_definition, table_metadata
from election_assets.partitions import DATA_ROOT, alone
from election_assets.schemas import RESULTS_2017
from resources.spark import SparkResource

SHOWN_PROBLEMS = 3
"""Problems that a failed check's description tells; its metadata has all."""


@dg.asset(
    group_name="results",
    kinds={"csv", "deltalake"},
    owners=OWNERS,
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5),
    metadata=table_definition(RESULTS_2017),
)
def results_2017(spark: SparkResource) -> dg.MaterializeResult:
    """Both rounds of the 2017 election; a row is a department, round and candidate.

    From the bundled table, or from the official file, folder or address that RESULTS_2017 names. A file of one round
    replaces that round; the other stays as bundled.
    """
    import pandas as pd

    from election_assets.transforms.results import (
        ResultsFormatError,
        ResultsSourceError,
        bundled_results,
        check_election,
        load_results,
    )

    source = os.environ.get("RESULTS_2017")
    results = bundled_results()
    if source:
        try:
            loaded = load_results(source)
            check_election(loaded)
        except (ResultsFormatError, ResultsSourceError) as error:
            # Only an address may answer the next time.
            again = isinstance(error, ResultsSourceError) and "://" in source
            raise dg.Failure(f"RESULTS_2017: {error}", allow_retries=again) from error
        results = pd.concat([results[~results["round"].isin(loaded["round"])], loaded], ignore_index=True)
    path = DATA_ROOT.table(RESULTS_2017.name)
    frame = spark.session.createDataFrame(results, schema=RESULTS_2017.ddl)
    with alone(RESULTS_2017.name):
        delta.replace(frame, RESULTS_2017, path)
    first = results[results["round"] == 1]
    return dg.MaterializeResult(
        metadata={
            **table_metadata(path, len(results), frame.where("round = 1").orderBy("department", "candidate")),
            "source": source or "bundled (Ministère de l’Intérieur, Licence Ouverte)",
            "departments": int(first["department"].nunique()),
            "cast": int(first.drop_duplicates("department")["cast"].sum()),
        }
    )


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "totals_agree",
            asset=results_2017,
            blocking=True,
            description="registered = abstentions + voters, voters = blank + null + cast, cast = sum of the votes.",
        ),
        dg.AssetCheckSpec(
            "every_department_has_a_shape",
            asset=results_2017,
            blocking=True,
            description="No department without a shape and no shape without results: neither is ever drawn as 0.",
        ),
    ]
)
def results_2017_checks(spark: SparkResource) -> Iterator[dg.AssetCheckResult]:
    """Checks the table that was written."""
    from election_assets.transforms.results import bundled_shapes, check_results, check_shapes

    stored = delta.read(spark.session, RESULTS_2017, DATA_ROOT.table(RESULTS_2017.name)).toPandas()
    for name, problems in (
        ("totals_agree", check_results(stored)),
        ("every_department_has_a_shape", check_shapes(stored, bundled_shapes())),
    ):
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=results_2017.key,
            passed=not problems,
            description=" ".join(problems[:SHOWN_PROBLEMS]) or None,
            metadata={"problems": dg.MetadataValue.md("\n".join(f"- {text}" for text in problems))} if problems else {},
        )
