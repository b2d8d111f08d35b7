"""NiFi as a Dagster resource: its flow deployed, set, started, run once and watched; `__main__` is its command."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from nifi.flow import (
    ASK_NOW,
    CANDIDATE,
    CSV_SCHEMA,
    ON_DEMAND,
    ONE_BATCH,
    POLL,
    READ_DEAD_LETTERS,
    RESULTS,
    SAY,
    TOPIC_PREFIX,
)
from resources.nifi.api import POLL_SECONDS, NiFiApi, NiFiError, NiFiLateError
from resources.nifi.flow import Part, Queue, Snapshot, fingerprint, instances, needed_types, parts

SETTLE_SECONDS = 60
"""For processors to stop or start, services to be enabled, queues to drain, and NiFi to validate what it was given."""
SHOWN = 10
"""Things that a sentence names before it only counts."""
OF_THE_ELECTION = (TOPIC_PREFIX, CSV_SCHEMA, CANDIDATE)
"""Parameters that follow from the election and the code: never somebody's choice in NiFi."""
DEFAULT_TIMEOUT_SECONDS = 300
COMMAND = "python -m resources.nifi"


def timeout_seconds(env: Mapping[str, str]) -> int:
    """How long NIFI_TIMEOUT_SECONDS lets a run take.

    Raises:
        NiFiError: If it is no whole number above 0.
    """
    written = env.get("NIFI_TIMEOUT_SECONDS", "").strip() or str(DEFAULT_TIMEOUT_SECONDS)
    if not (written.isascii() and written.isdigit() and int(written)):
        raise NiFiError(f"NIFI_TIMEOUT_SECONDS={written} is not a whole number of seconds above 0, such as 300.")
    return int(written)


@dataclass(frozen=True)
class Bulletin:
    """What NiFi said of a component; it forgets after five minutes.

    Attributes:
        number: Rises with each one.
        group: Path of the component's group, such as `le-pen/one-batch`.
        component: Its name.
        level: `ERROR`, `WARNING`, `INFO`.
        message: The text.
    """

    number: int
    group: str
    component: str
    level: str
    message: str

    @property
    def final(self) -> bool:
        """Whether it tells of a failure after which the flow does not try again."""
        return self.component.startswith(SAY)

    def __str__(self) -> str:
        return f"{self.group}/{self.component}: {' '.join(self.message.split())[:400]}"


