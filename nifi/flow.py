"""The NiFi flow of an election as a pure function of its election file; the names that deployment relies on.

The dictionary is a NiFi 2.3.0 flow definition: what NiFi's "Download flow definition" writes and its upload reads.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from election_assets.election import Candidate, Election
from election_assets.schemas import MAX_BATCH_RECORDS, TWEET_SCHEMA, TWEET_V1_NAMES

NIFI_VERSION = "2.3.0"

SCRAPER_URL = "scraper.url"
SCRAPER_API_KEY = "scraper.api-key"
KAFKA_BOOTSTRAP_SERVERS = "kafka.bootstrap-servers"
KAFKA_SECURITY_PROTOCOL = "kafka.security-protocol"
KAFKA_SASL_MECHANISM = "kafka.sasl-mechanism"
KAFKA_SASL_USERNAME = "kafka.sasl-username"
KAFKA_SASL_PASSWORD = "kafka.sasl-password"
TOPIC_PREFIX = "topic.prefix"
POLL_PERIOD = "poll.period"
CSV_SCHEMA = "csv.schema"
DEAD_LETTER_FOLDER = "dead-letter.folder"
RESULTS_URL = "results.url"
RESULTS_FOLDER = "results.folder"
CANDIDATE = "candidate"
"""The one parameter of a candidate's own context: the key."""
SENSITIVE_PARAMETERS = (SCRAPER_API_KEY, KAFKA_SASL_PASSWORD)
"""Parameters whose values no flow definition carries: deployment sets them, also to an empty text."""

POLL = "poll"
"""Asks by itself, in a candidate's group and in `results`: a FlowFile of it is one time asking. In `results` it is
DISABLED until results are wanted every day."""
ASK_NOW = "ask-now"
"""Asks when it is told to, beside `poll`: RUN_ONCE on it, then an empty and idle group, is one run."""
READ_DEAD_LETTERS = "read-dead-letters"
"""In a candidate's group, RUN_ONCE on it takes the folder's files and sends them again."""
ON_DEMAND = (ASK_NOW, READ_DEAD_LETTERS)
"""The sources that are DISABLED but while they are run once, so that starting their group does not start them."""
ONE_BATCH = "one-batch"
"""The group inside a candidate's group that takes in one FlowFile at a time, and the next once it is empty."""
ASK = "ask"
TO_CSV = "to-csv"
PUBLISH = "publish"
ACKNOWLEDGE = "acknowledge"
WRITE_DEAD_LETTER = "write-dead-letter"
"""The processors of `one-batch` that a person looks at first."""
SAY = "say-"
"""Begins the name of each processor that logs a failure after which nothing tries again."""
RESULTS = "results"
FETCH = "fetch"
WRITE_RESULTS = "write-results"
RESULTS_FILE = "official_results.csv"
"""The name of the fetched file, whatever its address says; who reads it tells by its content whether it is a CSV."""
READER, WRITER, KAFKA = "tweets-json", "tweets-csv", "kafka"
"""The controller services of the root group."""

_NAMESPACE = uuid.UUID("5b0a6f0e-51c5-5b0c-9d3c-6c2b5a1f7e30")
_STANDARD = "nifi-standard-nar"
_PROCESSORS = {
    "GenerateFlowFile": ("org.apache.nifi.processors.standard", _STANDARD),
    "GetFile": ("org.apache.nifi.processors.standard", _STANDARD),
    "PutFile": ("org.apache.nifi.processors.standard", _STANDARD),
    "InvokeHTTP": ("org.apache.nifi.processors.standard", _STANDARD),
    "EvaluateJsonPath": ("org.apache.nifi.processors.standard", _STANDARD),
    "RouteOnAttribute": ("org.apache.nifi.processors.standard", _STANDARD),
    "ConvertRecord": ("org.apache.nifi.processors.standard", _STANDARD),
    "LogMessage": ("org.apache.nifi.processors.standard", _STANDARD),
    "UpdateAttribute": ("org.apache.nifi.processors.attributes", "nifi-update-attribute-nar"),
    "PublishKafka": ("org.apache.nifi.kafka.processors", "nifi-kafka-nar"),
}
_SERVICE_PROPERTIES = {"Record Reader", "Record Writer", "Kafka Connection Service"}
_API_KEY_HEADER = "X-Api-Key"


