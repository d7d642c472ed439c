"""A real broker that asks for a password or a certificate, and what it refuses."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_streams import SENSORS
from mosquitto import NEEDS_BROKER, Broker, until

from maestro_ts.deploy import mqtt
from maestro_ts.deploy.broker_access import PASSWORD_VARIABLE, Login, Tls
from maestro_ts.deploy.mqtt import Mqtt
from maestro_ts.errors import ConfigError, DataError, MaestroError

NEEDS_PASSWORDS = pytest.mark.skipif(
    shutil.which("mosquitto_passwd") is None, reason="not run: no mosquitto_passwd"
)
NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="not run: no openssl")
ADA = Login("ada", "lovelace")


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, what it signed for the broker and for a client, and a stranger's."""
    folder = tmp_path_factory.mktemp("papers")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    for who in ("ca", "stranger"):
        made = ("-subj", f"/CN={who}", "-keyout", f"{who}.key", "-out", f"{who}.pem")
        openssl(folder, "req", "-x509", *new, *made)
    for who, made_out_to in (("broker", "IP:127.0.0.1"), ("client", "DNS:sensors")):
        asked = ("-subj", f"/CN={who}", "-keyout", f"{who}.key", "-out", f"{who}.csr")
        openssl(folder, "req", *new[:-2], *asked)
        (folder / "names").write_text(f"subjectAltName={made_out_to}\n")
        by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
        signed = ("-in", f"{who}.csr", "-out", f"{who}.pem", "-days", "2")
        openssl(folder, "x509", "-req", *by, *signed)
    return folder


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, papers: Path) -> Iterator[Broker]:
    """A broker that wants TLS, a certificate and a password."""
    folder = tmp_path_factory.mktemp("private")
    made = ["mosquitto_passwd", "-c", "-b", "users", ADA.user, ADA.password]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    found = Broker(
        folder,
        f"allow_anonymous false\npassword_file {folder}/users\n"
        f"cafile {papers}/ca.pem\ncertfile {papers}/broker.pem\nkeyfile {papers}/broker.key\n"
        "require_certificate true\n",
    )
    yield found
    found.kill()


def own(papers: Path, ca: str = "ca") -> Tls:
    return Tls(papers / f"{ca}.pem", papers / "client.pem", papers / "client.key")


@NEEDS_BROKER
@NEEDS_PASSWORDS
@NEEDS_OPENSSL
def test_a_login_over_tls_with_a_certificate_is_let_in(private: Broker, papers: Path) -> None:
    source = Mqtt(SENSORS, "127.0.0.1", private.port, login=ADA, tls=own(papers))
    until(lambda: source.connected)
    source.close()


@NEEDS_BROKER
@NEEDS_PASSWORDS
@NEEDS_OPENSSL
@pytest.mark.parametrize(
    ("login", "ca", "why"),
    [
        (Login("ada", "byron"), "ca", "refuses the connection: (Not authorized|Bad user name)"),
        (None, "ca", "refuses the connection: Not authorized"),
        (ADA, "stranger", "no trusted connection: .*CERTIFICATE_VERIFY_FAILED"),
        (ADA, None, "closed before an MQTT broker answered.*--tls"),
    ],
    ids=["wrong password", "no login", "untrusted broker", "no TLS"],
)
def test_what_the_broker_or_its_certificate_refuses_is_one_error_at_the_start(
    private: Broker, papers: Path, login: Login | None, ca: str | None, why: str
) -> None:
    tls = None if ca is None else own(papers, ca)
    before = threading.active_count()
    began = time.monotonic()
    with pytest.raises(DataError, match=why) as refused:
        Mqtt(SENSORS, "127.0.0.1", private.port, login=login, tls=tls)
    assert time.monotonic() - began < mqtt.ANSWER_S
    assert f"127.0.0.1:{private.port}" in str(refused.value)
    assert login is None or login.password not in str(refused.value)
    assert threading.active_count() == before  # nothing goes on trying


@NEEDS_BROKER
@NEEDS_PASSWORDS
@NEEDS_OPENSSL
def test_a_broker_that_asks_for_a_certificate_refuses_who_has_none(
    private: Broker, papers: Path
) -> None:
    with pytest.raises(DataError, match=r"closed before an MQTT broker answered.*--certificate"):
        Mqtt(SENSORS, "127.0.0.1", private.port, login=ADA, tls=Tls(papers / "ca.pem"))


def test_what_says_nothing_is_no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("paho.mqtt.client")
    monkeypatch.setattr(mqtt, "ANSWER_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(DataError, match=r"nothing answers as an MQTT broker within 0\.2 s"),
    ):
        Mqtt(SENSORS, "127.0.0.1", mute.getsockname()[1])


def test_a_password_is_in_the_environment_or_in_a_file_and_never_printed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the file\r\nmore\n")
    known = {PASSWORD_VARIABLE: "of the variable"}
    assert Login.find("ada", None, known).password == "of the variable"
    found = Login.find("ada", tmp_path / "secret", known)
    assert found.password == "of the file"
    assert "of the file" not in repr(found)
    with pytest.raises(ConfigError, match=f"{PASSWORD_VARIABLE}: holds no password of.*'ada'"):
        Login.find("ada", None, {})
    with pytest.raises(ConfigError, match="nothing: no password file"):
        Login.find("ada", tmp_path / "nothing", known)


@NEEDS_OPENSSL
def test_a_file_that_is_no_certificate_or_a_locked_key_is_named(
    papers: Path, tmp_path: Path
) -> None:
    words = tmp_path / "words.pem"
    words.write_text("no certificate")
    locked = tmp_path / "locked.key"
    made = ("-in", "client.key", "-aes128", "-passout", "pass:word", "-out", str(locked))
    openssl(papers, "ec", *made)
    for tls, where in (
        (Tls(tmp_path / "nothing.pem"), "nothing.pem"),
        (Tls(words), "words.pem: no certificates"),
        (Tls(papers / "ca.pem", words), "words.pem: no certificate with its key"),
        (Tls(papers / "ca.pem", papers / "client.pem", papers / "ca.key"), "client.pem: no cert"),
        (Tls(papers / "ca.pem", papers / "client.pem", locked), "client.pem: no certificate with"),
        (Tls(key=papers / "client.key"), "client.key: a key without its certificate"),
    ):
        with pytest.raises(MaestroError, match=where):
            tls.context()
