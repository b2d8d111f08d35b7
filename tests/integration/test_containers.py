"""The compose file as Docker Compose loads it, the Dockerfile, and the image: its services as they are configured."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from election_assets.election import load_election
from nifi.flow import RESULTS_FILE
from tests.servers import containers, kafka, nifi, postgresql
from tests.servers.containers import Image, Pod
from tests.servers.processes import Process, ServerFailedError

# The first test that wants the image waits until it is built.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

DEFAULTS = {
    "ELECTION": "fr_2022",
    "RETENTION_DAYS": "90",
    "KAFKA_TOPIC_RETENTION_DAYS": "7",
    "LANDING_LAG": "20",
    "NIFI_TIMEOUT_SECONDS": "300",
    "SENTIMENT_ENGINE": "textblob",
    "SENTIMENT_SECONDS": "600",
}
OPTIONAL = {"X_BEARER_TOKEN", "NIFI_RESULTS_URL", "SENTIMENT_MODEL", "REPORT_URL", *DEFAULTS}
OF_CODE = {"RETENTION_DAYS", "LANDING_LAG", "SENTIMENT_ENGINE", "SENTIMENT_SECONDS", "SENTIMENT_MODEL", "REPORT_URL"}
ONE_SHOTS = {"certificates", "flow"}
OWN = {"certificates", "scraper", "flow", "code", "webserver", "daemon", "report"}
SERVICES = OWN | {"kafka", "nifi", "postgresql"}
SECRETS = {
    "PSEUDONYM_KEY": {"code"},
    "SCRAPER_API_KEY": {"scraper", "flow", "code"},
    "POSTGRES_PASSWORD": {"postgresql", "code", "webserver", "daemon"},
    "NIFI_PASSWORD": {"nifi", "flow", "code"},
    "NIFI_SENSITIVE_PROPS_KEY": {"nifi"},
    "NIFI_KEYSTORE_PASSWORD": {"certificates", "nifi"},
    "X_BEARER_TOKEN": {"scraper"},
}
CANDIDATE = "le-pen"
GRAPHQL = """
import json, sys, urllib.request
kind = {"Content-Type": "application/json"}
question = urllib.request.Request("http://webserver:3000/graphql", sys.stdin.buffer.read(), kind)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(question, timeout=60).read().decode())
"""
WRITE_REPORT = "mkdir -p /data/report && printf '<p>À la une' > /data/report/index.html"
READ_REPORT = """
import urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open("http://report:3001/", timeout=60).read().decode())
"""
FAKE_NIFI = f"""
import sys, threading
sys.path.insert(0, {str(containers.PROJECT)!r})
from election_assets.election import load_election
from nifi.flow import generate
from tests.fakes.nifi_api import FakeNiFi
with FakeNiFi(generate(load_election("fr_2022"))).serve() as fake:
    fake.login = (sys.argv[1], sys.argv[2])
    print(fake.url, flush=True)
    threading.Event().wait()
"""
DOCKER = f"""#!{sys.executable}
import json, os, shutil, subprocess, sys
pod = json.loads(open("pod.json").read())
def do(*command): subprocess.run(command, env={{**os.environ, "PGPASSWORD": password}}, check=True)
loaded = subprocess.run([{str(containers.LOADER)!r}, {str(containers.COMPOSE_FILE)!r}, ".env"], capture_output=True)
if loaded.returncode: sys.exit(loaded.stderr.decode())
password = json.loads(loaded.stdout)["services"]["postgresql"]["environment"]["POSTGRES_PASSWORD"]
words = [word for word in sys.argv[2:] if word not in ("-d", "-T", "--rm", "--no-deps", "--wait")]
match words:
    case ["exec", "postgresql", command, *options]:
        do(*pod["postgresql"], pod["commands"] + command, "--host=postgresql", *options)
    case ["run", "scraper", *command]:
        do(*pod["scraper"], *command)
    case ["down", "--volumes"]:
        shutil.rmtree(pod["data"])
        os.mkdir(pod["data"], 0o750)
        os.chown(pod["data"], 1000, 1000)
        for command in (["dropdb", "--force"], ["createdb"]):
            do(*pod["postgresql"], pod["commands"] + command[0], *command[1:], *pod["options"], "dagster")
    case ["stop" | "up", *_]:
        pass
    case _:
        sys.exit(f"The stand-in for docker knows no {{words}}.")