def root_group_name(election: Election) -> str:
    """The name of the group that holds the flow, and of the parameter context that all of it shares."""
    return f"election-assets {election.key}"


def candidate_context_name(election: Election, candidate_key: str) -> str:
    """The name of a candidate's parameter context."""
    return f"{root_group_name(election)} {candidate_key}"


def avro_schema() -> str:
    """The columns of `tweet.v1` as an Avro schema in JSON, all of them strings."""
    fields = [{"name": name, "type": "string"} for name in TWEET_V1_NAMES]
    return json.dumps({"type": "record", "name": "tweet", "fields": fields})


def generate(election: Election) -> dict[str, Any]:
    """The flow definition of an election.

    Identifiers are derived from names, so that the same election gives the same flow, and an uploaded new version
    replaces the parts of the old one in place.
    """
    name = root_group_name(election)
    root = _Group(name, name, name, "Tweets of each candidate from the scraper to Kafka, and the official results.")
    services = {
        READER: root.service(
            READER,
            "org.apache.nifi.json.JsonTreeReader",
            "nifi-record-serialization-services-nar",
            ("org.apache.nifi.serialization.RecordReaderFactory", "nifi-standard-services-api-nar"),
            {
                "schema-access-strategy": "schema-text-property",
                "schema-text": _parameter(CSV_SCHEMA),
                "starting-field-strategy": "NESTED_FIELD",
                "starting-field-name": "tweets",
                "schema-application-strategy": "SELECTED_PART",
            },
        ),
        WRITER: root.service(
            WRITER,
            "org.apache.nifi.csv.CSVRecordSetWriter",
            "nifi-record-serialization-services-nar",
            ("org.apache.nifi.serialization.RecordSetWriterFactory", "nifi-standard-services-api-nar"),
            {
                "Schema Write Strategy": "no-schema",
                "schema-access-strategy": "schema-text-property",
                "schema-text": _parameter(CSV_SCHEMA),
                "csv-writer": "fast-csv",
                "CSV Format": "custom",
                "Value Separator": ",",
                "Quote Character": '"',
                "Escape Character": '"',
                "Quote Mode": "ALL",
                "Record Separator": "\\r\\n",
                "Include Header Line": "true",
                "Trim Fields": "false",
                "csvutils-character-set": "UTF-8",
            },
        ),
        KAFKA: root.service(
            KAFKA,
            "org.apache.nifi.kafka.service.Kafka3ConnectionService",
            "nifi-kafka-3-service-nar",
            ("org.apache.nifi.kafka.service.api.KafkaConnectionService", "nifi-kafka-service-api-nar"),
            {
                "bootstrap.servers": _parameter(KAFKA_BOOTSTRAP_SERVERS),
                "security.protocol": _parameter(KAFKA_SECURITY_PROTOCOL),
                "sasl.mechanism": _parameter(KAFKA_SASL_MECHANISM),
                "sasl.username": _parameter(KAFKA_SASL_USERNAME),
                "sasl.password": _parameter(KAFKA_SASL_PASSWORD),
                "default.api.timeout.ms": "60 sec",
                "max.block.ms": "15 sec",
                "ack.wait.time": "30 sec",
            },
            sensitive=("sasl.password",),
        ),
    }
    for number, candidate in enumerate(election.candidates):
        context = candidate_context_name(election, candidate.key)
        root.add(_candidate_group(root, candidate, context, services, number))
    root.add(_results_group(root, name))
    return {
        "flowContents": root.content,
        "externalControllerServices": {},
        "parameterContexts": _contexts(election),
        "parameterProviders": {},
        "flowEncodingVersion": "1.0",
        "latest": False,
    }


