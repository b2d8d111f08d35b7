"""The outside world as Dagster resources, one a module, and `build_resources`, which makes them from an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def build_resources(env: Mapping[str, str]) -> dict[str, Any]:
    """The resources by the names that assets ask for; nothing is started or connected here.

    What may hold a secret (SCRAPER_API_KEY, NIFI_PASSWORD, an address with a password or token in it) is given to
    Dagster as the name of its variable, read from the process's environment when a run starts: Dagster shows the
    values of resources in its UI and stores them with its instance.
    """
    import dagster as dg

    from election_assets.election import load_election
    from election_assets.storage import DataRoot
    from nifi.flow import root_group_name
    from resources.embedded_services import EmbeddedServicesResource
    from resources.kafka import KafkaResource
    from resources.nifi import NiFiResource, timeout_seconds
    from resources.scraper import ScraperResource
    from resources.spark import SparkResource

    def secret(name: str) -> str:
        return dg.EnvVar(name) if env.get(name) else ""

    services = EmbeddedServicesResource(data_root=str(DataRoot.from_env(env).path))
    return {
        "spark": SparkResource(remote=secret("SPARK_REMOTE")),
        "kafka": KafkaResource(
            bootstrap_servers=env.get("KAFKA_BOOTSTRAP_SERVERS", "").strip(),
            security_protocol=env.get("KAFKA_SECURITY_PROTOCOL", ""),
            ssl_cafile=env.get("KAFKA_SSL_CAFILE", ""),
            ssl_certfile=env.get("KAFKA_SSL_CERTFILE", ""),
            ssl_keyfile=env.get("KAFKA_SSL_KEYFILE", ""),
            ssl_password=secret("KAFKA_SSL_PASSWORD"),
            sasl_mechanism=env.get("KAFKA_SASL_MECHANISM", ""),
            sasl_username=env.get("KAFKA_SASL_USERNAME", ""),
            sasl_password=secret("KAFKA_SASL_PASSWORD"),
            topic_retention_days=env.get("KAFKA_TOPIC_RETENTION_DAYS", ""),
            services=services,
        ),
        "nifi": NiFiResource(
            url=secret("NIFI_URL"),
            username=env.get("NIFI_USERNAME", "").strip(),
            password=secret("NIFI_PASSWORD"),
            client_certificate=env.get("NIFI_CLIENT_CERTIFICATE", "").strip(),
            client_key=env.get("NIFI_CLIENT_KEY", "").strip(),
            ca_file=env.get("NIFI_CA_FILE", "").strip(),
            ui_url=env.get("NIFI_UI_URL", "").strip(),
            flow=root_group_name(load_election(env.get("ELECTION"))),
            timeout_seconds=timeout_seconds(env),
        ),
        "scraper": ScraperResource(url=secret("SCRAPER_URL"), api_key=secret("SCRAPER_API_KEY"), services=services),
    }
