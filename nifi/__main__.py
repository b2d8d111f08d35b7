"""The command line: `python -m nifi generate [ELECTION]` writes the flow of each bundled election, or of the named."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from election_assets.election import BUNDLED_FOLDER, Election, ElectionFileError, load_election
from nifi.flow import generate

FOLDER = Path(__file__).parent


def written(election: Election) -> str:
    """The text of an election's committed flow."""
    return json.dumps(generate(election), ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        The process's exit status: 2 if an election file cannot be used.
    """
    parser = argparse.ArgumentParser(prog="python -m nifi", description="The NiFi flow of an election.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("generate", help="write nifi/<election key>.json")
    command.add_argument("elections", nargs="*", metavar="ELECTION", help="a bundled name or the path of a file")
    given = parser.parse_args(arguments)
    try:
        for name in given.elections or sorted(file.stem for file in BUNDLED_FOLDER.glob("*.toml")):
            election = load_election(name)
            path = FOLDER / f"{election.key}.json"
            path.write_text(written(election), encoding="utf-8")
            print(path)
    except ElectionFileError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