def _candidate_group(
    root: _Group, candidate: Candidate, context: str, services: Mapping[str, str], number: int
) -> _Group:
    group = root.inside(candidate.key, context, f"{candidate.name}: asks the scraper every {{poll.period}}.", number)
    poll = group.processor(POLL, "GenerateFlowFile", {}, period=_parameter(POLL_PERIOD))
    ask_now = group.processor(ASK_NOW, "GenerateFlowFile", {}, period="1 day", disabled=True)
    reader = group.processor(
        READ_DEAD_LETTERS,
        "GetFile",
        {
            "Input Directory": f"{_parameter(DEAD_LETTER_FOLDER)}/{_parameter(CANDIDATE)}",
            "File Filter": r"[^.].*~.*\.(json|csv)",
            "Recurse Subdirectories": "false",
            "Keep Source File": "false",
            "Batch Size": "1000",
        },
        period="1 min",
        disabled=True,
    )
    one = _one_batch(group, context, services)
    group.add(one)
    group.connect(poll, "success", one.port("asks"), objects=1)
    group.connect(ask_now, "success", one.port("asks"), objects=1)
    group.connect(reader, "success", one.port("dead-letters"), objects=1000, size="1 GB")
    return group


def _one_batch(outer: _Group, context: str, services: Mapping[str, str]) -> _Group:
    group = outer.inside(
        ONE_BATCH,
        context,
        "One FlowFile at a time: the scraper gives a batch again until it is acknowledged, so asking meanwhile would "
        "publish it twice.",
        concurrency="SINGLE_FLOWFILE_PER_NODE",
    )
    asks = group.input_port("asks")
    letters = group.input_port("dead-letters")
    ask = group.processor(
        ASK,
        "InvokeHTTP",
        {
            "HTTP Method": "GET",
            "HTTP URL": f"{_parameter(SCRAPER_URL)}/get_twitter?candidat={_parameter(CANDIDATE)}",
            # The scraper reads several pages of X, each with its own retries.
            "Socket Read Timeout": "5 mins",
            **_HTTP,
        },
        ends=["Original"],
    )
    unanswered = group.processor(
        f"{SAY}not-answered",
        "LogMessage",
        {
            "log-level": "error",
            "log-message": f"The scraper gave no batch of {_parameter(CANDIDATE)}: {_HTTP_PROBLEM}",
        },
        ends=["success"],
    )
    read = group.processor(
        "read-ids",
        "EvaluateJsonPath",
        {
            "Destination": "flowfile-attribute",
            "Return Type": "auto-detect",
            "Path Not Found Behavior": "ignore",
            "batch_id": "$.batch_id",
            "candidate": "$.candidate",
            "schema": "$.schema",
            "tweets.count": "$.tweets.length()",
            "tweets.source": "$.tweets[0].source",
        },
    )
    check = group.processor(
        "check",
        "RouteOnAttribute",
        {
            "Routing Strategy": "Route to Property name",
            "batch": "${batch_id:isEmpty():not():and(${tweets.count:matches('[0-9]+')})"
            f":and(${{{_parameter(CANDIDATE)}:equals(${{candidate}})}}):and(${{schema:equals('{TWEET_SCHEMA}')}})}}",
            "nothing-new": "${batch_id:isEmpty():and(${tweets.count:equals('0')})}",
        },
        ends=["nothing-new"],
    )
    convert = group.processor(
        TO_CSV,
        "ConvertRecord",
        {
            "Record Reader": services[READER],
            "Record Writer": services[WRITER],
            "Include Zero Record FlowFiles": "true",
        },
    )
    count = group.processor(
        "check-count",
        "RouteOnAttribute",
        {"Routing Strategy": "Route to Property name", "complete": "${record.count:equals(${tweets.count})}"},
    )
    publish = group.processor(
        PUBLISH,
        "PublishKafka",
        {
            "Kafka Connection Service": services[KAFKA],
            "Topic Name": f"{_parameter(TOPIC_PREFIX)}.{_parameter(CANDIDATE)}",
            "Failure Strategy": "Route to Failure",
            "acks": "all",
            "compression.type": "none",
            "max.request.size": "1 MB",
            "Transactions Enabled": "false",
            "FlowFile Attribute Header Pattern": "batch_id|candidate|schema",
            "Header Encoding": "UTF-8",
        },
        retried=["failure"],
    )
    acknowledge = group.processor(
        ACKNOWLEDGE,
        "InvokeHTTP",
        {
            "HTTP Method": "POST",
            "HTTP URL": f"{_parameter(SCRAPER_URL)}/batches/${{batch_id:urlEncode()}}/ack",
            "Request Body Enabled": "false",
            "Socket Read Timeout": "1 min",
            **_HTTP,
        },
        ends=["Original"],
        retried=["Failure", "Retry"],
    )
    more = group.processor(
        "more",
        "RouteOnAttribute",
        {
            "Routing Strategy": "Route to Property name",
            # As the direct publisher: a live source is asked again at once only after a full batch.
            "again": f"${{tweets.count:ge({MAX_BATCH_RECORDS})"
            ":or(${tweets.source:equals('archive')}):or(${tweets.source:equals('sample')})}",
        },
        ends=["unmatched"],
    )
    forget = group.processor(
        "forget",
        "UpdateAttribute",
        {"Delete Attributes Expression": r"batch_id|candidate|schema|mime\.type|(tweets|record|invokehttp)\..*"},
    )
    group.connect(asks, "", ask)
    group.connect(ask, "Response", read)
    group.connect(ask, ["No Retry", "Retry", "Failure"], unanswered)
    group.connect(read, "matched", check)
    group.connect(check, "batch", convert)
    group.connect(convert, "success", count)
    group.connect(count, "complete", publish)
    group.connect(publish, "success", acknowledge)
    group.connect(acknowledge, "Response", more)
    group.connect(more, "again", forget)
    group.connect(forget, "success", ask)

    say = group.processor(
        f"{SAY}dead-letter",
        "LogMessage",
        {"log-level": "error", "log-message": "${dead.reason} See ${filename} in the folder of dead letters."},
    )
    write = group.processor(
        WRITE_DEAD_LETTER,
        "PutFile",
        {
            "Directory": f"{_parameter(DEAD_LETTER_FOLDER)}/{_parameter(CANDIDATE)}",
            "Conflict Resolution Strategy": "replace",
            "Create Missing Directories": "true",
        },
        ends=["success"],
    )
    group.connect(say, "success", write)
    # Nothing else keeps it: it waits in the queue until the folder can be written.
    group.connect(write, "failure", write)
    for source, relationships, ending, reason in (
        (read, ["failure", "unmatched"], "not-json.json", "The scraper's answer is not JSON."),
        (check, ["unmatched"], "not-a-batch.json", f"The scraper's answer is no batch of {TWEET_SCHEMA}."),
        (convert, ["failure"], "not-records.json", "A record of batch ${batch_id} cannot be written as CSV."),
        (
            count,
            ["unmatched"],
            "incomplete.kept",
            "Only ${record.count} of the ${tweets.count} records of batch ${batch_id} were written as CSV.",
        ),
        (publish, ["failure"], "not-published.csv", "Kafka did not take batch ${batch_id}."),
        (
            acknowledge,
            ["No Retry", "Retry", "Failure"],
            "not-acknowledged.csv",
            f"Kafka has batch ${{batch_id}}, but the scraper did not take its acknowledgement: {_HTTP_PROBLEM}",
        ),
    ):
        letter = group.processor(
            ending.partition(".")[0],
            "UpdateAttribute",
            {
                "dead.reason": reason,
                "filename": f"${{batch_id:replaceAll('[^A-Za-z0-9._-]', '_'):replaceEmpty('no-id')}}~{ending}",
            },
        )
        group.connect(source, relationships, letter)
        group.connect(letter, "success", say)

    restore = group.processor(
        "restore",
        "UpdateAttribute",
        {
            # Of an answer in JSON they are read again.
            "batch_id": "${filename:endsWith('.csv'):ifElse(${filename:substringBefore('~')}, '')}",
            "candidate": _parameter(CANDIDATE),
            "schema": TWEET_SCHEMA,
        },
    )
    route = group.processor(
        "from-where",
        "RouteOnAttribute",
        {
            "Routing Strategy": "Route to Property name",
            "publish": "${filename:endsWith('~not-published.csv')}",
            "acknowledge": "${filename:endsWith('~not-acknowledged.csv')}",
        },
    )
    group.connect(letters, "", restore)
    group.connect(restore, "success", route)
    group.connect(route, "publish", publish)
    group.connect(route, "acknowledge", acknowledge)
    group.connect(route, "unmatched", read)
    return group


