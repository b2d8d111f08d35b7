"""The command `python -m resources.nifi`: deploys, starts, watches and runs the election's flow."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from nifi.flow import (
    DEAD_LETTER_FOLDER,
    KAFKA_BOOTSTRAP_SERVERS,
    KAFKA_SASL_MECHANISM,
    KAFKA_SASL_PASSWORD,
    KAFKA_SASL_USERNAME,
    KAFKA_SECURITY_PROTOCOL,
    RESULTS_FOLDER,
    RESULTS_URL,
    SCRAPER_API_KEY,
    SCRAPER_URL,
    generate,
)
from resources.nifi import COMMAND, Bulletin, NiFiResource
from resources.nifi.api import NiFiError


def parameters_of(env: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The flow's parameters that the environment sets, and those of them that nobody may read."""
    values = {
        SCRAPER_URL: (env.get("NIFI_SCRAPER_URL") or env.get("SCRAPER_URL", "")).rstrip("/"),
        KAFKA_BOOTSTRAP_SERVERS: env.get("NIFI_KAFKA_BOOTSTRAP_SERVERS") or env.get("KAFKA_BOOTSTRAP_SERVERS", ""),
        KAFKA_SECURITY_PROTOCOL: env.get("KAFKA_SECURITY_PROTOCOL", ""),
        KAFKA_SASL_MECHANISM: env.get("KAFKA_SASL_MECHANISM", ""),
        KAFKA_SASL_USERNAME: env.get("KAFKA_SASL_USERNAME", ""),
        DEAD_LETTER_FOLDER: env.get("NIFI_DEAD_LETTER_FOLDER", ""),
        RESULTS_URL: env.get("NIFI_RESULTS_URL", ""),
        RESULTS_FOLDER: env.get("NIFI_RESULTS_FOLDER", ""),
    }
    secret = {
        SCRAPER_API_KEY: env.get("SCRAPER_API_KEY", ""),
        KAFKA_SASL_PASSWORD: env.get("KAFKA_SASL_PASSWORD", ""),
    }
    return (
        {name: value.strip() for name, value in values.items() if value.strip()},
        {name: value for name, value in secret.items() if value},
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploys, starts, stops, watches and runs the election's flow in the NiFi of the environment (README, Settings).

    Returns:
        The process's exit status: 1 with a sentence if NiFi or Kafka cannot do it, 2 if the command, the election or
        the data root is wrong.
    """
    from election_assets.election import ElectionFileError, load_election
    from election_assets.storage import DataRootError
    from resources import build_resources
    from resources.kafka import KafkaResource, KafkaUnavailableError
    from resources.kafka_security import KafkaSettingsError

    parser = argparse.ArgumentParser(prog=COMMAND, description="The election's flow in NiFi.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("deploy", help="make NiFi hold the flow, and Kafka the topics; what queues and runs stays")
    start = commands.add_parser("start", help="start all candidates' groups, or one group")
    start.add_argument("group", nargs="?", default="", metavar="CANDIDATE|results")
    start.add_argument("--no-polling", action="store_true", help="NiFi asks only when it is told to, as by Dagster")
    stop = commands.add_parser("stop", help="stop the flow, or one group; queues stay")
    stop.add_argument("group", nargs="?", default="", metavar="CANDIDATE|results")
    commands.add_parser("status", help="what runs, what waits, and what NiFi says")
    run = commands.add_parser("run", help="ask once for a candidate's batches and wait until they are acknowledged")
    run.add_argument("candidate")
    resend = commands.add_parser("resend", help="send dead letters again")
    resend.add_argument("candidate", nargs="?", default="")
    commands.add_parser("results", help="fetch the official results once")
    given = parser.parse_args(arguments)
    try:
        election = load_election()
        resources = build_resources(os.environ)
        nifi: NiFiResource = resources["nifi"].process_config_and_initialize()
        if given.command == "deploy":
            _say(nifi.deploy(generate(election), *parameters_of(os.environ)))
            kafka: KafkaResource
            with resources["kafka"].process_config_and_initialize_cm() as kafka:
                if kafka.bootstrap_servers:
                    # NiFi makes none, and tries again without a word where there is none.
                    kafka.ensure_topics(election.topic(key) for key in election.candidate_keys)
                    _say([f"Kafka has the topics of {len(election.candidates)} candidates."])
        elif given.command == "start":
            nifi.start(given.group, polling=not given.no_polling)
            _say([f"{given.group or 'All candidates'} started: {nifi.link(given.group)}"])
        elif given.command == "stop":
            nifi.stop(given.group)
            _say([f"{given.group or 'The flow'} stopped.", *map(str, nifi.queues(given.group))])
        elif given.command == "status":
            _say(_status_lines(nifi))
        elif given.command == "results":
            return _tell(nifi.fetch_results(), "The results were fetched.")
        elif given.command == "run":
            return _collect(nifi.run_once, nifi, given.candidate, "nothing new is left.")
        else:
            keys = [given.candidate] if given.candidate else election.candidate_keys
            return max(_collect(nifi.resend, nifi, key, "dead letters were sent again.") for key in keys)
    except (NiFiError, KafkaUnavailableError, KafkaSettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except (ElectionFileError, DataRootError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _say(lines: Sequence[str]) -> None:
    print("\n".join(lines))


def _tell(errors: Sequence[Bulletin], otherwise: str) -> int:
    """Prints NiFi's errors and, where trying again has healed all of them, that it is done; the exit status."""
    failed = any(error.final for error in errors)
    _say([*map(str, errors), *([] if failed else [otherwise])])
    return int(failed)


def _collect(collect: Callable[[str], Sequence[Bulletin]], nifi: NiFiResource, candidate: str, otherwise: str) -> int:
    """Runs a source of a candidate's group beside no run of Dagster's that does; the exit status."""
    from election_assets.storage import DataRoot, DataRootError

    # A candidate that is none is told before a lock is named by it.
    nifi.snapshot(candidate)
    root = DataRoot.from_env(os.environ)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(root.collection_lock(candidate))
        except OSError as error:
            raise DataRootError(
                f"{candidate} cannot be kept from Dagster's runs meanwhile, for nothing can be written to"
                f" {root.path}/locks ({error.strerror}): name the data root of these runs in ELECTION_DATA."
            ) from error
        return _tell(collect(candidate), f"{candidate}: {otherwise}")


def _status_lines(nifi: NiFiResource) -> list[str]:
    now = nifi.snapshot()
    lines = [nifi.link()]
    for path in now.groups:
        if path and "/" not in path:
            states = [part.state for part in now.inside(path).parts]
            counts = ", ".join(f"{states.count(state)} {state.lower()}" for state in sorted(set(states)))
            waiting = sum(queue.flow_files for queue in now.inside(path).waiting)
            lines.append(f"{path}: {counts}; {waiting} FlowFiles wait")
    return [*lines, *map(str, now.waiting), *(f"{each.level} {each}" for each in nifi.bulletins())]


if __name__ == "__main__":
    sys.exit(main())
