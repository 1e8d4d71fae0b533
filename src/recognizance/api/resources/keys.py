"""Access keys: who has which, drawing one, switching one off and on, deleting one."""

from dataclasses import dataclass
from datetime import datetime

from recognizance.api.forms import Moment, Name, form
from recognizance.api.routes import Call, Method, Nothing, Repeat, Route
from recognizance.api.services import PageQuery, Services
from recognizance.governance import Act
from recognizance.governance.parties import UseId
from recognizance.identifiers import AccessKeyId, PrincipalId


@form
class KeyForm:
    """A key to draw.

    Attributes:
        owner: A person's pseudonym or a program's id.
        use: The only use that it works for; null doesn't bind it.
        expires: Null for a key that is good until it is switched off.
    """

    owner: Name
    use: Name | None = None
    expires: Moment | None = None


@dataclass(frozen=True, slots=True)
class IssuedKeyView:
    """A key pair, at the only moment when its secret is told."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key without its secret."""

    access_key_id: str
    owner: str
    created: datetime
    active: bool


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Keys by id."""

    keys: tuple[KeyView, ...]
    next_page: str | None


@form
class KeyStandingForm:
    """Whether a key works, from the next request on."""

    active: bool


def list_keys(services: Services, call: Call[Nothing, PageQuery]) -> KeyPage:
    services.require(call.actor, Act.ISSUE_KEY)
    page, token = services.page("list_keys", services.keys.list(), lambda each: each.id, call.query)
    return KeyPage(tuple(KeyView(each.id, each.principal, each.created, each.active) for each in page), token)


def issue_key(services: Services, call: Call[KeyForm, Nothing]) -> IssuedKeyView:
    form = call.body
    issued = services.governing.registration.issue_key(
        PrincipalId(form.owner),
        use=None if form.use is None else UseId(form.use),
        expires=form.expires,
        by=call.actor,
    )
    return IssuedKeyView(issued.id, issued.secret)


def set_key_standing(services: Services, call: Call[KeyStandingForm, Nothing]) -> Nothing:
    services.require(call.actor, Act.ISSUE_KEY)
    services.keys.switch(AccessKeyId(call.path["key"]), active=call.body.active)
    return Nothing()


def delete_key(services: Services, call: Call[Nothing, Nothing]) -> Nothing:
    services.require(call.actor, Act.ISSUE_KEY)
    services.keys.delete(AccessKeyId(call.path["key"]))
    return Nothing()


ROUTES = (
    Route(
        "list_keys",
        Method.GET,
        "/keys",
        "List access keys without their secrets.",
        list_keys,
        KeyPage,
        act=Act.ISSUE_KEY,
        query=PageQuery,
    ),
    Route(
        "issue_key",
        Method.POST,
        "/keys",
        "Draw an access key for a person or a program.",
        issue_key,
        IssuedKeyView,
        act=Act.ISSUE_KEY,
        body=KeyForm,
        status=201,
        repeat=Repeat.KEYED,
    ),
    Route(
        "set_key_standing",
        Method.PUT,
        "/keys/{key}/standing",
        "Switch a key off or on.",
        set_key_standing,
        Nothing,
        act=Act.ISSUE_KEY,
        body=KeyStandingForm,
    ),
    Route(
        "delete_key",
        Method.DELETE,
        "/keys/{key}",
        "Delete a key and its secret.",
        delete_key,
        Nothing,
        act=Act.ISSUE_KEY,
    ),
)
