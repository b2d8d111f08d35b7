"""Talks to X's API v2, or to the bundled stand-in, through tweepy; every trouble is one sentence."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
import tweepy
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

X_URL = "https://api.x.com"
PAGE_SIZE = 100
"""The most tweets that recent search gives in one page."""

TWEET_FIELDS = [
    "id",
    "text",
    "note_tweet",
    "created_at",
    "lang",
    "author_id",
    "in_reply_to_user_id",
    "referenced_tweets",
    "public_metrics",
    "geo",
    "edit_history_tweet_ids",
]
EXPANSIONS = [
    "author_id",
    "referenced_tweets.id",
    "referenced_tweets.id.author_id",
    "in_reply_to_user_id",
    "geo.place_id",
]
USER_FIELDS = ["id", "name", "username", "location", "public_metrics"]
PLACE_FIELDS = ["id", "full_name", "country_code", "place_type"]


class CollectionError(Exception):
    """The source did not give a page; the message is one sentence for the newsroom's engineer.

    Attributes:
        kind: token, credits, forbidden, rate, cap, since_id, next_token, request, not_found, server, network, answer
            or archive.
        sentence: The message.
        retry_at: When it is worth trying again, ISO 8601 in UTC, where the source said so.
    """

    def __init__(self, kind: str, sentence: str, retry_at: str | None = None) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence
        self.retry_at = retry_at


@dataclass(frozen=True)
class Page:
    """One page of a search.

    Attributes:
        tweets: As received, in the order received; a malformed one may be anything.
        includes: As received.
        next_token: Token of the next page; None on the last one.
        newest_id: The largest id that the page's meta names; None where it names none.
        partial_errors: Number of things X could not give with this page, such as a deleted referenced tweet.
    """

    tweets: list[Any]
    includes: dict
    next_token: str | None
    newest_id: str | None
    partial_errors: int


class XClient:
    """Searches X's API v2, or a server that speaks it; safe to use from several threads.

    Args:
        bearer_token: X's app-only token; it reaches neither a log nor an error.
        base_url: Where the API's paths begin.
        name: What errors call the service.
        timeout: Seconds to wait for a connection and for the next bytes of an answer.
        retries: How often a 5xx or a lost connection is tried again; a silent server once at most.
        back_off: Seconds before the second retry, doubled with each further one.
        trust_env: Whether the environment's proxies and certificates count; not for a server on loopback.

    Raises:
        ValueError: If the token cannot be sent in a header.
    """

    def __init__(
        self,
        bearer_token: str,
        base_url: str = X_URL,
        *,
        name: str = "X",
        timeout: tuple[float, float] = (10, 60),
        retries: int = 3,
        back_off: float = 0.5,
        trust_env: bool = True,
    ) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", bearer_token):
            raise ValueError("The bearer token holds a space, a line break or a letter outside ASCII: copy it again.")
        self.base_url = base_url.rstrip("/")
        self._name = name
        self._token = bearer_token
        self._timeout = timeout
        self._retry = Retry(
            total=retries,
            read=min(retries, 1),
            redirect=0,
            status_forcelist=[500, 502, 503, 504],
            backoff_factor=back_off,
            raise_on_status=False,
            # A server's Retry-After may ask for any length of time.
            respect_retry_after_header=False,
        )
        self._trust_env = trust_env
        self._threads = threading.local()

    def search_page(
        self,
        query: str,
        *,
        since_id: str | None = None,
        next_token: str | None = None,
        path: str = "",
        size: int = PAGE_SIZE,
    ) -> Page:
        """One page of the recent search.

        Args:
            query: In X's query language.
            since_id: Only tweets with a larger id.
            next_token: The token that the page before gave.
            path: Put between the base URL and X's path: a segment of the stand-in.
            size: Tweets in a page, 10 to 100.

        Raises:
            CollectionError: If there is no page.
        """
        client = self._client()
        client.base_url = self.base_url + path
        body = client.search_recent_tweets(
            query,
            since_id=since_id,
            next_token=next_token,
            max_results=size,
            tweet_fields=TWEET_FIELDS,
            expansions=EXPANSIONS,
            user_fields=USER_FIELDS,
            place_fields=PLACE_FIELDS,
        )
        return _page(body, self._name)

    def get(self, path: str) -> dict:
        """The JSON object at another path of the service.

        Raises:
            CollectionError: If there is none.
        """
        client = self._client()
        client.base_url = self.base_url
        return client.request("GET", path).json()

    def _client(self) -> _TweepyClient:
        if not hasattr(self._threads, "client"):
            self._threads.client = _TweepyClient(self._token, self._name, self._timeout, self._retry, self._trust_env)
        return self._threads.client


class _TweepyClient(tweepy.Client):
    """tweepy's client with a base URL, time-outs and bounded retries, which tweepy 4.17 has not.

    tweepy's own `request` also logs the Authorization header at DEBUG.
    """

    def __init__(self, token: str, name: str, timeout: tuple[float, float], retry: Retry, trust_env: bool) -> None:
        super().__init__(return_type=dict)
        self.base_url = ""
        self._name = name
        self._timeout = timeout
        self._token = token
        self.session.trust_env = trust_env
        self.session.mount("http://", HTTPAdapter(max_retries=retry))
        self.session.mount("https://", HTTPAdapter(max_retries=retry))

    def request(
        self, method: str, route: str, params: Mapping | None = None, json: object = None, user_auth: bool = False
    ) -> requests.Response:
        """As tweepy's, but for what the class says; raises CollectionError alone."""
        try:
            response = self.session.request(
                method,
                self.base_url + route,
                params=params,
                json=json,
                headers={"User-Agent": self.user_agent},
                auth=self._authorize,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            sentence = f"{self._name} cannot be reached ({type(error).__name__}): check the network and try again."
            if _timed_out(error):
                sentence = f"{self._name} did not answer within {self._timeout[1]:g} s; try again later."
            raise CollectionError("network", sentence) from None
        if response.status_code != 200:
            raise _refusal(response, self._name, lambda text: text.replace(self._token, "***"))
        if not isinstance(_json(response), dict):
            raise CollectionError(
                "answer", f"{self._name} answered with something that is no JSON object: is there a proxy in between?"
            )
        return response

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _timed_out(error: Exception) -> bool:
    # A time-out that was tried again arrives as a ConnectionError around urllib3's MaxRetryError.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ReadTimeout) or isinstance(reason, urllib3.exceptions.ReadTimeoutError)


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _page(body: dict, name: str) -> Page:
    tweets, meta, errors = body.get("data"), body.get("meta"), body.get("errors")
    if tweets is None and not isinstance(meta, dict):
        raise CollectionError("answer", f"{name} answered without tweets and with errors only: {_message(body)}")
    tweets = [tweets] if isinstance(tweets, dict) else tweets or []
    if not isinstance(tweets, list):
        raise CollectionError("answer", f"{name} answered with a page whose 'data' is no list of tweets.")
    meta = meta if isinstance(meta, dict) else {}
    includes = body.get("includes")
    return Page(
        tweets=tweets,
        includes=includes if isinstance(includes, dict) else {},
        next_token=str(meta["next_token"]) if meta.get("next_token") else None,
        newest_id=str(meta["newest_id"]) if meta.get("newest_id") else None,
        partial_errors=len(errors) if isinstance(errors, list) else 0,
    )


def _refusal(response: requests.Response, name: str, redact: Callable[[str], str]) -> CollectionError:
    body = _json(response)
    body = body if isinstance(body, dict) else {}
    kind, sentence, retry_at = _reason(response, body, name)
    return CollectionError(kind, redact(sentence), retry_at)


def _reason(response: requests.Response, body: dict, name: str) -> tuple[str, str, str | None]:
    status, said = response.status_code, _message(body)
    title = str(body.get("title", ""))
    if status == 400:
        return _bad_request(body, name, said)
    if status == 401:
        return "token", f"{name} refuses the bearer token (401): check X_BEARER_TOKEN.", None
    if status == 402 or title == "CreditsDepleted":
        return "credits", f"The credits of the account at {name} are spent ({status}): buy more to go on. {said}", None
    if status == 403:
        return "forbidden", f"{name} does not allow this app to search (403): {said}", None
    if status == 404:
        return "not_found", f"{name} has nothing at {response.url.partition('?')[0]} (404).", None
    if status == 429 and title == "UsageCapExceeded":
        period = str(body.get("period") or "current").lower()
        return (
            "cap",
            f"The {period} cap on posts read from {name} is spent (429): wait for the next period or raise it.",
            None,
        )
    if status == 429:
        retry_at = _reset(response)
        when = f"again after {retry_at}" if retry_at else "again in 15 minutes"
        return "rate", f"{name} allows no more requests in this window (429); {when}.", retry_at
    if status >= 500:
        return "server", f"{name} failed ({status}), also when asked again; try later.", None
    return "answer", f"{name} answered with the unexpected status {status}: {said}", None


def _bad_request(body: dict, name: str, said: str) -> tuple[str, str, str | None]:
    parameters = [error.get("parameters") for error in _errors(body)]
    blamed = {str(field) for fields in parameters if isinstance(fields, dict) for field in fields}
    kind = "request"
    if "since_id" in blamed or (not blamed and "since_id" in said):
        kind = "since_id"
    elif blamed & {"next_token", "pagination_token"} or (not blamed and "next_token" in said):
        kind = "next_token"
    return kind, f"{name} refuses the request (400): {said}", None


def _errors(body: Mapping) -> list[dict]:
    errors = body.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _message(body: Mapping) -> str:
    """What X says went wrong, in one line of at most 500 characters."""
    messages = [error.get("message") or error.get("detail") or error.get("title") for error in _errors(body)]
    said = [message for message in messages if isinstance(message, str)]
    said = said or [text for text in (body.get("detail"), body.get("title")) if isinstance(text, str)][:1]
    line = " ".join("; ".join(dict.fromkeys(said)).split())[:500]
    return line or "no reason given."


def _reset(response: requests.Response) -> str | None:
    try:
        reset = dt.datetime.fromtimestamp(int(response.headers["x-rate-limit-reset"]), dt.UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    return reset.strftime("%Y-%m-%dT%H:%M:%SZ")
