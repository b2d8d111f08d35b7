"""What the environment says the scraper shall do, checked; every mistake is one sentence."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from election_assets.election import Election, load_election

DEFAULT_PORT = 8000
DEFAULT_SAMPLE_TWEETS = 24_000


class SettingsError(ValueError):
    """The environment asks for what cannot be; the message is one sentence."""


@dataclass(frozen=True)
class Settings:
    """How the service runs.

    Attributes:
        election: Whose candidates are searched for.
        data_root: ELECTION_DATA, absolute.
        source: x, archive or sample.
        archive: File or folder that the stand-in serves; None for X.
        host: Address to listen on.
        port: 0 is any free port.
        bearer_token: X's, for source x.
        api_key: Wanted from clients, if any.
        sample_tweets: Size of the sample corpus when it is made.
    """

    election: Election
    data_root: Path
    source: str
    archive: Path | None
    host: str
    port: int
    bearer_token: str | None = field(repr=False)
    api_key: str | None = field(repr=False)
    sample_tweets: int = DEFAULT_SAMPLE_TWEETS


def read_settings(env: Mapping[str, str]) -> Settings:
    """Reads the scraper's variables; an empty one counts as absent.

    They are ELECTION, ELECTION_DATA, X_BEARER_TOKEN, ARCHIVE, SAMPLE_TWEETS, SCRAPER_HOST, SCRAPER_PORT and
    SCRAPER_API_KEY.

    Raises:
        SettingsError: If they contradict each other or a value is impossible.
        ElectionFileError: If the election file cannot be used.
    """
    data_root = Path(env.get("ELECTION_DATA") or "data").absolute()
    bearer_token = env.get("X_BEARER_TOKEN", "").strip() or None
    archive_name = env.get("ARCHIVE", "").strip()
    if bearer_token and archive_name:
        raise SettingsError("X_BEARER_TOKEN and ARCHIVE are both set: collect from X or read an archive, not both.")
    if bearer_token:
        source, archive = "x", None
    elif archive_name:
        source, archive = "archive", Path(archive_name).absolute()
        if not archive.exists():
            raise SettingsError(f"ARCHIVE={archive_name}: there is no such file or folder.")
    else:
        source, archive = "sample", data_root / "sample"
    host = env.get("SCRAPER_HOST", "").strip() or "127.0.0.1"
    host = "127.0.0.1" if host == "localhost" else host
    api_key = env.get("SCRAPER_API_KEY", "").strip() or None
    if not api_key and not _is_loopback(host):
        raise SettingsError(f"SCRAPER_HOST={host} is open to other machines: set SCRAPER_API_KEY, too.")
    return Settings(
        election=load_election(env.get("ELECTION") or "fr_2022"),
        data_root=data_root,
        source=source,
        archive=archive,
        host=host,
        port=_whole_number(env, "SCRAPER_PORT", DEFAULT_PORT, 0, 65_535),
        bearer_token=bearer_token,
        api_key=api_key,
        sample_tweets=_whole_number(env, "SAMPLE_TWEETS", DEFAULT_SAMPLE_TWEETS, 1, 10_000_000),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _whole_number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    written = env.get(name, "").strip() or str(default)
    if not (written.isascii() and written.isdecimal() and len(written) < 10 and least <= int(written) <= most):
        raise SettingsError(f"{name}={written} is not a whole number from {least} to {most}.")
    return int(written)
