"""kafka-python's network client, mended where 3.0.12 hides why brokers cannot be used; errors as sentences."""

from __future__ import annotations

from typing import Any

from kafka import errors
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

REFUSED = (
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
    errors.InvalidReceiveError,
    errors.AuthorizationError,
)
"""Answers to a first connection that waiting does not change."""

TLS_REFUSED = ("CERTIFICATE_VERIFY_FAILED", "_ALERT_")
"""In the names that OpenSSL gives to such answers."""

UNREACHED = "is it up, and is the address right?"


class Manager(KafkaConnectionManager):
    """Tells why no broker can be used: at once where waiting does not help, else after the time given for it.

    kafka-python 3.0.12 tries again whatever the reason was, and says only that the time is over.
    """

    def __init__(self, net: NetworkSelector, **configs: Any) -> None:
        self._why: Exception | None = None
        super().__init__(net, **configs)

    def bootstrap(self, timeout_ms: float | None = None, refresh: bool = True) -> None:
        """Connects to the first broker that can be had.

        Raises:
            errors.KafkaError: The reason why there is none; the client is closed then, thread and sockets.
        """
        try:
            super().bootstrap(timeout_ms, refresh)
        except Exception as error:
            self.close()
            self._net.close()
            raise self._why or error from error

    def get_connection(self, node_id: Any, **options: Any) -> Any:
        """A connection to a broker; those made to bootstrap remember why they were lost."""
        known = self._conns.get(node_id)
        connection = super().get_connection(node_id, **options)
        if connection is not known and self.cluster.is_bootstrap(node_id):
            lost = connection.connection_lost

            def connection_lost(error: Exception | None) -> None:
                if error is not None:
                    self._remember(node_id, error)
                lost(error)

            connection.connection_lost = connection_lost
        return connection

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        transport = await super()._build_transport(node, timeout_at)
        receive = transport._sock_recv

        def receive_all() -> tuple[bytes, Exception | None]:
            data, error = receive()
            # kafka-python 3.0.12 throws away what came just before the end, such as why a user is refused. The end
            # itself shows again at the next call.
            return (data, None) if data else (data, error)

        transport._sock_recv = receive_all
        return transport

    def _remember(self, node_id: Any, error: Exception) -> None:
        if is_refusal(error):
            # Raised at the next attempt. A wrong password is told after the loss of the connection that came with it.
            self._auth_failures[node_id] = self._why = error
        elif self._why is None or not isinstance(error, errors.RequestTimedOutError):
            self._why = error


def client(**configs: Any) -> KafkaNetClient:
    """The `kafka_client` of kafka-python's clients."""
    net = NetworkSelector(**configs)
    made = KafkaNetClient(net, Manager(net, **configs), **configs)
    # What kafka-python 3.0.12 should do for `allow_auto_create_topics=False`, which it takes and does not pass on.
    made.cluster.config["allow_auto_create_topics"] = False
    return made


def is_refusal(error: Exception) -> bool:
    """Whether trying again would not change the answer."""
    return isinstance(error, REFUSED) or any(name in str(error) for name in TLS_REFUSED)


def advice(error: Exception, protocol: str) -> str:
    """What to do about an error of kafka-python.

    Args:
        error: The error.
        protocol: The security protocol that the client speaks.
    """
    said = str(error)
    if isinstance(error, errors.SaslAuthenticationFailedError):
        return "it refuses the user: are KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM right?"
    if isinstance(error, errors.UnsupportedSaslMechanismError):
        return "set KAFKA_SASL_MECHANISM to one that it takes."
    if isinstance(error, errors.IllegalSaslStateError):
        return "its listener asks for no user: set KAFKA_SECURITY_PROTOCOL=SSL, or name the listener that does."
    if isinstance(error, errors.InvalidReceiveError):
        return f"its listener does not speak {protocol}: set KAFKA_SECURITY_PROTOCOL to what it speaks."
    if isinstance(error, errors.AuthorizationError):
        return "the user has no right to it: give it to them (ACL) in Kafka."
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return "its certificate is not trusted: name its authority in KAFKA_SSL_CAFILE, and it by a name it stands for."
    if "_ALERT_" in said:
        return "it refuses this client's certificate: name one that it trusts in KAFKA_SSL_CERTFILE and _KEYFILE."
    if "Handshake failed" in said or "socket disconnected" in said:
        return f"{UNREACHED[:-1]}, and does its listener speak {protocol} (KAFKA_SECURITY_PROTOCOL)?"
    return UNREACHED
