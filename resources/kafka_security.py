"""How clients prove themselves to Kafka, from settings as people write them; what contradicts itself is refused."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class KafkaSettingsError(dg.Failure):
    """What is set contradicts itself, or Kafka refuses it; trying again does not help."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, allow_retries=False)


@dataclass(frozen=True)
class Security:
    """The settings of `KAFKA_SECURITY_PROTOCOL`, `KAFKA_SSL_*` and `KAFKA_SASL_*`, empty where unset."""

    protocol: str = ""
    ssl_cafile: str = ""
    ssl_certfile: str = ""
    ssl_keyfile: str = ""
    ssl_password: str = field(default="", repr=False)
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: str = field(default="", repr=False)

    def client_options(self, bootstrap_servers: str) -> dict[str, Any]:
        """The options of kafka-python's clients.

        Args:
            bootstrap_servers: `KAFKA_BOOTSTRAP_SERVERS`; empty for the embedded broker, which knows no security.

        Raises:
            KafkaSettingsError: If the settings contradict each other, or a file cannot be used.
        """
        protocol = self.protocol.upper() or "PLAINTEXT"
        tls = self._set("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_password")
        sasl = self._set("sasl_mechanism", "sasl_username", "sasl_password")
        if not bootstrap_servers and (named := self._set("protocol") + tls + sasl):
            raise KafkaSettingsError(
                f"{named[0]} is set, but KAFKA_BOOTSTRAP_SERVERS is not: name the brokers, or unset {named[0]},"
                " which the embedded broker does not know."
            )
        if protocol == "SASL_PLAINTEXT":
            raise KafkaSettingsError(
                "KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT would send user and tweets readable over the network:"
                " use a listener that speaks SASL_SSL."
            )
        if protocol not in PROTOCOLS:
            raise KafkaSettingsError(
                f"KAFKA_SECURITY_PROTOCOL={self.protocol} is none of {', '.join(PROTOCOLS)}: name one of them."
            )
        if tls and protocol == "PLAINTEXT":
            raise KafkaSettingsError(
                f"{tls[0]} is set, but KAFKA_SECURITY_PROTOCOL is PLAINTEXT, which uses none: set SSL or SASL_SSL."
            )
        if sasl and protocol != "SASL_SSL":
            raise KafkaSettingsError(
                f"{sasl[0]} is set, but KAFKA_SECURITY_PROTOCOL is {protocol}, which asks for no user: set SASL_SSL."
            )
        options: dict[str, Any] = {"security_protocol": protocol}
        if protocol != "PLAINTEXT":
            options["ssl_context"] = self._ssl_context()
        if protocol == "SASL_SSL":
            options |= self._sasl_options()
        return options

    def _set(self, *names: str) -> list[str]:
        """The variables of those fields that are set."""
        return [
            "KAFKA_SECURITY_PROTOCOL" if name == "protocol" else f"KAFKA_{name.upper()}"
            for name in names
            if getattr(self, name)
        ]

    def _sasl_options(self) -> dict[str, str]:
        mechanism = self.sasl_mechanism.upper()
        if mechanism not in MECHANISMS:
            raise KafkaSettingsError(
                f"KAFKA_SASL_MECHANISM={self.sasl_mechanism} is none of {', '.join(MECHANISMS)}: name one of them."
            )
        if not (self.sasl_username and self.sasl_password):
            raise KafkaSettingsError(
                "KAFKA_SECURITY_PROTOCOL=SASL_SSL needs a user: set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD."
            )
        return {
            "sasl_mechanism": mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": self.sasl_password,
        }

    def _ssl_context(self) -> ssl.SSLContext:
        if not self.ssl_certfile and (named := self._set("ssl_keyfile", "ssl_password")):
            raise KafkaSettingsError(
                f"{named[0]} is set, but KAFKA_SSL_CERTFILE is not: name the certificate that the key belongs to."
            )
        context = ssl.create_default_context()
        if self.ssl_cafile:
            # Whom the file names and nobody else, not the authorities of the system beside them.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            try:
                context.load_verify_locations(self.ssl_cafile)
            except OSError as error:
                raise KafkaSettingsError(
                    f"KAFKA_SSL_CAFILE={self.ssl_cafile} cannot be read as PEM certificates: {_reason(error)}."
                ) from error
        if self.ssl_certfile:
            try:
                # A password, if empty, or OpenSSL asks the terminal for one.
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile or None, self.ssl_password)
            except OSError as error:
                raise KafkaSettingsError(
                    f"KAFKA_SSL_CERTFILE={self.ssl_certfile} cannot be used with KAFKA_SSL_KEYFILE={self.ssl_keyfile}:"
                    f" {_reason(error)}; name a certificate and its key, both PEM, and KAFKA_SSL_PASSWORD if the key"
                    " has one."
                ) from error
        return context


def _reason(error: OSError) -> str:
    reason = getattr(error, "reason", None) or error.strerror or str(error)
    return str(reason).replace("_", " ").lower()
