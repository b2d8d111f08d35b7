"""NiFi's REST API as one door: authentication, TLS, revisions, long requests, and every failure as one sentence."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = (5, 120)
"""To connect, and to answer."""
ATTEMPTS = 8
"""Of a change that NiFi refuses because somebody else changed the component, or because it still stops or starts."""
POLL_SECONDS = 0.25
LONG_REQUEST_SECONDS = 300
"""For what NiFi does in the background: it stops, changes and starts again whatever a change touches."""


ALWAYS_THERE = ("/flow/about", "/flow/processor-types", "/process-groups/root/process-groups")
"""Paths of every NiFi; at least one of them is asked for before any other."""


class NiFiError(RuntimeError):
    """NiFi cannot do what was asked; the message says what, where, and what to do."""


class NiFiUnavailableError(NiFiError):
    """NiFi cannot be used at all: it is down, not trusted, or does not let this user in.

    Attributes:
        temporary: Whether trying again may help.
    """

    def __init__(self, sentence: str, temporary: bool = False) -> None:
        super().__init__(sentence)
        self.temporary = temporary


class NiFiLateError(NiFiError):
    """NiFi still works on what was asked for; it goes on by itself."""


class NiFiRefusedError(NiFiError):
    """NiFi answered with an error.

    Attributes:
        status: Of the HTTP answer.
    """

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class NiFiApi:
    """One NiFi, as one user; paths are below `/nifi-api`."""

    def __init__(
        self,
        url: str,
        *,
        username: str = "",
        password: str = "",
        client_certificate: str = "",
        client_key: str = "",
        ca_file: str = "",
    ) -> None:
        """Takes the address and how to log in; connects at the first call.

        Args:
            url: `http(s)://host:port`, with or without `/nifi`.
            username: Logs in with a token, if given.
            password: The user's.
            client_certificate: PEM file that logs in over TLS, if given.
            client_key: PEM file of its key, where the certificate's does not hold it; without a passphrase.
            ca_file: PEM file of the authorities that NiFi's certificate may be of; the system's if empty.

        Raises:
            NiFiUnavailableError: If the settings cannot be right, or would send a secret in clear text.
        """
        self.url = _base(url)
        self._login = (username, password) if username or password else None
        self._token = ""
        self._certificate = (client_certificate, client_key) if client_key else client_certificate or None
        self._ca_file = ca_file
        self._opened: requests.Session | None = None
        if bool(username) != bool(password):
            missing = "NIFI_PASSWORD" if username else "NIFI_USERNAME"
            raise NiFiUnavailableError(f"{missing} is missing: a login to NiFi takes a user name and a password.")
        if client_key and not client_certificate:
            raise NiFiUnavailableError("NIFI_CLIENT_KEY is given without NIFI_CLIENT_CERTIFICATE: name both files.")
        if password:
            self.refuse_clear_text("NIFI_PASSWORD")

    def refuse_clear_text(self, secret: str) -> None:
        """Refuses to send a secret over HTTP to another machine.

        Raises:
            NiFiUnavailableError: If the address is such a one.
        """
        if self.url.startswith("http://") and not _is_loopback(self.url):
            raise NiFiUnavailableError(
                f"{secret} would go to {self.url} unencrypted: give NiFi's https:// address in NIFI_URL."
            )

    def get(self, path: str, **parameters: Any) -> Any:
        """Reads."""
        return self._call("GET", path, params=parameters)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Makes something new, or asks for something to be done."""
        return self._call("POST", path, json=body)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Changes what needs no revision."""
        return self._call("PUT", path, json=body)

    def change(self, path: str, body: Mapping[str, Any], below: str = "") -> Any:
        """Changes a component with its revision as it is now; again where that was too old or NiFi not yet ready.

        Args:
            path: Of the component.
            body: The change, without revision.
            below: What follows the path where it is put, such as `/run-status`.

        Raises:
            NiFiRefusedError: If NiFi does not take it.
        """
        for attempt in range(ATTEMPTS):
            revision = self.get(path)["revision"]
            try:
                return self.put(path + below, {"revision": revision, **body})
            except NiFiRefusedError as error:
                stale = error.status == 400 and "most up-to-date revision" in str(error)
                if attempt + 1 == ATTEMPTS or not (stale or error.status == 409):
                    raise
                time.sleep(POLL_SECONDS * (attempt + 1))
        raise AssertionError("unreachable")

    def do(self, path: str, body: Mapping[str, Any], seconds: float = LONG_REQUEST_SECONDS) -> Any:
        """Asks for what takes long (`…/update-requests`, `…/replace-requests`, …), waits for its end, and answers it.

        Raises:
            NiFiRefusedError: If NiFi does not begin it, or gives it up.
            NiFiError: If it takes too long; it is called off then.
        """
        for attempt in range(ATTEMPTS):
            try:
                request = self.post(path, body)["request"]
                break
            except NiFiRefusedError as error:
                # Another one is under way.
                if attempt + 1 == ATTEMPTS or error.status != 409:
                    raise
                time.sleep(POLL_SECONDS * (attempt + 1))
        # Replacements of a group are read from another place than they were asked at.
        where = urlsplit(request["uri"]).path.partition("/nifi-api")[2]
        limit = time.monotonic() + seconds
        try:
            while not request["complete"]:
                if time.monotonic() > limit:
                    raise NiFiError(
                        f"NiFi at {self.url} did not end a change in {seconds:.0f} s ({request.get('state')}):"
                        " a processor may hang; look at its threads in NiFi's UI and try again."
                    )
                time.sleep(POLL_SECONDS)
                request = self.get(where)["request"]
        finally:
            self._call("DELETE", where)
        if request.get("failureReason"):
            raise NiFiRefusedError(f"NiFi at {self.url} gave the change up: {_flat(request['failureReason'])}", 409)
        return request

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        if self._login and not self._token:
            self._token = self._new_token()
        answer = self._send(method, path, **arguments)
        if answer.status_code == 401 and self._login:
            # A token lives for hours, and a schedule for months.
            self._token = self._new_token()
            answer = self._send(method, path, **arguments)
        text = _flat(answer.text)
        if answer.status_code == 401:
            raise NiFiUnavailableError(f"NiFi at {self.url} lets nobody in without a login ({text}): {self._hint()}")
        if answer.status_code == 403:
            raise NiFiUnavailableError(
                f"NiFi at {self.url} does not let {self._who()} do this, {method} {path} ({text}): give that user the"
                " policies to view and modify the flow, its parameter contexts and controller services."
            )
        if answer.status_code == 503 or (answer.status_code == 404 and path in ALWAYS_THERE):
            raise NiFiUnavailableError(
                f"NiFi at {self.url} is not ready ({answer.status_code}): wait until it has started, or correct"
                " NIFI_URL.",
                temporary=True,
            )
        if not answer.ok:
            raise NiFiRefusedError(
                f"NiFi at {self.url} refused {method} {path} ({answer.status_code}): {text}", answer.status_code
            )
        try:
            return answer.json()
        except ValueError as error:
            raise NiFiUnavailableError(
                f"{self.url} answered {path} with something else than JSON: is NIFI_URL the address of NiFi?"
            ) from error

    def _new_token(self) -> str:
        assert self._login is not None
        username, password = self._login
        answer = self._send("POST", "/access/token", data={"username": username, "password": password})
        if answer.status_code == 409:
            raise NiFiUnavailableError(
                f"NiFi at {self.url} takes no user name and password ({_flat(answer.text)}): leave NIFI_USERNAME and"
                " NIFI_PASSWORD out, or use a client certificate (NIFI_CLIENT_CERTIFICATE, NIFI_CLIENT_KEY)."
            )
        if not answer.ok:
            raise NiFiUnavailableError(
                f"NiFi at {self.url} did not let {username} in ({answer.status_code}: {_flat(answer.text)}):"
                " correct NIFI_USERNAME and NIFI_PASSWORD.",
                temporary=answer.status_code >= 500,
            )
        return answer.text

    def _send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        import requests

        verify: bool | str = self._ca_file or True
        try:
            # Given here and not to the session, where REQUESTS_CA_BUNDLE would be preferred to it.
            return self._session().request(
                method, f"{self.url}/nifi-api{path}", verify=verify, timeout=TIMEOUT_SECONDS, **arguments
            )
        except requests.exceptions.SSLError as error:
            raise NiFiUnavailableError(self._tls_sentence(str(error))) from error
        except requests.exceptions.Timeout as error:
            raise NiFiUnavailableError(
                f"NiFi at {self.url} did not answer in time ({method} {path}): see whether it is overloaded, or correct"
                " NIFI_URL.",
                temporary=True,
            ) from error
        except requests.exceptions.RequestException as error:
            # With TLS 1.3 a missing client certificate is told after the handshake, at the first read.
            if "certificate" in str(error).lower():
                raise NiFiUnavailableError(self._tls_sentence(str(error))) from error
            raise NiFiUnavailableError(
                f"NiFi at {self.url} does not answer ({type(error).__name__}): start it, or correct NIFI_URL.",
                temporary=True,
            ) from error
        except OSError as error:
            raise NiFiUnavailableError(
                f"A file for the connection to NiFi cannot be used ({error}): correct NIFI_CA_FILE,"
                " NIFI_CLIENT_CERTIFICATE or NIFI_CLIENT_KEY."
            ) from error

    def _session(self) -> requests.Session:
        from http.cookiejar import DefaultCookiePolicy

        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        if self._opened is None:
            session = requests.Session()
            # NiFi may end a connection that was kept open just when it is used again.
            once_more = Retry(total=1, connect=0, status=0, read=1, allowed_methods=["GET"])
            session.mount(self.url, HTTPAdapter(max_retries=once_more))
            # A proxy for the internet knows nothing of this machine's own NiFi.
            session.trust_env = not _is_loopback(self.url)
            session.cert = self._certificate
            # NiFi sets its token as a cookie, too, and whoever sends that must send a second token with each change.
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.auth = self._authorise
            self._opened = session
        return self._opened

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token and not request.path_url.endswith("/access/token"):
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _tls_sentence(self, reason: str) -> str:
        if "verify failed" in reason or "doesn't match" in reason:
            cause = reason.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0]
            return (
                f"The certificate of NiFi at {self.url} is not trusted ({_flat(cause)}): name its authority's PEM file"
                " in NIFI_CA_FILE, and in NIFI_URL a host name that the certificate holds."
            )
        if "alert" in reason.lower():
            return f"NiFi at {self.url} refuses this client's certificate ({_alert(reason)}): {self._hint()}"
        return f"There is no TLS connection to {self.url} ({_flat(reason)[-200:]}): is it https:// there?"

    def _hint(self) -> str:
        return (
            "set NIFI_USERNAME and NIFI_PASSWORD, or NIFI_CLIENT_CERTIFICATE and NIFI_CLIENT_KEY, to a user that NiFi"
            " knows."
        )

    def _who(self) -> str:
        return self._login[0] if self._login else "the client certificate's user" if self._certificate else "anybody"


def _base(url: str) -> str:
    """`scheme://host:port` and a prefix of a proxy if there is one.

    Raises:
        NiFiUnavailableError: If it is no such address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        said = f"is {url!r}" if url.strip() and "@" not in url else "names no address"
        raise NiFiUnavailableError(f"NIFI_URL {said}: give NiFi's, such as https://nifi.example.org:8443.")
    if parts.username is not None or parts.password is not None:
        raise NiFiUnavailableError("NIFI_URL holds a user name: give it in NIFI_USERNAME and NIFI_PASSWORD instead.")
    path = parts.path.rstrip("/")
    for suffix in ("/nifi-api", "/nifi"):
        path = path.removesuffix(suffix)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _flat(text: str) -> str:
    """A text on one line, without markup's bulk."""
    line = " ".join(text.split())
    return "an HTML page" if line[:15].lower().startswith(("<!doctype", "<html")) else line[:600] or "without a word"


def _alert(reason: str) -> str:
    """The alert's name in a message of OpenSSL, such as `certificate required`."""
    return _flat(reason.lower().partition("alert")[2].partition("(_ssl")[0].replace("_", " ").strip(" ]:")[:80])