def _results_group(root: _Group, context: str) -> _Group:
    group = root.inside(RESULTS, context, "Fetches the official results; off until `poll` is enabled and started.", -1)
    poll = group.processor(POLL, "GenerateFlowFile", {}, period="1 day", disabled=True)
    ask_now = group.processor(ASK_NOW, "GenerateFlowFile", {}, period="1 day", disabled=True)
    fetch = group.processor(
        FETCH,
        "InvokeHTTP",
        {
            "HTTP Method": "GET",
            "HTTP URL": _parameter(RESULTS_URL),
            "Socket Read Timeout": "5 mins",
        },
        ends=["Original"],
        retried=["Failure", "Retry"],
    )
    unanswered = group.processor(
        f"{SAY}not-fetched",
        "LogMessage",
        {"log-level": "error", "log-message": f"{_parameter(RESULTS_URL)} was not fetched: {_HTTP_PROBLEM}"},
        ends=["success"],
    )
    name = group.processor("name", "UpdateAttribute", {"filename": RESULTS_FILE})
    write = group.processor(
        WRITE_RESULTS,
        "PutFile",
        {
            "Directory": _parameter(RESULTS_FOLDER),
            "Conflict Resolution Strategy": "replace",
            "Create Missing Directories": "true",
        },
        ends=["success"],
    )
    group.connect(poll, "success", fetch, objects=1)
    group.connect(ask_now, "success", fetch, objects=1)
    group.connect(fetch, "Response", name, size="100 MB")
    group.connect(name, "success", write, size="100 MB")
    group.connect(fetch, ["No Retry", "Retry", "Failure"], unanswered)
    group.connect(write, "failure", write, size="100 MB")
    return group


