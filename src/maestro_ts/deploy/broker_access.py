"""Who asks a broker and over what: `Login`, a name and a password; `Tls`, a private connection."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maestro_ts.errors import ConfigError

__all__ = ["PASSWORD_VARIABLE", "Login", "Tls"]

PASSWORD_VARIABLE = "MAESTRO_TS_MQTT_PASSWORD"  # an argument would be in every list of processes


@dataclass(frozen=True)
class Login:
    """A user of the broker; the password is in no message and no printed form."""

    user: str
    password: str = field(repr=False)

    @classmethod
    def find(
        cls, user: str, password_file: Path | None, environment: Mapping[str, str] = os.environ
    ) -> Login:
        """The password from the first line of a file, else from the environment.

        Raises
        ------
        ConfigError
            Neither has one.
        """
        if password_file is None:
            password = environment.get(PASSWORD_VARIABLE, "")
            where = PASSWORD_VARIABLE
        else:
            where = str(password_file)
            try:
                password = password_file.read_text().partition("\n")[0].rstrip("\r")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"no password file: {error}.", where=where) from error
        if not password:
            raise ConfigError(
                f"holds no password of the user {user!r}.",
                where=where,
                fix=f"Set the variable {PASSWORD_VARIABLE}, or give --password-file FILE.",
            )
        return cls(user, password)


@dataclass(frozen=True)
class Tls:
    """A connection that nobody else reads, to a broker whose certificate is checked.

    Attributes
    ----------
    ca : Path or None
        Certificates (PEM) of who may vouch for the broker; None takes those of the system.
    certificate, key : Path or None
        This program's own, for a broker that asks for one; a file may hold both.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """The files, read.

        Raises
        ------
        ConfigError
            One is not there or is none of that kind, or a key without its certificate.
        """
        if self.key is not None and self.certificate is None:
            raise ConfigError(
                "a key without its certificate.", where=str(self.key), fix="Give --certificate."
            )
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            raise ConfigError(
                f"no certificates: {error}.",
                where=str(self.ca),
                fix="Give a PEM file of the authority that signed the broker's certificate: --ca",
            ) from error
        if self.certificate is not None:
            try:
                # Without a password a locked key would be asked for on the terminal.
                context.load_cert_chain(self.certificate, self.key, password="")
            except OSError as error:
                raise ConfigError(
                    f"no certificate with its key: {error}.",
                    where=str(self.certificate),
                    fix="Give PEM files, the key without a pass phrase: --certificate and --key",
                ) from error
        return context
