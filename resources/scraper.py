"""The scraper service as the assets see it: batches to publish, acknowledgements, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import dagster as dg

from election_assets.schemas import MAX_BATCH_RECORDS
from resources.embedded_services import EmbeddedServicesResource

TIMEOUT_SECONDS = (5, 300)
"""To connect, and to answer: a batch may need several pages of X, each with its own retries."""


class ScraperError(RuntimeError):
    """The scraper cannot give what was asked; the message is its own sentence."""


@dataclass(frozen=True)
class Batch:
    """A batch of flat records (`tweet.v1`); `batch_id` is None where there is nothing new."""

    batch_id: str | None
    candidate: str
    schema: str
    tweets: list[dict[str, str]]


class ScraperResource(dg.ConfigurableResource):
    """HTTP client of the scraper service.

    Attributes:
        url: Address of a running service; empty for the embedded one of the data root.
        api_key: Value of its SCRAPER_API_KEY, empty if it wants none.
        services: The embedded services.
    """

    url: str = ""
    api_key: str = ""
    services: EmbeddedServicesResource

    def batch(self, candidate: str, count: int = MAX_BATCH_RECORDS) -> Batch:
        """The candidate's current batch, the same until it is acknowledged.

        Raises:
            ScraperError: If the service or what it reads from fails.
        """
        return self._batch("/get_twitter", params={"candidat": candidate, "count": count})

    def acknowledge(self, batch_id: str) -> None:
        """Tells that Kafka has the batch.

        Raises:
            ScraperError: If the service does not take it.
        """
        self._call("POST", f"/batches/{quote(batch_id, safe='')}/ack")

    def again(self, batch_id: str) -> Batch:
        """A batch of the past, read back from what was kept.

        Raises:
            ScraperError: If the service does not know it.
        """
        return self._batch(f"/batches/{quote(batch_id, safe='')}")

    def status(self) -> dict[str, Any]:
        """What was collected since the data root began, a candidate and, where there is one, of the archive."""
        return self._call("GET", "/status")

    def _batch(self, path: str, **arguments: Any) -> Batch:
        content = self._call("GET", path, **arguments)
        try:
            return Batch(**content)
        except TypeError as error:
            raise ScraperError(f"{path} was answered with something else than a batch; is it the scraper?") from error

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        import requests

        base = self.url.rstrip("/") or self.services.addresses().scraper
        shown = _without_credentials(base)
        headers = {"X-Api-Key": self.api_key} if self.api_key else {}
        try:
            with requests.Session() as session:
                # A proxy for the internet knows nothing of this machine's own services.
                session.trust_env = bool(self.url)
                answer = session.request(method, base + path, headers=headers, timeout=TIMEOUT_SECONDS, **arguments)
        except (requests.RequestException, UnicodeError) as error:
            raise ScraperError(
                f"The scraper at {shown} does not answer ({type(error).__name__}): start it, or correct SCRAPER_URL."
            ) from error
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ScraperError(f"{shown}{path} answered {answer.status_code} without a JSON object; is it the scraper?")
        if not answer.ok:
            raise ScraperError(str(content.get("error") or f"{shown}{path} answered {answer.status_code}."))
        return content


def _without_credentials(url: str) -> str:
    """An address as it may be shown."""
    return urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl()
