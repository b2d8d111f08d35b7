"""The outside world as Dagster resources, one a module, and `build_resources`, which makes them from an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def build_resources(env: Mapping[str, str]) -> dict[str, Any]:
    """The resources by the names that assets ask for; nothing is started or connected here."""
    from election_assets.storage import DataRoot
    from resources.kafka import KafkaResource
    from resources.scraper import ScraperResource
    from resources.services import EmbeddedServicesResource
    from resources.spark import SparkResource

    services = EmbeddedServicesResource(data_root=str(DataRoot.from_env(env).path))
    return {
        "spark": SparkResource(remote=env.get("SPARK_REMOTE", "")),
        "kafka": KafkaResource(bootstrap_servers=env.get("KAFKA_BOOTSTRAP_SERVERS", ""), services=services),
        "scraper": ScraperResource(
            url=env.get("SCRAPER_URL", ""), api_key=env.get("SCRAPER_API_KEY", ""), services=services
        ),
    }
