"""The landed and quarantined files of a candidate: written, listed by batch, and read into a frame."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from election_assets.schemas import LANDED_V1, LANDED_V1_NAMES, fields_of_any_length
from election_assets.storage import DataRoot, write_atomically
from election_assets.transforms.landing import LandedMessage, Message, land

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class OriginReusedError(RuntimeError):
    """Another message landed before from the same place of the same topic."""


def store(root: DataRoot, candidate: str, message: Message) -> LandedMessage:
    """Lands a message: the refused lines first, then the rows, each file whole; landing it again changes nothing.

    Raises:
        OriginReusedError: If a different message landed from this offset before, as after a topic was made anew.
    """
    landed = land(message, candidate)
    lines = [json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in landed.refused]
    files = {
        root.quarantine_file(candidate, message.origin): "".join(lines).encode(errors="backslashreplace") or None,
        root.landed_file(candidate, message.origin): landed.csv,
    }
    present = [path for path in files if path.exists()]
    for path in present:
        if path.read_bytes() != files[path]:
            raise OriginReusedError(
                f"{path} landed before with other content: topic {message.topic} was deleted and made anew;"
                " name another topic_prefix in the election file, or another ELECTION_DATA."
            )
    for path, content in files.items():
        if path not in present and content is not None:
            write_atomically(path, content)
    return landed


def batches(root: DataRoot, candidate: str, ingested: Mapping[str, str]) -> dict[str, str]:
    """The batch of every origin that landed, whole or refused.

    Args:
        root: The data root.
        candidate: Key of the candidate.
        ingested: The batch of the origins that `cleaned_tweets` has read, which spares opening their files.
    """
    found = dict(ingested)
    for origin in root.origins(candidate):
        if origin not in found and (batch_id := _batch_of_file(root, candidate, origin)):
            found[origin] = batch_id
    for file in sorted(root.quarantine(candidate).glob("*.jsonl")):
        if file.stem not in found:
            with file.open(encoding="utf-8") as lines:
                if first := next(lines, ""):
                    found[file.stem] = json.loads(first)["batch_id"]
    return found


def _batch_of_file(root: DataRoot, candidate: str, origin: str) -> str:
    with root.landed_file(candidate, origin).open(encoding="utf-8", newline="") as file, fields_of_any_length():
        reader = csv.DictReader(file)
        return next((row["batch_id"] for row in reader), "")


def read_landed(spark: SparkSession, root: DataRoot, candidate: str, origins: Iterable[str]) -> DataFrame:
    """The rows of landed files: the columns of `LANDED_V1`, all strings, and `origin`."""
    from pyspark.sql import functions as F

    paths = [str(root.landed_file(candidate, origin)) for origin in origins]
    schema = ", ".join(f"`{column.name}` string" for column in LANDED_V1)
    if not paths:
        return spark.createDataFrame([], schema=f"{schema}, origin string")
    rows = spark.read.csv(paths, schema=schema, header=True, multiLine=True, escape='"')
    parts = [F.col("cluster"), F.col("topic"), F.col("partition"), F.lpad(F.col("offset"), 20, "0")]
    return rows.select(*LANDED_V1_NAMES, F.concat_ws("~", *parts).alias("origin"))