class NiFiResource(dg.ConfigurableResource):
    """The election's flow in one NiFi; groups are named by a candidate's key, or `results`.

    Attributes:
        url: NiFi's address, such as `https://nifi.example.org:8443`.
        username: Who logs in with a token; empty for none.
        password: The user's.
        client_certificate: PEM file that logs in over TLS; empty for none.
        client_key: PEM file of its key, where the certificate's file does not hold it.
        ca_file: PEM file of the authorities that NiFi's certificate may be of; the system's if empty.
        ui_url: Where a browser finds NiFi's UI; `url` if empty.
        flow: Name of the flow's root group.
        timeout_seconds: How long a run may take until Kafka has every batch and the scraper knows; in a step of
            Dagster's for all its candidates together.
    """

    url: str = ""
    username: str = ""
    password: str = ""
    client_certificate: str = ""
    client_key: str = ""
    ca_file: str = ""
    ui_url: str = ""
    flow: str
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS
    _opened: NiFiApi | None = PrivateAttr(None)

    # --- what stands there -------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Sees that NiFi answers, lets this user in, and has the flow.

        Raises:
            NiFiUnavailableError: If it cannot be used.
            NiFiError: If the flow is not deployed.
        """
        self._root_id()

    def snapshot(self, group: str = "") -> Snapshot:
        """What runs and waits in the flow, or in one of its groups, now.

        Raises:
            NiFiError: If the flow is not deployed, or has no such group.
        """
        found = self._status(self._root_id())
        if group not in found.groups:
            raise NiFiError(f"The flow {self.flow} in NiFi has no group {group!r}: {_DEPLOY}")
        return found.inside(group)

    def queues(self, group: str = "") -> list[Queue]:
        """The connections in which something waits, fullest first."""
        return self.snapshot(group).waiting

    def bulletins(self, group: str = "", after: int = -1) -> list[Bulletin]:
        """What NiFi said of the flow, or of one of its groups, in the last five minutes, oldest first.

        Args:
            group: A candidate's key, `results`, or empty for all.
            after: Number of the last bulletin that is known already.
        """
        names = {number: path for path, number in self.snapshot(group).groups.items()}
        board = self._api.get("/flow/bulletin-board", after=after, limit=1000)["bulletinBoard"]["bulletins"]
        said = [(names[entry["groupId"]], entry["bulletin"]) for entry in board if entry.get("groupId") in names]
        found = [
            Bulletin(each["id"], path, each.get("sourceName", ""), each["level"], each["message"])
            for path, each in said
        ]
        return sorted(found, key=lambda bulletin: bulletin.number)

    def link(self, group: str = "") -> str:
        """The page of the flow, or of one of its groups, in NiFi's UI."""
        return f"{self._ui}/#/process-groups/{self.snapshot(group).groups[group]}"

    # --- what is done to it ------------------------------------------------------------------------------------------

    def deploy(self, flow: Mapping[str, Any], parameters: Mapping[str, str], sensitive: Mapping[str, str]) -> list[str]:
        """Makes NiFi hold a flow: new where it is missing, replaced in place where it differs, untouched where not.

        What waits in a queue stays; what ran before runs after. Parameters keep the values they have in NiFi, but for
        those given here and those that follow from the election.

        Args:
            flow: A flow definition, from `nifi.flow.generate`.
            parameters: Values by parameter, of those that are set here.
            sensitive: The same of those whose value nobody may read.

        Returns:
            A sentence for each thing that was done, or one that nothing had to be.

        Raises:
            NiFiError: If an extension is missing, a queue that would go is not empty, or a component is not valid.
        """
        self._refuse_missing_types(flow["flowContents"])
        done = self._deploy_parameters(flow, {**parameters, **sensitive})
        wanted = fingerprint(flow["flowContents"])
        root = self._root()
        if root is None:
            self._import(flow)
            done.append(f"The flow {self.flow} was made; nothing of it runs yet: {COMMAND} start.")
        else:
            deployed = self._download(root["id"])
            if _mark(wanted, fingerprint(deployed)) not in (root["component"].get("comments") or ""):
                done += self._replace(root, deployed, flow)
                root = None
        number = self._root_id()
        self._enable_services(number)
        if root is None:
            mark = _mark(wanted, fingerprint(self._download(number)))
            comments = f"{flow['flowContents'].get('comments', '')}\n{mark}".strip()
            self._api.change(f"/process-groups/{number}", {"component": {"id": number, "comments": comments}})
        self._refuse_invalid(number)
        return done or [f"The flow {self.flow} is as it should be: nothing was changed."]

    def set_parameters(self, values: Mapping[str, str], context: str = "") -> list[str]:
        """Sets parameters; NiFi stops and starts again what uses those that change.

        Args:
            values: By parameter. What has the value already is left alone; a sensitive one is sent always, for its
                value cannot be read, and NiFi sees for itself whether it is another.
            context: Name of the parameter context; the one that the whole flow shares if empty.

        Returns:
            Names of the parameters that were sent.

        Raises:
            NiFiError: If there is no such context or parameter.
        """
        name = context or self.flow
        held = self._contexts().get(name)
        if held is None:
            raise NiFiError(f"NiFi at {self._api.url} has no parameter context {name!r}: {_DEPLOY}")
        entity = self._api.get(f"/parameter-contexts/{held}")
        known = {entry["parameter"]["name"]: entry["parameter"] for entry in entity["component"]["parameters"]}
        if unknown := sorted(set(values) - set(known)):
            raise NiFiError(f"The parameter context {name!r} has no parameter {', '.join(unknown)}: {_DEPLOY}")
        sent = {
            each: value
            for each, value in values.items()
            if known[each]["sensitive"] or (known[each].get("value") or "") != value
        }
        if sent:
            self._update_context(entity, [{**known[each], "value": value} for each, value in sent.items()])
        return sorted(sent)

    def start(self, group: str = "", polling: bool = True) -> None:
        """Starts the flow, or one of its groups.

        Args:
            group: A candidate's key; `results`, which is fetched every day from then on; or empty for all candidates,
                and what fetches the results when it is told to.
            polling: Whether NiFi asks for batches by itself, every `poll.period`; otherwise `run_once` makes it ask.

        Raises:
            NiFiError: If a component is not valid, or does not start.
        """
        now = self.snapshot(group)
        if not any(now.part(path, POLL) for path in now.groups):
            raise NiFiError(f"{group} is only a part of a group: start {group.partition('/')[0]}.")
        root = self._root_id()
        self._enable_services(root)
        self._refuse_invalid(now.groups[group])
        for part in now.parts:
            # One whose run was killed would run by itself from now on.
            if part.name in ON_DEMAND and part.state == "Stopped":
                self._set_state(part, "DISABLED")
        for path, number in now.groups.items():
            poll = now.part(path, POLL)
            if poll is None:
                continue
            if path == RESULTS == group and poll.state == "Disabled":
                self._set_state(poll, "STOPPED")
            if path != RESULTS and not polling:
                self._set_state(poll, "STOPPED")
                number = now.groups[f"{path}/{ONE_BATCH}"]
            self._api.put(f"/flow/process-groups/{number}", {"id": number, "state": "RUNNING"})
            self._wait(functools.partial(self._stopped_parts, number), f"{path} does not start")

    def stop(self, group: str = "") -> None:
        """Stops the flow, or one of its groups; what waits in its queues stays there.

        Raises:
            NiFiError: If a component does not stop.
        """
        now = self.snapshot(group)
        number = now.groups[group]
        self._api.put(f"/flow/process-groups/{number}", {"id": number, "state": "STOPPED"})
        poll = now.part(RESULTS, POLL)
        if poll is not None and poll.state != "Disabled":
            self._set_state(poll, "DISABLED")
        self._wait(
            lambda: [part for part in self._status(number, group).parts if part.state == "Running" or part.threads],
            f"{group or self.flow} does not stop",
        )

    def run_once(self, candidate: str, seconds: float | None = None) -> list[Bulletin]:
        """Makes a candidate's group ask once and waits until every batch that came of it is published and acknowledged.

        The group asks on by itself until the scraper has nothing new (a live one: until a batch is not full). Where it
        polls by its schedule, it goes on doing so beside this.

        Args:
            candidate: The group.
            seconds: How long that may take; `timeout_seconds` if not given.

        Returns:
            The errors that NiFi told of meanwhile, also those that trying again has healed.

        Raises:
            NiFiError: If the group does not run.
            NiFiLateError: If it is not done in time; the queues and errors are told.
        """
        return self._run_source(candidate, ASK_NOW, seconds)

    def resend(self, candidate: str) -> list[Bulletin]:
        """Sends a candidate's dead letters again, as `run_once`; nothing where there is no folder of them yet."""
        # GetFile passes over a file once where one of its name was the last that it took, as one that failed again.
        return [*self._run_source(candidate, READ_DEAD_LETTERS), *self._run_source(candidate, READ_DEAD_LETTERS)]

    def fetch_results(self) -> list[Bulletin]:
        """Fetches the official results once to `results.folder`, as `run_once`."""
        return self._run_source(RESULTS, ASK_NOW)

    # --- run once ----------------------------------------------------------------------------------------------------

    def _run_source(self, group: str, source: str, seconds: float | None = None) -> list[Bulletin]:
        now = self.snapshot(group)
        number = now.groups[group]
        part = now.part(group, source)
        if part is None:
            raise NiFiError(f"The group {group} in NiFi has no processor {source!r}: {_DEPLOY}")
        self._refuse_stopped(group, now, part)
        last = max((bulletin.number for bulletin in self.bulletins(group)), default=-1)
        with self._enabled_for_a_while(part):
            if error := self._not_valid(part):
                if source == READ_DEAD_LETTERS and _NO_FOLDER in error:
                    return []
                raise NiFiError(_invalid_sentence([f"{part.name}: {error}"]))
            self._wait(
                lambda: [] if self._component(part)["validationStatus"] == "VALID" else [part],
                "NiFi does not see that it is valid",
            )
            # One that waits already is as good, and a full queue lets no second one in.
            if not any(queue.source == source and queue.flow_files for queue in now.queues):
                self._set_state(part, "RUN_ONCE")
            self._wait_until_quiet(group, number, part, last, self.timeout_seconds if seconds is None else seconds)
        return [each for each in self.bulletins(group, last) if each.level == "ERROR"]

    @contextlib.contextmanager
    def _enabled_for_a_while(self, part: Part) -> Iterator[None]:
        """Holds a source ready to be run once, and disables it again."""
        try:
            self._set_state(part, "STOPPED")
            self._wait_until_stopped(part)
            yield
        except BaseException:
            # What went wrong is worth more than that this does, too.
            with contextlib.suppress(NiFiError):
                self._set_state(part, "STOPPED")
                self._set_state(part, "DISABLED")
            raise
        self._set_state(part, "DISABLED")

    def _wait_until_stopped(self, part: Part) -> None:
        self._wait(
            lambda: [] if self._state(part) == "STOPPED" else [part], f"{part.group}/{part.name} does not come to rest"
        )

    def _not_valid(self, part: Part) -> str:
        """What is not valid in a stopped processor now; its status is seconds old, and run once it would hang."""
        properties = self._component(part)["config"]["properties"]
        request = {"componentId": part.id, "properties": properties, "attributes": {}}
        steps = self._api.do(f"/processors/{part.id}/config/verification-requests", {"request": request})["results"]
        return " ".join(step["explanation"] for step in steps if step["outcome"] == "FAILED")

    def _wait_until_quiet(self, group: str, number: str, source: Part, last: int, seconds: float) -> None:
        """Waits until the source has run and nothing waits or works any more, seen twice: a look takes its time."""
        limit = time.monotonic() + seconds
        quiet = 0
        while quiet < 2:
            done = self._state(source) in ("STOPPED", "DISABLED")
            now = self._status(number, group)
            quiet = quiet + 1 if done and now.quiet else 0
            if not quiet and time.monotonic() > limit:
                said = [str(each) for each in self.bulletins(group, last)][-3:]
                waiting = [str(queue) for queue in now.waiting] or ["nothing waits, but a processor still works"]
                raise NiFiLateError(
                    f"NiFi was not done with {group} in {seconds:.0f} s: {_listed(waiting)}."
                    f" {'NiFi says: ' + ' '.join(said) + '.' if said else 'NiFi says nothing of it.'}"
                    f" It goes on by itself; see {self.link(group)}."
                )
            time.sleep(POLL_SECONDS)

    def _refuse_stopped(self, group: str, now: Snapshot, source: Part) -> None:
        sources = (POLL, *ON_DEMAND)
        rest = [part for part in now.parts if not (part.group == group and part.name in sources)]
        if all(part.state in ("Running", "Validating") for part in rest):
            return
        if any(part.state == "Invalid" for part in (source, *rest)):
            self._refuse_invalid(now.groups[group])
        stopped = [f"{part.group}/{part.name}" for part in rest if part.state != "Running"]
        raise NiFiError(
            f"The group {group} in NiFi does not run ({_listed(stopped)}): start it with {COMMAND} start {group}."
        )

    # --- deployment --------------------------------------------------------------------------------------------------

    def _refuse_missing_types(self, contents: Mapping[str, Any]) -> None:
        present = {
            (each["type"], each["bundle"]["group"], each["bundle"]["artifact"])
            for kind in ("processor", "controllerService")
            for each in self._api.get(
                "/flow/processor-types" if kind == "processor" else "/flow/controller-service-types"
            )[f"{kind}Types"]
        }
        missing = sorted(needed_types(contents) - present)
        if not missing:
            return
        version = self._api.get("/flow/about")["about"]["version"]
        names = _listed([name.rpartition(".")[2] for name, _, _ in missing])
        archives = sorted({artifact for _, _, artifact in missing})
        if any(artifact.startswith("nifi-kafka") for artifact in archives):
            archives = sorted({*archives, *_KAFKA_ARCHIVES})
        raise NiFiError(
            f"NiFi at {self._api.url} lacks what the flow needs, {names}: put"
            f" {', '.join(f'{artifact}-{version}.nar' for artifact in archives)} into the folder `extensions` of NiFi,"
            " and deploy again; Apache's download of NiFi holds them in `lib`, beside those that are there."
        )

    def _deploy_parameters(self, flow: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
        done: list[str] = []
        held = self._contexts()
        # What others inherit from comes first.
        for context in sorted(
            flow["parameterContexts"].values(), key=lambda one: len(one["inheritedParameterContexts"])
        ):
            inherited = [held[name] for name in context["inheritedParameterContexts"]]
            name = context["name"]
            if name not in held:
                wanted = [{**each, "value": _first_value(each, given)} for each in context["parameters"]]
                self._refuse_clear_text(wanted)
                held[name] = self._api.post(
                    "/parameter-contexts",
                    {
                        "revision": {"version": 0},
                        "component": {
                            "name": name,
                            "description": context["description"],
                            "parameters": [{"parameter": _parameter(each)} for each in wanted],
                            "inheritedParameterContexts": _references(inherited),
                        },
                    },
                )["id"]
                done.append(f"The parameter context {name} was made.")
                continue
            entity = self._api.get(f"/parameter-contexts/{held[name]}")
            known = {entry["parameter"]["name"] for entry in entity["component"]["parameters"]}
            if new := [each for each in context["parameters"] if each["name"] not in known]:
                self._update_context(entity, [{**each, "value": _first_value(each, given)} for each in new])
                done.append(f"{name}: {_listed([each['name'] for each in new])} added.")
            again = {each["name"]: given[each["name"]] for each in context["parameters"] if each["name"] in given}
            again |= {each["name"]: each["value"] for each in context["parameters"] if each["name"] in OF_THE_ELECTION}
            secret = {each["name"] for each in context["parameters"] if each["sensitive"]}
            sent = self.set_parameters({key: value for key, value in again.items() if key in known}, name)
            if changed := [each for each in sent if each not in secret]:
                done.append(f"{name}: {_listed(changed)} set.")
            if kept_secret := [each for each in sent if each in secret]:
                done.append(f"{name}: {_listed(kept_secret)} set again from the environment.")
        return done

    def _update_context(self, entity: Mapping[str, Any], changed: Sequence[Mapping[str, Any]]) -> None:
        self._refuse_clear_text(changed)
        number = entity["id"]
        inherited = [each["id"] for each in entity["component"].get("inheritedParameterContexts", [])]
        self._api.do(
            f"/parameter-contexts/{number}/update-requests",
            {
                "revision": entity["revision"],
                "id": number,
                "component": {
                    "id": number,
                    "name": entity["component"]["name"],
                    "parameters": [{"parameter": _parameter(each)} for each in changed],
                    # Left out, they are removed.
                    "inheritedParameterContexts": _references(inherited),
                },
            },
        )

    def _refuse_clear_text(self, changed: Sequence[Mapping[str, Any]]) -> None:
        for each in changed:
            if each["sensitive"] and each["value"]:
                self._api.refuse_clear_text(f"The parameter {each['name']}")

    def _import(self, flow: Mapping[str, Any]) -> None:
        self._api.post(
            "/process-groups/root/process-groups/import",
            {
                "groupName": self.flow,
                "flowSnapshot": flow,
                "positionDTO": {"x": 0.0, "y": 0.0},
                "revisionDTO": {"version": 0, "clientId": "election-assets"},
                "disconnectedNodeAcknowledged": False,
            },
        )

    def _replace(self, root: Mapping[str, Any], deployed: Mapping[str, Any], flow: Mapping[str, Any]) -> list[str]:
        number = root["id"]
        held, wanted = parts(deployed), parts(flow["flowContents"])
        going = {instance for each, instance in instances(deployed).items() if each not in wanted}
        with self._as_it_ran(number):
            self._drain(number, going)
            self._api.do(
                f"/process-groups/{number}/replace-requests",
                {
                    "processGroupRevision": self._api.get(f"/process-groups/{number}")["revision"],
                    "versionedFlowSnapshot": flow,
                    "disconnectedNodeAcknowledged": False,
                },
            )
        added = [label for each, label in wanted.items() if each not in held and label.startswith("group ")]
        removed = [label for each, label in held.items() if each not in wanted and label.startswith("group ")]
        return [
            f"The flow {self.flow} was changed in place: {len(wanted.keys() - held.keys())} parts are new,"
            f" {len(held.keys() - wanted.keys())} are gone.",
            *([f"New, and not started: {_listed(added)}."] if added else []),
            *([f"Gone: {_listed(removed)}."] if removed else []),
        ]

    @contextlib.contextmanager
    def _as_it_ran(self, root: str) -> Iterator[None]:
        """Leaves the groups running that ran, what is new in them included, and those polling that polled."""
        before = self._status(root)
        try:
            yield
        finally:
            after = self._status(root)
            for path, number in after.groups.items():
                if path.endswith(f"/{ONE_BATCH}") and any(
                    part.state == "Running" for part in before.inside(path).parts
                ):
                    self._enable_services(root)
                    self._api.put(f"/flow/process-groups/{number}", {"id": number, "state": "RUNNING"})
            for part in before.parts:
                same = after.part(part.group, part.name)
                if part.name == POLL and part.state == "Running" and same and same.state == "Stopped":
                    self._set_state(same, "RUNNING")

    def _drain(self, root: str, going: set[str]) -> None:
        """Waits until the connections that will go are empty; their groups ask for nothing new meanwhile."""

        def full() -> list[Queue]:
            return [queue for queue in self._status(root).waiting if queue.id in going]

        if not full():
            return
        now = self._status(root)
        candidates = {queue.group.partition("/")[0] for queue in full()}
        for part in now.parts:
            if part.name == POLL and part.state == "Running" and part.group in candidates:
                self._set_state(part, "STOPPED")
        runs = any(part.state == "Running" for name in candidates for part in now.inside(name).parts)
        limit = time.monotonic() + (SETTLE_SECONDS if runs else 0)
        while left := full():
            if time.monotonic() > limit:
                raise NiFiError(
                    f"The flow was not changed, for it would remove a queue that holds something:"
                    f" {_listed([str(queue) for queue in left])}. Start its group and let it finish"
                    f" ({COMMAND} start GROUP), or empty the queue in NiFi's UI; then deploy again."
                )
            time.sleep(POLL_SECONDS)

    def _enable_services(self, root: str) -> None:
        services = self._services(root)
        if all(service["state"] == "ENABLED" for service in services):
            return
        self._wait(
            lambda: [one["name"] for one in self._services(root) if one["validationStatus"] == "VALIDATING"],
            "NiFi does not validate its services",
        )
        if invalid := _invalid(self._services(root)):
            raise NiFiError(_invalid_sentence(invalid))
        self._api.put(f"/flow/process-groups/{root}/controller-services", {"id": root, "state": "ENABLED"})
        self._wait(
            lambda: [one["name"] for one in self._services(root) if one["state"] != "ENABLED"],
            "A controller service is not enabled",
        )

    def _refuse_invalid(self, group: str) -> None:
        """Waits until everything is validated.

        Raises:
            NiFiError: If a component, a disabled one excepted, is not valid; each is told with its errors.
        """

        def components() -> list[dict[str, Any]]:
            entities = self._api.get(f"/process-groups/{group}/processors", includeDescendantGroups="true")
            processors = [each["component"] for each in entities["processors"]]
            # NiFi validates no disabled processor.
            return [*self._services(group), *(each for each in processors if each["state"] != "DISABLED")]

        self._wait(
            lambda: [one["name"] for one in components() if one["validationStatus"] == "VALIDATING"],
            "NiFi does not validate the flow",
        )
        if invalid := _invalid(components()):
            raise NiFiError(_invalid_sentence(invalid))

    # --- NiFi --------------------------------------------------------------------------------------------------------

    @property
    def _api(self) -> NiFiApi:
        if self._opened is None:
            self._opened = NiFiApi(
                self.url,
                username=self.username,
                password=self.password,
                client_certificate=self.client_certificate,
                client_key=self.client_key,
                ca_file=self.ca_file,
            )
        return self._opened

    @property
    def _ui(self) -> str:
        """The first page of NiFi's UI."""
        return f"{self.ui_url.rstrip('/').removesuffix('/nifi') or self._api.url}/nifi"

    def _root(self) -> dict[str, Any] | None:
        found = [
            group
            for group in self._api.get("/process-groups/root/process-groups")["processGroups"]
            if group.get("component", {}).get("name") == self.flow
        ]
        if len(found) > 1:
            raise NiFiError(
                f"NiFi at {self._api.url} has {len(found)} groups named {self.flow!r}: rename or remove all but one."
            )
        return found[0] if found else None

    def _root_id(self) -> str:
        root = self._root()
        if root is None:
            raise NiFiError(f"NiFi at {self._api.url} has no group {self.flow!r}: {_DEPLOY}")
        return root["id"]

    def _status(self, number: str, path: str = "") -> Snapshot:
        status = self._api.get(f"/flow/process-groups/{number}/status", recursive="true")
        return Snapshot.read(status["processGroupStatus"]["aggregateSnapshot"], path)

    def _download(self, group: str) -> dict[str, Any]:
        return self._api.get(f"/process-groups/{group}/download")["flowContents"]

    def _contexts(self) -> dict[str, str]:
        """Ids of the parameter contexts by name."""
        found = self._api.get("/flow/parameter-contexts")["parameterContexts"]
        return {each["component"]["name"]: each["id"] for each in found if each.get("component")}

    def _services(self, group: str) -> list[dict[str, Any]]:
        found = self._api.get(
            f"/flow/process-groups/{group}/controller-services",
            includeAncestorGroups="false",
            includeDescendantGroups="true",
        )
        return [each["component"] for each in found["controllerServices"]]

    def _stopped_parts(self, group: str) -> list[Part]:
        return [part for part in self._status(group).parts if part.state == "Stopped"]

    def _component(self, part: Part) -> dict[str, Any]:
        return self._api.get(f"/processors/{part.id}")["component"]

    def _state(self, part: Part) -> str:
        return self._component(part)["state"]

    def _set_state(self, part: Part, state: str) -> None:
        if self._state(part) != state:
            self._api.change(f"/processors/{part.id}", {"state": state}, "/run-status")

    def _wait(self, left: Callable[[], Sequence[Any]], otherwise: str) -> None:
        """Waits until nothing is left, for a minute.

        Raises:
            NiFiError: With `otherwise` and what is left.
        """
        limit = time.monotonic() + SETTLE_SECONDS
        while still := left():
            if time.monotonic() > limit:
                names = [f"{each.group}/{each.name}" if isinstance(each, Part) else str(each) for each in still]
                raise NiFiError(f"{otherwise} in {SETTLE_SECONDS} s: {_listed(names)}; see {self._ui}.")
            time.sleep(POLL_SECONDS)


_DEPLOY = f"deploy the flow with {COMMAND} deploy."
_NO_FOLDER = "'Input Directory'"
"""Names the only property of the reader of dead letters that can be invalid: NiFi makes the folder with the first."""
_KAFKA_ARCHIVES = ("nifi-kafka-nar", "nifi-kafka-3-service-nar", "nifi-kafka-service-api-nar")
"""Apache's Kafka bundle: the service's archive needs the one of its interface."""


def _mark(generated: str, deployed: str) -> str:
    """What the root group's comments hold after a deployment: which flow it was, and what NiFi made of it."""
    return f"Deployed: {generated}, in NiFi {deployed}."


def _first_value(parameter: Mapping[str, Any], given: Mapping[str, str]) -> str | None:
    """A parameter's value when it is made; a sensitive one needs one, were it empty, to be referred to."""
    value = given.get(parameter["name"], parameter.get("value"))
    return "" if value is None and parameter["sensitive"] else value


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {key: parameter.get(key) for key in ("name", "description", "sensitive", "value")}


def _references(contexts: Sequence[str]) -> list[dict[str, Any]]:
    return [{"id": number, "component": {"id": number}} for number in contexts]


def _invalid(components: Sequence[Mapping[str, Any]]) -> list[str]:
    """The components that are not valid, each with its errors."""
    return [
        f"{each['name']}: {' '.join(each.get('validationErrors') or ['no reason given'])}"
        for each in components
        if each["validationStatus"] == "INVALID"
    ]


def _invalid_sentence(invalid: Sequence[str]) -> str:
    return (
        f"{len(invalid)} components of the flow in NiFi are not valid: {_listed(sorted(set(invalid)), ' | ')}"
        f" Correct the settings and run {COMMAND} deploy again."
    )


def _listed(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return between.join(names[:SHOWN]) + more
