"""The chain of services around one data root: a scraper, and topics and a flow of its own in Kafka and NiFi."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from election_assets.election import Election, load_election
from tests.assets.roots import PROJECT, Root
from tests.servers.kafka import KafkaServer
from tests.servers.nifi import NiFiServer
from tests.servers.scraper import ScraperServer


class Chain:
    """A data root with INGESTION=nifi; at first NiFi asks only when Dagster makes it ask.

    Attributes:
        election: A copy of an election under a key of its own, so that topics and groups are nobody else's.
        root: The data root.
        scraper: Its scraper.
        dead_letters: Where NiFi puts what it cannot publish.
    """

    def __init__(
        self, folder: Path, election_file: Path, key: str, kafka: KafkaServer, nifi: NiFiServer, env: dict[str, str]
    ) -> None:
        """Describes the chain; nothing starts yet.

        Args:
            folder: For everything of it.
            election_file: The election that is copied.
            key: Key of the copy.
            kafka: A running broker.
            nifi: A running NiFi.
            env: Further variables.
        """
        folder.mkdir(parents=True, exist_ok=True)
        text = election_file.read_text(encoding="utf-8")
        for name, value in {"key": key, "topic_prefix": f"{key}.tweets"}.items():
            text = re.sub(rf"^{name} = .*$", f'{name} = "{value}"', text, count=1, flags=re.MULTILINE)
        own_file = folder / f"{key}.toml"
        own_file.write_text(text, encoding="utf-8")
        self.election: Election = load_election(str(own_file))
        self.dead_letters = folder / "dead_letters"
        self.root = Root(folder / "data", {"ELECTION": str(own_file), "INGESTION": "nifi", **env})
        self.root.env |= {**kafka.settings, **nifi.settings, "NIFI_DEAD_LETTER_FOLDER": str(self.dead_letters)}
        self.scraper = ScraperServer(folder / "scraper.log", self.root.environment)
        self.root.env["SCRAPER_URL"] = self.scraper.url

    def __enter__(self) -> Chain:
        self.scraper.start()
        self.nifi("deploy")
        self.nifi("start", "--no-polling")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.nifi("stop")
        self.scraper.stop()

    def nifi(self, *arguments: str) -> str:
        """Runs `python -m resources.nifi`; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "resources.nifi", *arguments],
            cwd=PROJECT,
            env=self.root.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"resources.nifi {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout
