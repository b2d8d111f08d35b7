"""What feeds the platform and is run elsewhere: shown in the lineage, materialised by nobody here."""

import dagster as dg

from election_assets.partitions import CANDIDATES, ELECTION

OWNERS = ["team:data-desk"]

x_api = dg.AssetSpec(
    "x_api",
    group_name="upstream",
    kinds={"x"},
    owners=OWNERS,
    description="X's API v2 recent search (or the archive or sample that stands in for it), read by the scraper.",
)
nifi_flow = dg.AssetSpec(
    "nifi_flow",
    group_name="upstream",
    kinds={"nifi"},
    owners=OWNERS,
    description="The NiFi flow that asks the scraper for batches and publishes them, where NiFi is the publisher.",
)
kafka_topics = dg.AssetSpec(
    "kafka_topics",
    partitions_def=CANDIDATES,
    group_name="upstream",
    kinds={"kafka"},
    owners=OWNERS,
    description=f"One topic a candidate, `{ELECTION.topic_prefix}.<candidate>`; a message is one batch as CSV.",
)
