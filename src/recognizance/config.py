"""The settings of one installation: a TOML file in its data folder, then the environment, then the command line.

Reading stops at the first surprise: an unknown key, a wrong type or a value out of range is an `InputError` that names
the setting, because a misspelt limit that is silently ignored is worse than a service that does not start.
`docs/settings.md` is generated from the fields below, and a test holds the two together.
"""

import difflib
import os
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, tzinfo
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recognizance.errors import InputError

FILE_NAME = "recognizance.toml"
ENVIRONMENT_PREFIX = "RECOGNIZANCE_"
_TEST_PREFIX = "RECOGNIZANCE_TEST_"  # how long tests run, which is no business of a service that they start

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class Runtime(StrEnum):
    """What runs the networks."""

    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


class MailLine(StrEnum):
    """How the line to the mail relay is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "plain"


class LogFormat(StrEnum):
    """How a line of the log is written."""

    PLAIN = "plain"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, with its default. Each field's `help` is its documentation."""

    host: str = field(
        default="127.0.0.1",
        metadata={"help": "Address to listen on. Anything but loopback belongs behind a proxy that speaks TLS."},
    )
    port: int = field(
        default=8080, metadata={"help": "Port to listen on; 0 takes a free one.", "low": 0, "high": 65_535}
    )
    public_url: str = field(
        default="",
        metadata={
            "help": (
                "The address at which people reach the pages, such as `https://faces.example.org`. With it, the pages"
                " answer at no other host name, cookies are for TLS alone if it begins with `https`, and sign-in at an"
                " OpenID provider and passkeys rely on it instead of on what each request says. Empty takes any host."
            )
        },
    )
    region: str = field(
        default="us-east-1", metadata={"help": "The AWS region that clients sign for, and that ARNs carry."}
    )
    account: str = field(
        default="000000000000", metadata={"help": "The twelve-digit AWS account number that ARNs carry."}
    )
    recogniser: str = field(
        default="sface-2021dec",
        metadata={"help": "The recogniser of new galleries, by its name in `recognizance models list`."},
    )
    runtime: Runtime = field(
        default=Runtime.OPENVINO,
        metadata={"help": "What runs the networks: `openvino`, or `onnxruntime` (the extra of that name)."},
    )
    inference_threads: int = field(
        default=0,
        metadata={
            "help": "Inferences that run at once, each on one thread; 0 takes one per core.",
            "low": 0,
            "high": 256,
        },
    )
    widest_view_px: int = field(
        default=1000,
        metadata={
            "help": (
                "How closely a large photograph is looked at, in pixels of its longer side: faces of 2.2 % of it and"
                " more are found. Looking closer finds smaller faces, at a cost that grows with the square."
            ),
            "low": 640,
            "high": 4096,
        },
    )
    search_threads: int = field(
        default=0,
        metadata={"help": "Processor threads for one search; 0 takes one per core.", "low": 0, "high": 256},
    )
    workers: int = field(
        default=0,
        metadata={"help": "Requests worked on at once; 0 takes two per core, others wait.", "low": 0, "high": 256},
    )
    max_fpir: float = field(
        default=0.01,
        metadata={
            "help": (
                "Bound on the expected false positive identification rate: of searches for somebody who is not in the"
                " gallery, how many may return anybody. The threshold of a search rises with the gallery to hold it."
                " 1.0 switches this off, and leaves the threshold that the caller asked for."
            ),
            "low": 1e-6,
            "high": 1.0,
        },
    )
    keep_images: bool = field(
        default=False,
        metadata={"help": "Keep enrolled photographs, encrypted, beside their templates. Off: they're never stored."},
    )
    master_key_file: str = field(
        default="",
        metadata={"help": "File of the master key (mode 0600); empty for `master.key` in the data folder."},
    )
    ledger_origin: str = field(
        default="",
        metadata={
            "help": (
                "The ledger's name, such as `example.org/faces`: what its checkpoints are signed as, for good. Empty"
                " draws one at the first start."
            )
        },
    )
    ledger_public_folder: str = field(
        default="",
        metadata={
            "help": (
                "Where the ledger's public files are written, for another web server to serve; empty for"
                " `ledger/public` in the data folder, which only its owner can look into."
            )
        },
    )
    ledger_witnesses: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": (
                "Witnesses that are asked to cosign the ledger's checkpoints: each an address, a space, and its public"
                " key as `recognizance ledger witness` prints it."
            )
        },
    )
    openid_issuer: str = field(
        default="",
        metadata={
            "help": (
                "OpenID provider at which people may sign in to the pages, by its address; empty for none. It has to"
                " know the address of the pages with `/sign-in/openid/back` behind it."
            )
        },
    )
    openid_client_id: str = field(default="", metadata={"help": "What the OpenID provider calls this installation."})
    openid_client_secret: str = field(
        default="",
        repr=False,
        metadata={"help": "Its secret there, if it has one. Better given by the environment than by the file."},
    )
    mail_host: str = field(
        default="",
        metadata={
            "help": (
                "Mail relay through which people hear what happened to their account, and overseers of unusual use;"
                " empty sends no mail. Whoever's login is no address hears it on their pages alone."
            )
        },
    )
    mail_port: int = field(default=587, metadata={"help": "Its port.", "low": 1, "high": 65_535})
    mail_line: MailLine = field(
        default=MailLine.STARTTLS,
        metadata={"help": "The line to it: `starttls`, `tls` (port 465), or `plain`, which only this machine may be."},
    )
    mail_from: str = field(default="", metadata={"help": "The address that mails come from."})
    mail_user: str = field(default="", metadata={"help": "Login at the relay, if it asks for one."})
    mail_password: str = field(
        default="", repr=False, metadata={"help": "Its password. Better given by the environment than by the file."}
    )
    mail_authorities_file: str = field(
        default="",
        metadata={"help": "Certificates that vouch for the relay; empty for those that the system trusts."},
    )
    revocation_lists_file: str = field(
        default="",
        metadata={
            "help": (
                "File of certificate revocation lists (PEM), read anew for each line: OpenID provider and mail relay"
                " are believed only if a list of their certificate's issuer is there, in date, and doesn't name it."
                " Empty looks at none."
            )
        },
    )
    time_zone: str = field(
        default="UTC",
        metadata={
            "help": (
                "Where the night of unusual use is, such as `Europe/Madrid`. Pages and the ledger say moments in UTC"
                " all the same."
            )
        },
    )
    log_format: LogFormat = field(
        default=LogFormat.PLAIN,
        metadata={"help": "Lines of the log: `plain`, or `json`, one object a line for programs that collect logs."},
    )
    log_syslog: str = field(
        default="",
        metadata={
            "help": (
                "Where the log goes besides standard error: `/dev/log`, or `udp://HOST:PORT` or `tcp://HOST:PORT` of"
                " another machine. The line isn't encrypted; no secret is in it, but who asked for which page is."
            )
        },
    )
    s3_endpoint_url: str = field(
        default="",
        metadata={"help": "S3-compatible endpoint that `S3Object` is read from; empty for AWS's own, if S3 is on."},
    )
    s3_region: str = field(default="us-east-1", metadata={"help": "Region that requests to S3 are signed for."})
    s3_access_key_id: str = field(
        default="",
        metadata={"help": "Key to read S3 with. Empty: `S3Object` is refused, unless `s3_ambient_credentials` is on."},
    )
    s3_secret_access_key: str = field(
        default="", repr=False, metadata={"help": "Its secret. Better given by the environment than by the file."}
    )
    s3_ambient_credentials: bool = field(
        default=False,
        metadata={"help": "Read S3 with whatever credentials boto3 finds on this machine (profile, role)."},
    )
    s3_buckets: tuple[str, ...] = field(
        default=(), metadata={"help": "The only buckets that may be read; empty allows all that the key can read."}
    )
    s3_timeout_s: float = field(
        default=10.0, metadata={"help": "Longest wait for S3 to connect or to send.", "low": 0.1, "high": 300.0}
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            low, high = each.metadata.get("low"), each.metadata.get("high")
            # Written so that NaN fails too.
            if low is not None and not low <= value <= high:
                raise InputError(f"setting {each.name} is {value}; it has to lie from {low} to {high}")
        if not (len(self.account) == 12 and self.account.isascii() and self.account.isdigit()):
            raise InputError(f"setting account is {self.account!r}; it has to be twelve digits")
        if self.public_url and not _is_origin(self.public_url):
            raise InputError(f"setting public_url is {self.public_url!r}; it has to be like https://faces.example.org")
        if self.mail_host and not self.mail_from:
            raise InputError("setting mail_from is empty; with mail_host it has to be the address that mails come from")
        zone_of(self.time_zone)
        if self.log_syslog:
            syslog_target(self.log_syslog)


def zone_of(name: str) -> tzinfo:
    """The time zone of the setting `time_zone`.

    Raises:
        InputError: If this machine knows none of this name.
    """
    if name == "UTC":
        # Known without the system's tables, which a small container lacks.
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"setting time_zone is {name!r}, which this machine has no table for; it has to be like Europe/Madrid"
        ) from error


