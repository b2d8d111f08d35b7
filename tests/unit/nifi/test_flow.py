"""The flow as it is generated: what every candidate's group holds, and that nothing in it drops a batch silently."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from election_assets.election import BUNDLED_FOLDER, Election, load_election
from election_assets.schemas import TWEET_SCHEMA, TWEET_V1_NAMES
from nifi import flow as names
from nifi.__main__ import main, written
from nifi.flow import candidate_context_name, generate, root_group_name

PROJECT = Path(__file__).parents[3]
FAKES = PROJECT / "tests" / "fakes" / "elections"
ELECTIONS = [*sorted(file.stem for file in BUNDLED_FOLDER.glob("*.toml")), *map(str, sorted(FAKES.glob("*.toml")))]

ALL_RELATIONSHIPS = {
    "GenerateFlowFile": {"success"},
    "GetFile": {"success"},
    "PutFile": {"success", "failure"},
    "InvokeHTTP": {"Original", "Response", "Retry", "No Retry", "Failure"},
    "EvaluateJsonPath": {"matched", "unmatched", "failure"},
    "ConvertRecord": {"success", "failure"},
    "LogMessage": {"success"},
    "UpdateAttribute": {"success"},
    "PublishKafka": {"success", "failure"},
}
"""As NiFi 2.3.0 has them; RouteOnAttribute's are its own properties and `unmatched`."""


@pytest.fixture(scope="module", params=ELECTIONS)
def election(request: pytest.FixtureRequest) -> Election:
    return load_election(request.param)


@pytest.fixture(scope="module")
def flow(election: Election) -> dict[str, Any]:
    return generate(election)


