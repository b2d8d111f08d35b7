"""The scraper's HTTP doors, with Flask-RESTful; every answer is JSON, every error one sentence."""

from __future__ import annotations

import hmac
import logging
import re
import sqlite3
from typing import Any

from flask import Flask, Response, request
from flask_restful import Api, Resource
from werkzeug.exceptions import HTTPException

from election_assets.election import Candidate
from election_assets.schemas import MAX_BATCH_RECORDS
from scraper_api.collector import Batch, Collector, DataRootError, NotCurrent, UnknownBatch
from scraper_api.x_client import CollectionError

log = logging.getLogger(__name__)

_HTTP_SENTENCES = {
    404: "There is nothing at this path; the doors are /get_twitter, /batches/<id>, /batches/<id>/ack, /candidates, "
    "/status and /health.",
    405: "This path does not take this method: GET everywhere, but POST for /batches/<id>/ack.",
}


class Refused(Exception):
    """A request that cannot be served: its HTTP status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class _JsonApi(Api):
    """Flask-RESTful whose errors are `{"error": sentence}`, those of unknown paths included."""

    def handle_error(self, error: Exception) -> Response:
        status, body, headers = _answer_of(error)
        response = self.make_response(body, status)
        response.headers.extend(headers)
        return response


class _Door(Resource):
    def __init__(self, collector: Collector) -> None:
        self.collector = collector


class GetTwitter(_Door):
    """`GET /get_twitter?candidat=<name or key>&count=<1..500>`: the candidate's current batch."""

    def get(self) -> dict[str, Any]:
        """The batch: batch_id (null where nothing is new), candidate, schema, tweets."""
        return _batch(self.collector.batch(self._candidate().key, self._count()))

    def _candidate(self) -> Candidate:
        wanted = request.args.get("candidat", "")
        if not wanted.strip():
            raise Refused(400, "Name a candidate: /get_twitter?candidat=<name or key>; /candidates lists them.")
        candidate = self.collector.election.find(wanted)
        if candidate is None:
            election = self.collector.election
            raise Refused(
                404, f"{election.key} has no candidate {wanted[:100]!r}; they are {', '.join(election.candidate_keys)}."
            )
        return candidate

    def _count(self) -> int:
        wanted = request.args.get("count", str(MAX_BATCH_RECORDS))
        if not re.fullmatch("[0-9]{1,9}", wanted) or not 1 <= int(wanted) <= MAX_BATCH_RECORDS:
            raise Refused(400, f"count={wanted[:100]} is not a whole number from 1 to {MAX_BATCH_RECORDS}.")
        return int(wanted)


class Acknowledgement(_Door):
    """`POST /batches/<id>/ack`: the batch has reached Kafka; the next one may come."""

    def post(self, batch_id: str) -> dict[str, Any]:
        """The id, and that it is acknowledged; also if it was before."""
        self.collector.acknowledge(batch_id)
        return {"batch_id": batch_id, "acknowledged": True}


class BatchAgain(_Door):
    """`GET /batches/<id>`: a batch as it was handed out, whether acknowledged or not."""

    def get(self, batch_id: str) -> dict[str, Any]:
        """The batch, as /get_twitter answered it."""
        return _batch(self.collector.again(batch_id))


class Health(_Door):
    """`GET /health`: the service answers, and for which data root."""

    def get(self) -> dict[str, str]:
        """Status and the data root's identity."""
        root = self.collector.root
        return {"status": "ok", **{name: root[name] for name in ("election", "source", "root_id")}}


class Candidates(_Door):
    """`GET /candidates`: whom it collects for."""

    def get(self) -> dict[str, Any]:
        """The candidates in the election's order, each with its topic and current batch."""
        election = self.collector.election
        return {
            "election": election.key,
            "candidates": [
                {
                    "key": candidate.key,
                    "name": candidate.name,
                    "party": candidate.party,
                    "topic": election.topic(candidate.key),
                    "current_batch": self.collector.current(candidate.key),
                }
                for candidate in election.candidates
            ],
        }


class Status(_Door):
    """`GET /status`: counts since the data root began."""

    def get(self) -> dict[str, Any]:
        """As `Collector.status`."""
        return self.collector.status()


def create_app(collector: Collector, api_key: str | None = None) -> Flask:
    """The service over one collector.

    Args:
        collector: Of the data root that is served.
        api_key: Wanted in X-Api-Key or as a bearer token on every route but /health, where given.
    """
    app = Flask(__name__)
    app.config["RESTFUL_JSON"] = {"ensure_ascii": False}
    api = _JsonApi(app, catch_all_404s=True)
    door = {"resource_class_args": (collector,)}
    api.add_resource(GetTwitter, "/get_twitter", **door)
    api.add_resource(Acknowledgement, "/batches/<batch_id>/ack", **door)
    api.add_resource(BatchAgain, "/batches/<batch_id>", **door)
    api.add_resource(Health, "/health", **door)
    api.add_resource(Candidates, "/candidates", **door)
    api.add_resource(Status, "/status", **door)

    if api_key:

        @app.before_request
        def want_key() -> None:
            if request.path != "/health" and not _authorized(api_key):
                raise Refused(401, "This service wants its key: send it as X-Api-Key or as Authorization: Bearer.")

    return app


def _authorized(api_key: str) -> bool:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    given = [request.headers.get("X-Api-Key", ""), bearer.strip() if scheme.lower() == "bearer" else ""]
    # WSGI hands headers over as Latin-1.
    matches = [hmac.compare_digest(key.encode("latin-1", "replace"), api_key.encode()) for key in given]
    return any(matches)


def _batch(batch: Batch) -> dict[str, Any]:
    return {"batch_id": batch.batch_id, "candidate": batch.candidate, "schema": batch.schema, "tweets": batch.tweets}


def _answer_of(error: Exception) -> tuple[int, dict[str, str], dict[str, str]]:
    """HTTP status, body and headers for anything that went wrong."""
    match error:
        case Refused():
            headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
            return error.status, {"error": error.sentence}, headers
        case UnknownBatch():
            return 404, {"error": str(error)}, {}
        case NotCurrent():
            return 409, {"error": str(error)}, {}
        case CollectionError():
            return 502, {"error": error.sentence, **({"retry_at": error.retry_at} if error.retry_at else {})}, {}
        case HTTPException():
            status = error.code or 500
            methods = getattr(error, "valid_methods", None)
            allow = {"Allow": ", ".join(sorted(methods))} if methods else {}
            return status, {"error": _HTTP_SENTENCES.get(status, error.description or error.name)}, allow
        case DataRootError():
            log.error("%s", error)
            return 500, {"error": str(error)}, {}
        case OSError() | sqlite3.Error():
            log.exception("The data root cannot be read or written.")
            return 500, {"error": f"The data root cannot be read or written: {error}."}, {}
        case _:
            log.exception("A request failed.")
            return 500, {"error": "The scraper failed on this request; its log says why."}, {}
