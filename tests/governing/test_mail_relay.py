"""Mail, against somebody else's server on loopback: encrypted, verified, and never a reason for anything to fail."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from recognizance.errors import InputError
from recognizance.governing.account_news import Delivery, DueMail, Happening
from recognizance.governing.certificates import client_context
from recognizance.governing.mail_relay import Letter, Line, RelaySettings, SmtpRelay, is_address, message_of
from recognizance.web.letters import letter_of

AT = datetime(2026, 6, 30, 12, 4, tzinfo=UTC)
SENDER = "service@faces.example"
USER, SECRET = "faces", "a relay's password"


@dataclass
class Post:
    """A mail server: what reached it, and how."""

    port: int = 0
    received: list[tuple[str, Message, bool]] = field(default_factory=list)
    answer: str = "250 taken"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's own name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return f"550 no box {address}"
        if address.startswith("later"):
            return "451 try again"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        if self.answer.startswith("250"):
            assert server.transport is not None
            is_encrypted = server.transport.get_extra_info("ssl_object") is not None
            self.received.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content), is_encrypted))
        return self.answer


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A key and a certificate that vouches for itself, for one host name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file, file = folder / f"{name}.key", folder / f"{name}.pem"
    form = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key_file, file


@contextmanager
def post(context: ssl.SSLContext | None, *, is_tls: bool = False, asks: bool = False) -> Iterator[Post]:
    """A server on a free port, in a thread of its own."""
    made, loop, ready = Post(), asyncio.new_event_loop(), threading.Event()

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=(data.login, data.password) == (USER.encode(), SECRET.encode()))

    def speaking() -> SMTP:
        return SMTP(
            made,
            hostname="localhost",
            tls_context=None if is_tls else context,
            require_starttls=context is not None and not is_tls,
            authenticator=authenticate,
            auth_required=asks,
            auth_require_tls=not is_tls,
            loop=loop,
        )

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(loop.create_server(speaking, "127.0.0.1", 0, ssl=context if is_tls else None))
        made.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


@pytest.fixture(scope="module")
def vouched(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    key, file = certificate(tmp_path_factory.mktemp("relay"), "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context, file


def letter(to: str = "ada@harbour.example", number: int = 1) -> Letter:
    return letter_of(
        DueMail(f"{number:032x}", to, Happening.PASSWORD_CHANGED, AT),
        service_name="Recognizance",
        public_url="https://faces.example",
    )


def relay(port: int, line: Line, **more: str) -> SmtpRelay:
    host = "127.0.0.1" if line is Line.PLAIN else "localhost"
    return SmtpRelay(RelaySettings(host, port, line, SENDER, **more))


@pytest.mark.parametrize("line", [Line.STARTTLS, Line.TLS])
def test_a_letter_arrives_over_an_encrypted_line(vouched: tuple[ssl.SSLContext, Path], line: Line) -> None:
    """With the relay's password, in both languages, with the moment and where to look, and nothing of the login."""
    context, authorities = vouched
    with post(context, is_tls=line is Line.TLS, asks=line is Line.STARTTLS) as server:
        given = {"user": USER, "password": SECRET} if line is Line.STARTTLS else {}
        outcomes = relay(server.port, line, authorities=str(authorities), **given).send([letter()])
    [(to, message, was_encrypted)] = server.received
    text = message.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert (outcomes, to, was_encrypted) == ([Delivery.SENT], "ada@harbour.example", True)
    assert message["Auto-Submitted"] == "auto-generated"
    assert "Your password was changed – 30 June 2026, 12:04 UTC" in text.decode()
    assert "Su contraseña se cambió" in text.decode()
    assert "https://faces.example/account/news" in text.decode()
    assert "ada" not in text.decode()


def test_a_relay_that_nobody_vouches_for_gets_nothing(vouched: tuple[ssl.SSLContext, Path], tmp_path: Path) -> None:
    """Neither with a certificate of its own nor with one of another name; it is tried again later."""
    context, _authorities = vouched
    _key, other = certificate(tmp_path, "elsewhere.example")
    with post(context) as server:
        unknown = relay(server.port, Line.STARTTLS).send([letter()])
        wrong = relay(server.port, Line.STARTTLS, authorities=str(other)).send([letter()])
    assert (unknown, wrong, server.received) == ([Delivery.LATER], [Delivery.LATER], [])