def _contexts(election: Election) -> dict[str, Any]:
    common = root_group_name(election)
    values = {
        SCRAPER_URL: ("http://127.0.0.1:8000", "Where the scraper is, as NiFi sees it; without a slash at its end"),
        SCRAPER_API_KEY: (None, "SCRAPER_API_KEY of the scraper; an empty text where it wants none"),
        KAFKA_BOOTSTRAP_SERVERS: ("127.0.0.1:9092", "host:port, several separated by commas, as NiFi sees them"),
        KAFKA_SECURITY_PROTOCOL: ("PLAINTEXT", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
        KAFKA_SASL_MECHANISM: ("GSSAPI", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; GSSAPI where no SASL is wanted"),
        KAFKA_SASL_USERNAME: (None, "With PLAIN and SCRAM"),
        KAFKA_SASL_PASSWORD: (None, "With PLAIN and SCRAM"),
        TOPIC_PREFIX: (election.topic_prefix, "A topic is <prefix>.<candidate>"),
        POLL_PERIOD: ("2 min", "How often a candidate's new tweets are asked for"),
        CSV_SCHEMA: (avro_schema(), f"The columns of {TWEET_SCHEMA} in their order, as an Avro schema"),
        DEAD_LETTER_FOLDER: (f"./dead-letters/{election.key}", "Folder on NiFi's machine; one inside for a candidate"),
        RESULTS_URL: ("http://127.0.0.1:8000/results.csv", "Address of the official results, http or https"),
        RESULTS_FOLDER: (
            f"./results/{election.key}",
            f"Folder on NiFi's machine for {RESULTS_FILE}, which RESULTS_2017 names",
        ),
    }
    contexts = {common: _context(common, values, [])}
    for candidate in election.candidates:
        name = candidate_context_name(election, candidate.key)
        contexts[name] = _context(name, {CANDIDATE: (candidate.key, f"Key of {candidate.name}")}, [common])
    return contexts


def _context(name: str, values: Mapping[str, tuple[str | None, str]], inherited: list[str]) -> dict[str, Any]:
    parameters = [
        {
            "name": parameter,
            "description": description,
            "sensitive": parameter in SENSITIVE_PARAMETERS,
            "provided": False,
            **({} if value is None else {"value": value}),
        }
        for parameter, (value, description) in values.items()
    ]
    return {
        "identifier": _identifier("context", name),
        "name": name,
        "description": "",
        "parameters": parameters,
        "inheritedParameterContexts": inherited,
        "componentType": "PARAMETER_CONTEXT",
    }


def _parameter(name: str) -> str:
    return f"#{{{name}}}"


_HTTP = {"Response Redirects Enabled": "False", _API_KEY_HEADER: _parameter(SCRAPER_API_KEY)}
_HTTP_PROBLEM = "${invokehttp.status.code} ${invokehttp.response.body}${invokehttp.java.exception.message}"


def _identifier(*names: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\n".join(names)))


def _bundle(artifact: str) -> dict[str, str]:
    return {"group": "org.apache.nifi", "artifact": artifact, "version": NIFI_VERSION}


class _Group:
    """A process group of the flow that parts are added to; `content` is its definition."""

    def __init__(
        self,
        path: str,
        name: str,
        context: str,
        comments: str,
        parent: str | None = None,
        position: tuple[float, float] = (0, 0),
        concurrency: str = "UNBOUNDED",
    ) -> None:
        self._path = path
        self.identifier = _identifier("group", path)
        self._ports: dict[str, dict[str, Any]] = {}
        self.content: dict[str, Any] = {
            "identifier": self.identifier,
            "name": name,
            "comments": comments,
            "position": {"x": float(position[0]), "y": float(position[1])},
            "processGroups": [],
            "remoteProcessGroups": [],
            "processors": [],
            "inputPorts": [],
            "outputPorts": [],
            "connections": [],
            "labels": [],
            "funnels": [],
            "controllerServices": [],
            "parameterContextName": context,
            "defaultFlowFileExpiration": "0 sec",
            "defaultBackPressureObjectThreshold": 10,
            "defaultBackPressureDataSizeThreshold": "10 MB",
            "scheduledState": "ENABLED",
            "executionEngine": "INHERITED",
            "maxConcurrentTasks": 1,
            "statelessFlowTimeout": "1 min",
            "flowFileConcurrency": concurrency,
            "flowFileOutboundPolicy": "STREAM_WHEN_AVAILABLE",
            "componentType": "PROCESS_GROUP",
            **({"groupIdentifier": parent} if parent else {}),
        }

    def inside(self, name: str, context: str, comments: str, number: int = 0, concurrency: str = "UNBOUNDED") -> _Group:
        """A group inside this one, not added yet."""
        position = (450.0 * (number % 4), 250.0 * (number // 4))
        return _Group(f"{self._path}\n{name}", name, context, comments, self.identifier, position, concurrency)

    def add(self, group: _Group) -> None:
        self.content["processGroups"].append(group.content)

    def port(self, name: str) -> dict[str, Any]:
        return self._ports[name]

    def input_port(self, name: str) -> dict[str, Any]:
        port = self._component(name, "INPUT_PORT", len(self._ports))
        port |= {
            "type": "INPUT_PORT",
            "concurrentlySchedulableTaskCount": 1,
            "scheduledState": "ENABLED",
            "allowRemoteAccess": False,
            "portFunction": "STANDARD",
        }
        self.content["inputPorts"].append(port)
        self._ports[name] = port
        return port

    def service(
        self,
        name: str,
        type_name: str,
        artifact: str,
        api: tuple[str, str],
        properties: Mapping[str, str],
        sensitive: Iterable[str] = (),
    ) -> str:
        """Adds a controller service; its identifier."""
        service = self._component(name, "CONTROLLER_SERVICE", None)
        service |= {
            "type": type_name,
            "bundle": _bundle(artifact),
            "controllerServiceApis": [{"type": api[0], "bundle": _bundle(api[1])}],
            "properties": dict(properties),
            "propertyDescriptors": _descriptors(properties, sensitive),
            "scheduledState": "ENABLED",
            "bulletinLevel": "WARN",
        }
        self.content["controllerServices"].append(service)
        return service["identifier"]

    def processor(
        self,
        name: str,
        type_name: str,
        properties: Mapping[str, str],
        *,
        ends: Iterable[str] = (),
        retried: Iterable[str] = (),
        period: str = "0 sec",
        disabled: bool = False,
    ) -> dict[str, Any]:
        """Adds a processor.

        Args:
            name: Unique in the group.
            type_name: One of `_PROCESSORS`.
            properties: By the names of NiFi 2.3.0.
            ends: Relationships whose FlowFiles are done.
            retried: Relationships tried again by NiFi, the first time after 2 s, then after twice as long, up to 30 s.
            period: Time between two runs.
            disabled: Not started with the group.
        """
        package, artifact = _PROCESSORS[type_name]
        processor = self._component(name, "PROCESSOR", len(self.content["processors"]))
        processor |= {
            "type": f"{package}.{type_name}",
            "bundle": _bundle(artifact),
            "properties": dict(properties),
            "propertyDescriptors": _descriptors(properties, (_API_KEY_HEADER,)),
            "style": {},
            "schedulingPeriod": period,
            "schedulingStrategy": "TIMER_DRIVEN",
            "executionNode": "PRIMARY" if type_name in ("GenerateFlowFile", "GetFile") else "ALL",
            "penaltyDuration": "2 sec",
            "yieldDuration": "1 sec",
            "bulletinLevel": "WARN",
            "runDurationMillis": 0,
            "concurrentlySchedulableTaskCount": 1,
            "autoTerminatedRelationships": sorted(ends),
            "retriedRelationships": sorted(retried),
            "retryCount": RETRIES,
            "backoffMechanism": "PENALIZE_FLOWFILE",
            "maxBackoffPeriod": "30 sec",
            "scheduledState": "DISABLED" if disabled else "ENABLED",
        }
        self.content["processors"].append(processor)
        return processor

    def connect(
        self,
        source: Mapping[str, Any],
        relationships: str | list[str],
        destination: Mapping[str, Any],
        *,
        objects: int = 10,
        size: str = "10 MB",
    ) -> None:
        """Adds a connection with its back-pressure: so many FlowFiles or bytes wait in it before its source pauses."""
        selected = [relationships] if isinstance(relationships, str) else relationships
        name = f"{source['name']}: {', '.join(selected)}"
        self.content["connections"].append(
            {
                "identifier": _identifier("connection", self._path, name, destination["identifier"]),
                "name": "",
                "source": self._end(source),
                "destination": self._end(destination),
                "labelIndex": 0,
                "zIndex": 0,
                "selectedRelationships": selected,
                "backPressureObjectThreshold": objects,
                "backPressureDataSizeThreshold": size,
                "flowFileExpiration": "0 sec",
                "prioritizers": [],
                "bends": [],
                "loadBalanceStrategy": "DO_NOT_LOAD_BALANCE",
                "partitioningAttribute": "",
                "loadBalanceCompression": "DO_NOT_COMPRESS",
                "componentType": "CONNECTION",
                "groupIdentifier": self.identifier,
            }
        )

    def _component(self, name: str, kind: str, number: int | None) -> dict[str, Any]:
        component: dict[str, Any] = {
            "identifier": _identifier(kind, self._path, name),
            "name": name,
            "comments": "",
            "componentType": kind,
            "groupIdentifier": self.identifier,
        }
        if number is not None:
            component["position"] = {"x": 450.0 * (number % 4), "y": 200.0 * (number // 4)}
        return component

    @staticmethod
    def _end(component: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": component["identifier"],
            "type": component["componentType"],
            "groupId": component["groupIdentifier"],
            "name": component["name"],
            "comments": "",
        }


RETRIES = 40
"""Times that NiFi tries to publish or to acknowledge again, about 20 minutes, before the batch is a dead letter."""


def _descriptors(properties: Iterable[str], sensitive: Iterable[str]) -> dict[str, Any]:
    """What NiFi cannot tell from a property's name when it reads the flow: references to services, and secrets."""
    return {
        name: {
            "name": name,
            "displayName": name,
            "identifiesControllerService": name in _SERVICE_PROPERTIES,
            "sensitive": name in sensitive,
            "dynamic": name == _API_KEY_HEADER,
        }
        for name in properties
        if name in _SERVICE_PROPERTIES or name in sensitive
    }