@dataclass(frozen=True, slots=True)
class SyslogTarget:
    """Where a log goes. `path` is of a socket on this machine, and empty for another one."""

    path: str
    host: str
    port: int
    is_stream: bool


def syslog_target(text: str) -> SyslogTarget:
    """Read the setting `log_syslog`.

    Raises:
        InputError: If it is neither a path nor like `tcp://logs.example.org:601`.
    """
    if text.startswith("/"):
        return SyslogTarget(text, "", 0, is_stream=False)
    wrong = InputError(f"setting log_syslog is {text!r}; it has to be like /dev/log or tcp://logs.example.org:601")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in {"udp", "tcp"} or not host or not port or parts.path or parts.query or parts.username:
        raise wrong
    return SyslogTarget("", host, port, is_stream=parts.scheme == "tcp")


def _is_origin(url: str) -> bool:
    """Whether this is a scheme and a host, perhaps with a port, as browsers spell an origin."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    spelled = f"[{host}]" if ":" in host else host
    return (
        parts.scheme in {"http", "https"}
        and bool(host)
        and port not in {0, 80 if parts.scheme == "http" else 443}
        and url == f"{parts.scheme}://{spelled}" + ("" if port is None else f":{port}")
    )


def read_settings(
    data: Path, *, environment: Mapping[str, str] | None = None, given: Mapping[str, object] | None = None
) -> Settings:
    """Put the settings of the installation in `data` together.

    Args:
        data: The data folder; its `recognizance.toml` need not exist.
        environment: `RECOGNIZANCE_PORT` and so on; the process's own when `None`. Lists are comma-separated.
        given: What the command line says; `None` values count as not given. It wins over both.

    Raises:
        InputError: Names the setting and where it was set.
    """
    values: dict[str, object] = {}
    file = data / FILE_NAME
    if file.exists():
        try:
            written = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{file}: {error}") from error
        for name, value in written.items():
            values[name] = _checked(name, value, where=str(file))
    for variable, text in (os.environ if environment is None else environment).items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable.startswith(_TEST_PREFIX):
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        # `RECOGNIZANCE_DATA` names the folder itself, so it's the command line's.
        if name != "data":
            values[name] = _checked(name, _parsed(name, text, where=variable), where=variable)
    for name, value in (given or {}).items():
        if value is not None:
            values[name] = _checked(name, value, where="the command line")
    return Settings(**values)  # type: ignore[arg-type]  # each value was checked against its field's type above


_TYPES: Mapping[str, object] = typing.get_type_hints(Settings)


_SPELLED: Mapping[object, str] = {int: "whole number", float: "number", bool: "true or false", tuple[str, ...]: "list"}


def _parsed(name: str, text: str, *, where: str) -> object:
    """Read what an environment variable can only say as text into the type of its field."""
    kind = _TYPES.get(name)
    try:
        if kind is bool:
            lowered = text.strip().lower()
            if lowered not in _TRUE | _FALSE:
                raise ValueError(text)
            return lowered in _TRUE
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
    except ValueError as error:
        raise InputError(f"{where}: {text!r} is no value for the setting {name}, a {_SPELLED[kind]}") from error
    if kind == tuple[str, ...]:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _checked(name: str, value: object, *, where: str) -> object:
    """Prove that `value` has the type of the setting `name`."""
    kind = _TYPES.get(name)
    if kind is None:
        close = difflib.get_close_matches(name, _TYPES, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ";"
        raise InputError(f"{where}: there is no setting {name!r}{meant} docs/settings.md lists them all")
    wrong = InputError(f"{where}: setting {name} can't be {value!r}")
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        try:
            return kind(str(value))
        except ValueError as error:
            choices = ", ".join(kind)
            raise InputError(f"{where}: setting {name} is {value!r}; choose from {choices}") from error
    if kind == tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
            raise wrong
        return tuple(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # bool is an int to Python; it's none to somebody who writes `port = true`.
    if not isinstance(value, typing.cast("type", kind)) or (isinstance(value, bool) and kind is not bool):
        raise wrong
    return value


def settings_reference() -> str:
    """Write the table of `docs/settings.md`: one row per setting, in the order of the fields."""
    rows = ["| setting | type | default | what it does |", "|---|---|---|---|"]
    for each in fields(Settings):
        kind = _TYPES[each.name]
        spelled = _SPELLED.get(kind, "text")
        default = '""' if each.default == "" else ("[]" if each.default == () else str(each.default))
        text = each.metadata["help"]
        if "low" in each.metadata:
            text += f" From {each.metadata['low']:g} to {each.metadata['high']:g}."
        rows.append(f"| `{each.name}` | {spelled} | `{default}` | {text} |")
    return "\n".join(rows) + "\n"