def revocations(folder: Path, signed_by: Path, *, revoked: Path | None, days: int = 1) -> str:
    """A list of what an authority has taken back: one certificate, or none; in date for some days."""
    key = serialization.load_pem_private_key(signed_by.with_suffix(".key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(signed_by.read_bytes()).subject
    until = datetime.now(UTC) + timedelta(days=days)
    made = x509.CertificateRevocationListBuilder(issuer, until - timedelta(days=9), until)
    if revoked is not None:
        number = x509.load_pem_x509_certificate(revoked.read_bytes()).serial_number
        since = until - timedelta(days=8)
        made = made.add_revoked_certificate(x509.RevokedCertificateBuilder(number, since).build())
    file = folder / f"{signed_by.stem}-{revoked is not None}-{days}.crl"
    file.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return str(file)


def test_a_relay_whose_certificate_was_revoked_gets_nothing(
    vouched: tuple[ssl.SSLContext, Path], tmp_path: Path
) -> None:
    """Nor one whose issuer's list is missing or out of date; a file that makes another authority trusted is no list."""
    context, own = vouched
    _key, other = certificate(tmp_path, "elsewhere.example")
    lists = {
        "in date": revocations(tmp_path, own, revoked=None),
        "revoked": revocations(tmp_path, own, revoked=own),
        "out of date": revocations(tmp_path, own, revoked=None, days=-1),
        "of another issuer": revocations(tmp_path, other, revoked=None),
        "no list": str(other),
        "nothing": str(tmp_path / "nothing"),
    }
    with post(context) as server:
        outcomes = {
            name: relay(server.port, Line.STARTTLS, authorities=str(own), revoked=file).send([letter()])[0]
            for name, file in lists.items()
        }
    assert outcomes == dict.fromkeys(lists, Delivery.LATER) | {"in date": Delivery.SENT}
    assert len(server.received) == 1
    assert client_context(revoked=lists["in date"]).verify_flags & ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF


def test_a_relay_that_does_not_encrypt_gets_nothing(vouched: tuple[ssl.SSLContext, Path]) -> None:
    """A line that somebody stripped of STARTTLS is not used in the clear."""
    with post(None) as server:
        outcomes = relay(server.port, Line.STARTTLS, authorities=str(vouched[1])).send([letter()])
    assert (outcomes, server.received) == ([Delivery.LATER], [])


def test_on_this_machine_a_line_may_be_plain() -> None:
    with post(None) as server:
        assert relay(server.port, Line.PLAIN).send([letter()]) == [Delivery.SENT]
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("host", "more"), [("mail.example.org", {}), ("192.0.2.1", {}), ("127.0.0.1", {"user": "a", "password": "b"})]
)
def test_elsewhere_a_plain_line_is_refused(host: str, more: dict[str, str]) -> None:
    with pytest.raises(InputError, match="encrypted line"):
        RelaySettings(host, 25, Line.PLAIN, SENDER, **more)


def test_one_letter_that_is_refused_holds_no_other_up(caplog: pytest.LogCaptureFixture) -> None:
    """For good, for now, to no address at all: each has its own outcome, in their order; the log names nobody."""
    letters = [letter(to, at) for at, to in enumerate(["nobody@a.example", "later@a.example", "ada", "ada@a.example"])]
    with post(None) as server:
        outcomes = relay(server.port, Line.PLAIN).send(letters)
    assert outcomes == [Delivery.NEVER, Delivery.LATER, Delivery.NEVER, Delivery.SENT]
    assert [to for to, _message, _line in server.received] == ["ada@a.example"]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("recognizance")]
    assert said == ["the mail relay refused a letter: 550", "the mail relay refused a letter: 451"]


def test_a_relay_that_takes_no_content_is_tried_again() -> None:
    with post(None) as server:
        server.answer = "451 full"
        assert relay(server.port, Line.PLAIN).send([letter()]) == [Delivery.LATER]


def test_a_relay_that_is_not_there_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert relay(port, Line.PLAIN).send([letter(), letter()]) == [Delivery.LATER] * 2


@pytest.mark.parametrize(
    "text", ["ada", "ada@", "@a.example", "a@b@c", "a b@c.example", "a@c.example\r\nBcc: x@y.example", "a@" + "a" * 300]
)
def test_what_is_no_address_is_never_written_to(text: str) -> None:
    assert not is_address(text)


def test_a_letter_cannot_bring_headers_of_its_own() -> None:
    """Whatever a subject were made of, it stays one header."""
    forged = Letter("1" * 32, "ada@a.example", "a\r\nBcc: x@y.example", "text", AT)
    with pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
        message_of(forged, sender=SENDER)


@pytest.mark.parametrize("what", Happening)
def test_every_piece_of_news_makes_a_letter(what: Happening) -> None:
    made = letter_of(DueMail("0" * 32, "ada@a.example", what, AT), service_name="Recognizance", public_url="")
    assert message_of(made, sender=SENDER)["Subject"].startswith("Recognizance: ")
    assert "http" not in made.text