def groups(group: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield group
    for inner in group["processGroups"]:
        yield from groups(inner)


def parts(flow: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [part for group in groups(flow["flowContents"]) for part in group[kind]]


def inside(group: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [inner for inner in group["processGroups"] if inner["name"] == name]
    return found


def processor(group: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [part for part in group["processors"] if part["name"] == name]
    return found


def relationships(part: dict[str, Any]) -> set[str]:
    kind = part["type"].rpartition(".")[2]
    if kind == "RouteOnAttribute":
        return {"unmatched", *part["properties"]} - {"Routing Strategy"}
    return ALL_RELATIONSHIPS[kind]


def connected(group: dict[str, Any], part: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The connections that leave a part, by relationship."""
    found: dict[str, list[dict[str, Any]]] = {}
    for connection in group["connections"]:
        if connection["source"]["id"] == part["identifier"]:
            for relationship in connection["selectedRelationships"]:
                found.setdefault(relationship, []).append(connection)
    return found


@pytest.mark.parametrize("name", sorted(file.stem for file in BUNDLED_FOLDER.glob("*.toml")))
def test_the_committed_flow_is_the_generated_one(name: str) -> None:
    committed = (PROJECT / "nifi" / f"{name}.json").read_text(encoding="utf-8")

    assert committed == written(load_election(name)), "run `python -m nifi generate` and commit what it wrote"


def test_the_same_election_gives_the_same_bytes_and_another_one_other_identifiers(election: Election) -> None:
    other = generate(dataclasses.replace(election, key="another"))

    assert written(election) == written(election)
    identifiers = {part["identifier"] for part in parts(generate(election), "processors")}
    assert len(identifiers) == len(parts(generate(election), "processors"))
    assert identifiers.isdisjoint(part["identifier"] for part in parts(other, "processors"))


def test_every_candidate_has_a_group_bound_to_its_context_that_inherits_the_common_one(
    election: Election, flow: dict[str, Any]
) -> None:
    root, contexts = flow["flowContents"], flow["parameterContexts"]

    assert root["name"] == root["parameterContextName"] == root_group_name(election)
    assert [group["name"] for group in root["processGroups"]] == [*election.candidate_keys, names.RESULTS]
    for key in election.candidate_keys:
        name = candidate_context_name(election, key)
        group = inside(root, key)
        assert {inner["parameterContextName"] for inner in groups(group)} == {name}
        assert contexts[name]["inheritedParameterContexts"] == [root_group_name(election)]
        assert [(p["name"], p["value"]) for p in contexts[name]["parameters"]] == [(names.CANDIDATE, key)]


def test_candidates_differ_in_nothing_but_their_names(election: Election, flow: dict[str, Any]) -> None:
    described = []
    for candidate in election.candidates:
        group = inside(flow["flowContents"], candidate.key)
        text = json.dumps({**group, "position": None, "comments": None, "name": None}, ensure_ascii=False)
        text = text.replace(candidate_context_name(election, candidate.key), "CONTEXT")
        described.append(re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text))

    assert len(set(described)) == 1


def test_every_parameter_that_is_used_exists_and_is_as_sensitive_as_its_use(
    election: Election, flow: dict[str, Any]
) -> None:
    common = {p["name"]: p for p in flow["parameterContexts"][root_group_name(election)]["parameters"]}
    used = set()
    for part in (*parts(flow, "processors"), *parts(flow, "controllerServices")):
        for name, value in {**part["properties"], "": part.get("schedulingPeriod", "")}.items():
            sensitive = part["propertyDescriptors"].get(name, {}).get("sensitive", False)
            for parameter in re.findall("#{([^}]+)}", value):
                used.add(parameter)
                assert sensitive == (parameter in names.SENSITIVE_PARAMETERS)
                assert parameter in common or parameter == names.CANDIDATE

    assert used == {*common, names.CANDIDATE}


def test_no_secret_has_a_value(flow: dict[str, Any]) -> None:
    parameters = [p for context in flow["parameterContexts"].values() for p in context["parameters"]]
    sensitive = [p for p in parameters if p["sensitive"]]

    assert {p["name"] for p in sensitive} == set(names.SENSITIVE_PARAMETERS)
    assert [p for p in sensitive if "value" in p] == []


def test_the_schema_is_that_of_the_csv_and_both_services_use_it(election: Election, flow: dict[str, Any]) -> None:
    (schema,) = [
        json.loads(p["value"])
        for p in flow["parameterContexts"][root_group_name(election)]["parameters"]
        if p["name"] == names.CSV_SCHEMA
    ]
    services = {service["name"]: service["properties"] for service in flow["flowContents"]["controllerServices"]}

    assert [field["name"] for field in schema["fields"]] == TWEET_V1_NAMES
    assert {field["type"] for field in schema["fields"]} == {"string"}
    for name in (names.READER, names.WRITER):
        assert services[name]["schema-access-strategy"] == "schema-text-property"
        assert services[name]["schema-text"] == "#{csv.schema}"
    assert set(services) == {names.READER, names.WRITER, names.KAFKA}


def test_a_batch_is_published_with_its_headers_by_acks_all_and_acknowledged_only_then(
    election: Election, flow: dict[str, Any]
) -> None:
    for key in election.candidate_keys:
        group = inside(inside(flow["flowContents"], key), names.ONE_BATCH)
        publish, acknowledge = processor(group, names.PUBLISH), processor(group, names.ACKNOWLEDGE)
        properties = publish["properties"]
        assert publish["type"] == "org.apache.nifi.kafka.processors.PublishKafka"
        assert properties["acks"] == "all"
        assert properties["Failure Strategy"] == "Route to Failure"
        assert properties["Topic Name"] == "#{topic.prefix}.#{candidate}"
        assert [
            name
            for name in ("batch_id", "candidate", "schema", "filename", "tweets.count", "xschema")
            if re.fullmatch(properties["FlowFile Attribute Header Pattern"], name)
        ] == ["batch_id", "candidate", "schema"]
        assert "Record Reader" not in properties
        assert f"'{TWEET_SCHEMA}'" in processor(group, "check")["properties"]["batch"]
        into = [c for c in group["connections"] if c["destination"]["id"] == acknowledge["identifier"]]
        assert {(c["source"]["name"], *c["selectedRelationships"]) for c in into} == {
            (names.PUBLISH, "success"),
            # A dead letter of what Kafka has already.
            ("from-where", "acknowledge"),
        }
        assert set(publish["retriedRelationships"]) == {"failure"}
        assert set(acknowledge["retriedRelationships"]) == {"Failure", "Retry"}
        assert publish["retryCount"] == acknowledge["retryCount"] > 0


def test_a_candidates_batches_pass_one_at_a_time(election: Election, flow: dict[str, Any]) -> None:
    for key in election.candidate_keys:
        group = inside(flow["flowContents"], key)
        one = inside(group, names.ONE_BATCH)
        assert one["flowFileConcurrency"] == "SINGLE_FLOWFILE_PER_NODE"
        assert {part["concurrentlySchedulableTaskCount"] for part in one["processors"]} == {1}
        poll = processor(group, names.POLL)
        (connection,) = connected(group, poll)["success"]
        assert connection["backPressureObjectThreshold"] == 1
        assert poll["schedulingPeriod"] == "#{poll.period}"


def test_every_relationship_leads_on_and_what_ends_holds_no_batch(flow: dict[str, Any]) -> None:
    ended = set()
    for group in groups(flow["flowContents"]):
        for part in group["processors"]:
            leaving, ends = connected(group, part), set(part["autoTerminatedRelationships"])
            assert {*leaving, *ends} == relationships(part), part["name"]
            assert not ends & set(leaving)
            ended |= {(part["name"], relationship) for relationship in ends}

    assert ended == {
        # The question, not the answer.
        (names.ASK, "Original"),
        ("check", "nothing-new"),
        ("say-not-answered", "success"),
        # Acknowledged.
        (names.ACKNOWLEDGE, "Original"),
        ("more", "unmatched"),
        # In a file.
        (names.WRITE_DEAD_LETTER, "success"),
        (names.FETCH, "Original"),
        ("say-not-fetched", "success"),
        (names.WRITE_RESULTS, "success"),
    }


def test_those_that_say_that_something_failed_for_good_are_told_by_their_names(flow: dict[str, Any]) -> None:
    loggers = {part["name"]: part for part in parts(flow, "processors") if part["type"].endswith(".LogMessage")}
    assert set(loggers) == {part["name"] for part in parts(flow, "processors") if part["name"].startswith(names.SAY)}
    assert {part["properties"]["log-level"] for part in loggers.values()} == {"error"}


def test_whatever_fails_with_a_batch_reaches_the_dead_letters(election: Election, flow: dict[str, Any]) -> None:
    group = inside(inside(flow["flowContents"], election.candidate_keys[0]), names.ONE_BATCH)
    by_identifier = {part["identifier"]: part for part in group["processors"]}
    failures = (
        {
            (part["name"], relationship)
            for part in group["processors"]
            for relationship in relationships(part) & {"failure", "Failure", "Retry", "No Retry", "unmatched"}
        }
        - {(names.ASK, name) for name in ("Failure", "Retry", "No Retry")}
        - {("more", "unmatched")}
    )

    letters = set()
    for name, relationship in failures:
        (connection,) = connected(group, processor(group, name))[relationship]
        letter = by_identifier[connection["destination"]["id"]]
        if letter["type"].endswith(".UpdateAttribute"):
            (said,) = connected(group, letter)["success"]
            assert said["destination"]["name"] == "say-dead-letter"
            letters.add(letter["properties"]["filename"].rpartition("~")[2])
        else:
            # The folder's own failure waits for the folder; a dead letter in JSON is read anew.
            assert (name, letter["name"]) in {(names.WRITE_DEAD_LETTER,) * 2, ("from-where", "read-ids")}

    assert letters == {
        "not-json.json",
        "not-a-batch.json",
        "not-records.json",
        "incomplete.kept",
        "not-published.csv",
        "not-acknowledged.csv",
    }


def test_every_connection_has_a_back_pressure_and_keeps_what_waits(flow: dict[str, Any]) -> None:
    for connection in parts(flow, "connections"):
        assert 0 < connection["backPressureObjectThreshold"] <= 1000
        assert re.fullmatch(r"[1-9]\d* (MB|GB)", connection["backPressureDataSizeThreshold"])
        assert connection["flowFileExpiration"] == "0 sec"


def test_all_parts_are_of_apaches_bundles(flow: dict[str, Any]) -> None:
    used = {
        (part["bundle"]["group"], part["bundle"]["artifact"], part["bundle"]["version"])
        for part in (*parts(flow, "processors"), *parts(flow, "controllerServices"))
    }

    assert used == {
        ("org.apache.nifi", artifact, "2.3.0")
        for artifact in (
            "nifi-standard-nar",
            "nifi-update-attribute-nar",
            "nifi-record-serialization-services-nar",
            "nifi-kafka-nar",
            "nifi-kafka-3-service-nar",
        )
    }


def test_only_the_sources_that_a_person_asks_for_are_disabled(election: Election, flow: dict[str, Any]) -> None:
    disabled = [part["name"] for part in parts(flow, "processors") if part["scheduledState"] == "DISABLED"]

    on_demand = [*names.ON_DEMAND] * len(election.candidates)
    assert sorted(disabled) == sorted([*on_demand, names.POLL, names.ASK_NOW])
    assert processor(inside(flow["flowContents"], names.RESULTS), names.POLL)["scheduledState"] == "DISABLED"


def test_the_command_writes_the_flow_of_a_named_election(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nifi.__main__.FOLDER", tmp_path)

    assert main(["generate", str(FAKES / "valmarie_2031.toml")]) == 0
    path = tmp_path / "valmarie_2031.json"
    assert capsys.readouterr().out.strip() == str(path)
    assert json.loads(path.read_text(encoding="utf-8")) == generate(load_election(str(FAKES / "valmarie_2031.toml")))


def test_the_command_says_what_is_wrong_with_an_election(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "no-such-election"]) == 2
    assert "neither a bundled election" in capsys.readouterr().err