"""
LAUNCH = """mutation ($p: ExecutionParams!) { launchRun(executionParams: $p) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUN = """query ($id: ID!) { runOrError(runId: $id) { ... on Run { status eventConnection { events {
    __typename ... on LogsCapturedEvent { fileKey } ... on MessageEvent { message } } } } } }"""
OUTPUT = """query ($key: [String!]!) { capturedLogs(logKey: $key) { stdout stderr } }"""
DAEMONS = """{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"""


@pytest.fixture(scope="module", autouse=True)
def provisioned() -> None:
    containers.provision()


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """`.env.example`, filled as the README says."""
    made = {name: value or secrets.token_hex(24) for name, value in containers.example_settings().items()}
    return {**made, "X_BEARER_TOKEN": "", "NIFI_RESULTS_URL": "", "SENTIMENT_MODEL": ""}


@pytest.fixture(scope="module")
def model(settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return containers.load(settings, tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with containers.built_image() as built:
        yield built


@pytest.fixture
def pod(image: Image, model: Mapping[str, Any], tmp_path: Path) -> Iterator[Pod]:
    with Pod(image, model, tmp_path / "pod") as opened:
        yield opened


# The compose file


def test_every_service_is_known(model: Mapping[str, Any]) -> None:
    assert set(model["services"]) == SERVICES


@pytest.mark.parametrize("name", sorted(set(containers.example_settings()) - OPTIONAL))
def test_a_missing_secret_stops_compose_and_is_named(name: str, settings: Mapping[str, str], tmp_path: Path) -> None:
    with pytest.raises(ServerFailedError, match=rf"variable {name} is missing a value: is missing in \.env; "):
        containers.load({**settings, name: ""}, tmp_path)


def test_a_forgotten_token_is_no_empty_one(settings: Mapping[str, str], tmp_path: Path) -> None:
    without = {name: value for name, value in settings.items() if name != "X_BEARER_TOKEN"}
    with pytest.raises(ServerFailedError, match="X_BEARER_TOKEN"):
        containers.load(without, tmp_path)


def test_the_example_names_what_the_compose_file_reads_and_gives_no_secret() -> None:
    text = containers.COMPOSE_FILE.read_text(encoding="utf-8")
    example = containers.example_settings()
    assert set(example) == set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", text))
    assert {name: value for name, value in example.items() if value} == DEFAULTS


def test_what_is_optional_reaches_who_reads_it_and_has_the_defaults_of_the_example(
    settings: Mapping[str, str], tmp_path: Path
) -> None:
    without = {name: value for name, value in settings.items() if name not in DEFAULTS}
    chosen = {name: f"chosen-{name.lower()}" for name in (*DEFAULTS, "SENTIMENT_MODEL", "REPORT_URL")}
    for given, found in ((without, DEFAULTS), ({**settings, **chosen}, chosen)):
        services = containers.load(given, tmp_path)["services"]
        for name, value in found.items():
            readers = {"code"} if name in OF_CODE else {"code", "flow"}
            assert {services[reader]["environment"][name] for reader in readers} == {value}, name
        assert services["scraper"]["environment"]["ELECTION"] == found["ELECTION"]


def test_a_secret_reaches_only_the_services_that_use_it(tmp_path: Path, settings: Mapping[str, str]) -> None:
    marked = {name: f"{name.lower()}-{secrets.token_hex(12)}" for name in SECRETS}
    services = containers.load({**settings, **marked}, tmp_path)["services"]
    for name, value in marked.items():
        users = {service for service, model in services.items() if value in json.dumps(model)}
        assert users == SECRETS[name], name


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_few_rights_and_limits(name: str, model: Mapping[str, Any]) -> None:
    service = model["services"][name]
    assert re.fullmatch(r"[a-z/-]+:\d+\.\d+[\w.-]*", service["image"])
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only", False) == (name != "nifi")
    assert int(service["mem_limit"]) <= 6 * 2**30
    assert service["pids_limit"] <= 1024
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert not service.get("privileged")
    assert not any("docker.sock" in json.dumps(mount) for mount in service.get("volumes", []))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_watched_and_started_again_or_waited_for(name: str, model: Mapping[str, Any]) -> None:
    service = model["services"][name]
    waited_for = {
        other
        for user in model["services"].values()
        for other, how in user.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert waited_for == ONE_SHOTS
    if name in ONE_SHOTS:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


def test_only_the_two_uis_and_the_report_are_published_and_on_loopback(model: Mapping[str, Any]) -> None:
    published = {
        (name, port["host_ip"], port["published"])
        for name, service in model["services"].items()
        for port in service.get("ports", [])
    }
    assert published == {
        ("webserver", "127.0.0.1", "3000"),
        ("report", "127.0.0.1", "3001"),
        ("nifi", "127.0.0.1", "8443"),
    }


def test_only_those_reach_the_internet_that_have_to(model: Mapping[str, Any]) -> None:
    assert model["networks"]["inside"]["internal"] is True
    assert {name for name, service in model["services"].items() if "outside" in service.get("networks", {})} == {
        "nifi",
        "report",
        "scraper",
        "webserver",
    }
    assert model["services"]["certificates"]["network_mode"] == "none"


def test_the_versions_are_those_that_the_tests_run(model: Mapping[str, Any]) -> None:
    images = {name: service["image"] for name, service in model["services"].items()}
    assert images["kafka"] == f"apache/kafka:{kafka.VERSION}"
    assert images["nifi"] == f"apache/nifi:{nifi.VERSION}"
    said = subprocess.run(
        [postgresql.provision() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    tested = re.search(r"\d+", said.stdout)
    assert tested
    assert images["postgresql"].startswith(f"postgres:{tested[0]}.")
    assert {images[name] for name in OWN} == {f"election-assets:{containers.project_version()}"}


def test_results_come_from_nifi_only_where_it_fetches_them(settings: Mapping[str, str], tmp_path: Path) -> None:
    for address, place in (
        ("", ""),
        ("https://example.org/r/5b0a6f0e", f"/exchange/results/{RESULTS_FILE}"),
    ):
        services = containers.load({**settings, "NIFI_RESULTS_URL": address}, tmp_path)["services"]
        assert services["code"]["environment"]["RESULTS_2017"] == place
        assert services["flow"]["environment"]["NIFI_RESULTS_FOLDER"] == "/exchange/results"


# The image


def test_hadolint_finds_nothing() -> None:
    assert containers.lint() == ""


def test_the_image_holds_the_project_and_no_tools(image: Image) -> None:
    assert image.user == "1000:1000"
    held = {path.name for path in (image.root / "app").iterdir()}
    assert held == {
        *("LICENSE", "THIRD_PARTY.md", "compose", "election_assets", "nifi", "resources", "scraper_api"),
    }
    places = [f"{image.root}{place}" for place in ("/opt/venv/bin", *containers.SYSTEM_PATH.split(":"))]
    for tool in ("pip", "pip3", "pip3.11", "uv", "gcc", "cc", "make", "git"):
        assert shutil.which(tool, path=":".join(places)) is None, tool
    installers = {"pip", "setuptools", "wheel", "pkg_resources", "ensurepip", "python-wheels"}
    held = [path for place in ("usr", "opt") for path in (image.root / place).rglob("*") if path.name in installers]
    assert [path for path in held if path.is_dir()] == []
    # What the build was shown of this machine leaves an empty file or folder at most.
    for place in ("root", "tmp", "var/tmp", "build", "etc/uv"):
        left = [path for path in (image.root / place).rglob("*") if path.is_file() and path.stat().st_size]
        assert {path.name for path in left} <= {".bashrc", ".profile"}, place
    assert not (image.root / "etc/pip.conf").exists() or not (image.root / "etc/pip.conf").read_text()


@pytest.mark.parametrize(
    ("service", "writable"),
    [
        ("webserver", {"/tmp"}),
        ("report", {"/tmp"}),
        ("flow", {"/tmp", "/data"}),
        ("code", {"/tmp", "/data", "/dagster/storage"}),
    ],
)
def test_a_service_may_write_to_its_volumes_alone(service: str, writable: set[str], pod: Pod) -> None:
    pruned = ["(", "-path", "/proc", "-o", "-path", "/dev", ")", "-prune"]
    found = pod.run(service, ["find", "/", *pruned, "-o", "-type", "d", "-writable", "-print"])
    assert set(found.stdout.split()) == writable
    for place in ("/app", "/dagster", "/var/tmp"):
        assert "Read-only file system" in pod.run(service, ["touch", f"{place}/file"]).stderr


def test_the_certificates_are_made_once_and_verify(pod: Pod, settings: Mapping[str, str], tmp_path: Path) -> None:
    first, again = pod.run("certificates"), pod.run("certificates")
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "new certificates for nifi, localhost, 127.0.0.1" in first.stdout
    assert "stay as they are" in again.stdout
    folder = pod.volume("certificates")
    password = settings["NIFI_KEYSTORE_PASSWORD"]
    ca, keystore, truststore = (str(folder / name) for name in ("ca.pem", "keystore.p12", "truststore.p12"))
    server = tmp_path / "server.pem"
    openssl = ["openssl", "pkcs12", "-in", keystore, "-passin", f"pass:{password}", "-clcerts", "-nokeys"]
    subprocess.run([*openssl, "-out", str(server)], check=True, capture_output=True)
    for name in (["-verify_hostname", "nifi"], ["-verify_hostname", "localhost"], ["-verify_ip", "127.0.0.1"]):
        verify = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca, *name, str(server)]
        assert subprocess.run(verify, capture_output=True).returncode == 0, name
    other = ["openssl", "verify", "-CAfile", ca, "-verify_hostname", "kafka", str(server)]
    assert subprocess.run(other, capture_output=True).returncode != 0
    # What NiFi's Java sees in the stores.
    for store, entry in ((keystore, "PrivateKeyEntry"), (truststore, "trustedCertEntry")):
        listed = ["keytool", "-list", "-storetype", "PKCS12", "-keystore", store, "-storepass", password]
        assert entry in subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    assert (Path(keystore).stat().st_uid, Path(keystore).stat().st_mode & 0o777) == (1000, 0o600)
    assert not list(folder.glob(".*"))


def test_certificates_of_another_password_or_name_are_made_anew(pod: Pod) -> None:
    script = pod.model["services"]["certificates"]["command"]
    pod.run("certificates")
    assert "new certificates" in pod.run("certificates", NIFI_KEYSTORE_PASSWORD="another-long-password").stdout
    assert "new certificates" in pod.run("certificates", [*script, "other"]).stdout
    refused = pod.run("certificates", NIFI_KEYSTORE_PASSWORD="short")
    assert (refused.returncode, refused.stderr) == (2, "NIFI_KEYSTORE_PASSWORD wants at least 12 characters.\n")


def test_the_flow_is_deployed_by_a_program_that_says_what_is_wrong(pod: Pod) -> None:
    pod.run("certificates")
    deployed = pod.run("flow")
    assert deployed.returncode == 1
    assert "https://nifi:8443" in deployed.stderr
    assert "Traceback" not in deployed.stderr


def test_a_candidate_is_run_and_dead_letters_are_sent_again_as_the_readme_says(pod: Pod) -> None:
    """In place of NiFi a fake of its API, that publishes nothing: what is tried is the container of the commands."""
    pod.run("certificates")
    log, user = pod.folder / "nifi.log", pod.model["services"]["flow"]["environment"]
    fake = [sys.executable, "-c", FAKE_NIFI, user["NIFI_USERNAME"], user["NIFI_PASSWORD"]]
    nifi_in_pod = pod.server("nifi", fake, lambda: log.exists() and "http://" in log.read_text(), {})
    nifi_in_pod.start()
    try:
        settings = {"NIFI_URL": log.read_text().strip(), "KAFKA_BOOTSTRAP_SERVERS": ""}
        for command in (["deploy"], ["start"], ["run", CANDIDATE], ["resend"]):
            done = pod.run("flow", ["python", "-m", "resources.nifi", *command], **settings)
            assert (done.returncode, done.stderr) == (0, ""), command
    finally:
        nifi_in_pod.kill()
    assert f"{CANDIDATE}: dead letters were sent again." in done.stdout
    locks = {f"_collect_{key}.lock" for key in load_election("fr_2022").candidate_keys}
    assert {file.name for file in (pod.volume("data") / "locks").iterdir()} == locks


# The services together


@pytest.fixture
def postgresql_in_pod(pod: Pod, settings: Mapping[str, str]) -> Iterator[Process]:
    """PostgreSQL as Debian has it, in the place of its image, with the user and database that the image makes."""
    commands, service = postgresql.provision(), pod.model["services"]["postgresql"]
    user, database = service["environment"]["POSTGRES_USER"], service["environment"]["POSTGRES_DB"]
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    shutil.chown(folder, "postgres")
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    (folder / "password").write_text(settings["POSTGRES_PASSWORD"], encoding="ascii")
    cluster = [*as_user, str(commands / "initdb"), "-D", f"{folder}/data", "-U", user, f"--pwfile={folder}/password"]
    subprocess.run([*cluster, *service["environment"]["POSTGRES_INITDB_ARGS"].split()], check=True, capture_output=True)
    check = [str(commands / "pg_isready"), *service["healthcheck"]["test"][2:]]
    server = pod.server(
        "postgresql",
        [
            *(*as_user, str(commands / "postgres"), "-D", f"{folder}/data", "-c", "listen_addresses=*"),
            *("-c", "unix_socket_directories=", "-c", "fsync=off"),
        ],
        lambda: subprocess.run(pod.beside(check), capture_output=True).returncode == 0,
        {},
    )
    server.start()
    create = [str(commands / "createdb"), "-h", "postgresql", "-U", user, database]
    env = {**os.environ, "PGPASSWORD": settings["POSTGRES_PASSWORD"]}
    subprocess.run(pod.beside(create), env=env, check=True)
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def kafka_in_pod(pod: Pod) -> Iterator[Process]:
    """Kafka as the image starts it, with its own program that makes a configuration from the environment."""
    service, folder = pod.model["services"]["kafka"], pod.folder / "kafka"
    places = {name: folder / name for name in ("default", "configuration", "data")}
    for place in places.values():
        place.mkdir(parents=True)
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (places["default"] / name).touch()
    mounted = next(mount["source"] for mount in service["volumes"] if mount["target"] == "/mnt/shared/config")
    libraries = f"{kafka.provision()}/libs/*"
    final, settings_file = places["configuration"], places["configuration"] / "server.properties"
    wrapper = (
        f"kafka.docker.KafkaDockerWrapper setup --default-configs-dir {places['default']}"
        f" --mounted-configs-dir {mounted} --final-configs-dir {final}"
    )
    log4j = f"-Dlog4j2.configurationFile={final}/log4j2.yaml"
    script = (
        f"java -cp '{libraries}' {wrapper}; exec java -Xmx256m {log4j} -cp '{libraries}' kafka.Kafka {settings_file}"
    )
    process = pod.server(
        "kafka",
        ["sh", f"{mounted}/cluster_id.sh", "sh", "-euc", script],
        lambda: "Kafka Server started" in (pod.folder / "kafka.log").read_text(encoding="utf-8"),
        {**service["environment"], "KAFKA_LOG_DIRS": str(places["data"])},
    )
    process.start()
    yield process
    process.kill()


def ask(pod: Pod, query: str, **variables: Any) -> Any:
    """What the webserver answers to a question in GraphQL."""
    question = json.dumps({"query": query, "variables": variables})
    command = pod.beside([sys.executable, "-c", GRAPHQL])
    answer = json.loads(subprocess.run(command, input=question, capture_output=True, text=True, check=True).stdout)
    assert "errors" not in answer, answer
    return answer["data"]


def run_of(pod: Pod, run_id: str) -> dict[str, Any]:
    """A run once it has ended."""
    limit = time.monotonic() + 150
    while (run := ask(pod, RUN, id=run_id)["runOrError"])["status"] not in ("SUCCESS", "FAILURE", "CANCELED"):
        assert time.monotonic() < limit, run["status"]
        time.sleep(1)
    return run


def test_the_services_collect_land_and_clean_a_candidates_tweets(
    pod: Pod, postgresql_in_pod: Process, kafka_in_pod: Process
) -> None:
    """As compose starts them, each one's own health check passing; but for NiFi, in whose place the assets publish."""
    assert pod.run("certificates").returncode == 0
    processes = [
        pod.process("scraper", SAMPLE_TWEETS="600"),
        pod.process("code", INGESTION="direct"),
        pod.process("webserver"),
        pod.process("daemon"),
        pod.process("report"),
    ]
    try:
        for process in processes:
            process.start()
        launched = ask(
            pod,
            LAUNCH,
            p={
                "selector": {
                    "repositoryLocationName": "election_assets",
                    "repositoryName": "__repository__",
                    "jobName": "tweets",
                },
                "executionMetadata": {
                    "tags": [
                        {"key": f"dagster/asset_partition_range_{end}", "value": CANDIDATE} for end in ("start", "end")
                    ]
                },
            },
        )["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        run = run_of(pod, run_id)
        events = run["eventConnection"]["events"]
        assert run["status"] == "SUCCESS", [event.get("message") for event in events][-10:]
        assert pod.run("code", ["sh", "-c", WRITE_REPORT]).returncode == 0
        assert pod.run("report", ["python", "-c", READ_REPORT]).stdout == "<p>À la une\n"
        # The webserver reads what the run wrote.
        (file_key,) = {event["fileKey"] for event in events if event["__typename"] == "LogsCapturedEvent"}
        output = ask(pod, OUTPUT, key=[run_id, "compute_logs", file_key])["capturedLogs"]
        assert "cleaned_tweets" in (output["stdout"] or "") + (output["stderr"] or "")
        daemons = ask(pod, DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        assert all(daemon["healthy"] for daemon in daemons if daemon["required"]), daemons
        migrated = pod.run("daemon", ["dagster", "instance", "migrate"])
        assert migrated.returncode == 0, migrated.stderr
    except ServerFailedError as error:
        pytest.fail(str(error))
    finally:
        for process in reversed(processes):
            process.kill()
    data = pod.volume("data")
    topic = load_election("fr_2022").topic(CANDIDATE)
    cluster = re.search(
        r"^cluster\.id=(.+)$", (pod.folder / "kafka/data/meta.properties").read_text(encoding="ascii"), re.MULTILINE
    )
    assert cluster
    landed = sorted(file.name for file in (data / "landed" / CANDIDATE).iterdir())
    assert landed
    assert all(cluster[1] in name and topic in name for name in landed)
    assert (data / "tables" / "cleaned_tweets" / CANDIDATE / "_delta_log").is_dir()
    assert {path.stat().st_uid for path in data.rglob("*")} == {1000}


def test_a_backup_as_the_readme_says_is_whole_or_none_and_restores_on_another_machine(
    pod: Pod, postgresql_in_pod: Process, settings: Mapping[str, str], tmp_path: Path
) -> None:
    """In place of docker a stand-in that wants a whole .env, too, and runs the commands in the pod."""
    clone = tmp_path / "clone"
    clone.mkdir()
    docker = clone / "docker"
    docker.write_text(DOCKER, encoding="utf-8")
    docker.chmod(0o700)
    data, commands = pod.volume("data", "/data"), f"{postgresql.provision()}/"
    options = ["--host=postgresql", "--username=dagster"]
    places = {
        "postgresql": pod.beside([]),
        "commands": commands,
        "options": options,
        "scraper": pod.command("scraper", ["env"], {}),
        "data": str(data),
    }
    (clone / "pod.json").write_text(json.dumps(places), encoding="utf-8")
    env = {**os.environ, "PATH": f"{clone}:{os.environ['PATH']}", "PGPASSWORD": settings["POSTGRES_PASSWORD"]}

    def follow(heading: str) -> None:
        section = (containers.PROJECT / "README.md").read_text(encoding="utf-8").partition(f"**{heading}**")[2]
        block = section.partition("```sh\n")[2].partition("```")[0]
        done = subprocess.run(["sh", "-c", block], cwd=clone, env=env, capture_output=True, text=True)
        print(heading, done.stdout, done.stderr)

    def sql(statement: str) -> str:
        psql = [f"{commands}psql", *options, "--dbname=dagster", "--no-align", "--tuples-only", "-c", statement]
        return subprocess.run(pod.beside(psql), env=env, capture_output=True, text=True, check=True).stdout.strip()

    dotenv = "".join(f"{name}={value}\n" for name, value in settings.items())
    (clone / ".env").write_text(dotenv, encoding="utf-8")
    assert pod.run("scraper", ["sh", "-c", "mkdir /data/raw && echo été > /data/raw/batch"]).returncode == 0
    sql("CREATE TABLE runs AS SELECT 'of the backup' AS run")
    follow("Back up")
    kept = {file.name: file.read_bytes() for file in (clone / "backup").iterdir()}
    assert set(kept) == {"env", "dagster.dump", "data.tar.gz"}
    assert {file.stat().st_mode & 0o777 for file in (clone / "backup").iterdir()} == {0o600}

    postgresql_in_pod.kill()
    assert pod.run("scraper", ["sh", "-c", "echo later > /data/raw/batch"]).returncode == 0
    follow("Back up")
    assert {file.name: file.read_bytes() for file in (clone / "backup").iterdir()} == kept
    postgresql_in_pod.start()

    sql("UPDATE runs SET run = 'later'")
    (clone / ".env").unlink()
    follow("Restore")
    assert (clone / ".env").read_text(encoding="utf-8") == dotenv
    assert sql("SELECT run FROM runs") == "of the backup"
    assert (data / "raw" / "batch").read_text(encoding="utf-8") == "été\n"
    assert {path.stat().st_uid for path in data.rglob("*")} == {1000}


def test_an_emptied_kafka_is_another_cluster(model: Mapping[str, Any], tmp_path: Path) -> None:
    script = containers.PROJECT / "compose" / "kafka" / "cluster_id.sh"

    def cluster() -> str:
        said = subprocess.run(
            ["sh", str(script), "sh", "-c", "echo $CLUSTER_ID"],
            env={**os.environ, "KAFKA_LOG_DIRS": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return said.stdout.strip()

    new = {cluster() for _ in range(20)}
    assert len(new) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", name) for name in new)
    (tmp_path / "meta.properties").write_text("version=1\ncluster.id=of-the-data\nnode.id=1\n", encoding="ascii")
    assert cluster() == "of-the-data"
    mounted = {mount["target"]: mount["source"] for mount in model["services"]["kafka"]["volumes"]}
    assert Path(mounted["/mnt/shared/config"]) == script.parent
