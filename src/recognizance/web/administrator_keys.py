"""Pages about how people and programs get in: access keys and accounts.

A key's secret and the link of an invitation are shown once, on the answer to the form that made them, which no cache
keeps; afterwards nobody can look them up here. Implements docs/administration.md.
"""

from datetime import UTC, datetime, time

from starlette.responses import Response

from recognizance.documents import Kind, found
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.galleries import Clock
from recognizance.governance import Act
from recognizance.governance.parties import AccessKey, PersonId, Role, UseId
from recognizance.governing.access import AccessKeys
from recognizance.governing.accounts import Accounts, Invitation
from recognizance.governing.installation import Governing
from recognizance.identifiers import AccessKeyId, PrincipalId
from recognizance.records import Records
from recognizance.web.administrator_words import ACCOUNT_STATES
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.visits import Visit

_ADMINISTRATORS = only(Role.ADMINISTRATOR)


class AdministratorKeysPages:
    """Args: clock: Only for what pages show and for the days that they read."""

    def __init__(
        self, records: Records, governing: Governing, keys: AccessKeys, accounts: Accounts, *, clock: Clock
    ) -> None:
        self._records = records
        self._registration = governing.registration
        self._uses = governing.uses
        self._gate = governing.gate
        self._keys = keys
        self._accounts = accounts
        self._clock = clock

    def table(self) -> list[Page]:
        return [
            Page("/administration/keys", self.keys, _ADMINISTRATORS, has_form=True),
            Page("/administration/keys/{key}", self.key, _ADMINISTRATORS, has_form=True),
            Page("/administration/accounts", self.accounts, _ADMINISTRATORS, has_form=True),
            Page("/administration/accounts/{person}", self.account, _ADMINISTRATORS, has_form=True),
        ]

    def keys(self, visit: Visit) -> Response:
        """All keys; the form draws one, and its answer is the only place that ever shows the secret."""
        self._gate.require(visit.actor(), Act.ISSUE_KEY)
        owners, uses = self._names(), [each.use.id for each in self._uses.list()]
        form = visit.form
        if visit.is_post:
            owner, use = form.one_of("owner", owners), form.one_of("use", ["", *uses])
            expires = form.day("expires") if form.raw("expires").strip() else None
            if expires is not None and expires <= self._clock().date():
                form.fail("expires", N_("This day isn't after today."))
            if form.is_sound:
                issued = self._registration.issue_key(
                    PrincipalId(owner),
                    use=UseId(use) if use else None,
                    expires=None if expires is None else datetime.combine(expires, time(), UTC),
                    by=visit.actor(),
                )
                response = visit.page("administrator/key_drawn.html", issued=issued, name=owners[owner])
                response.headers["Cache-Control"] = "no-store"
                return response
        known = sorted(self._keys.list(), key=lambda key: (owners.get(key.principal, "").casefold(), key.created))
        return visit.page(
            "administrator/keys.html",
            status=_status(visit),
            keys=[(key, self._terms(key.id)) for key in known],
            owners=owners,
            use_choices=[(each, each) for each in uses],
            now=self._clock(),
        )

    def key(self, visit: Visit) -> Response:
        """One key, never with its secret; the forms switch it off or on, or, confirmed, revoke it for good."""
        self._gate.require(visit.actor(), Act.ISSUE_KEY)
        key = next((each for each in self._keys.list() if each.id == visit.path["key"]), None)
        if key is None:
            raise NotFoundError("there is no such access key")
        what = visit.form.raw("what")
        if visit.is_post and what in {"off", "on", "revoke"}:
            if what == "revoke" and not visit.form.ticked("confirmed"):
                visit.form.fail("confirmed", N_("Tick the box to say that this is what you want."))
            if visit.form.is_sound:
                if what == "revoke":
                    self._keys.delete(key.id)
                    visit.say(visit.gettext("The key is revoked, and its secret destroyed."))
                    return visit.redirect("/administration/keys")
                self._keys.switch(key.id, active=what == "on")
                visit.say(visit.gettext("Done, from the next request on."))
                return visit.redirect(f"/administration/keys/{key.id}")
        return visit.page(
            "administrator/key.html",
            status=_status(visit),
            key=key,
            terms=self._terms(key.id),
            whose=self._names().get(key.principal, key.principal),
            now=self._clock(),
        )

    def accounts(self, visit: Visit) -> Response:
        self._gate.require(visit.actor(), Act.ISSUE_KEY)
        people = {record.person.id: record.name for record, _ in self._registration.people()}
        accounts = self._accounts.list()
        having = {each.person for each, _ in accounts}
        without = {person: name for person, name in people.items() if person not in having}
        if visit.is_post:
            person, login = visit.form.one_of("person", without), visit.form.text("login", most=200)
            if visit.form.is_sound:
                try:
                    invitation = self._accounts.invite(PersonId(PrincipalId(person)), login, by=visit.actor())
                except ConflictError:
                    visit.form.fail("login", N_("Somebody else signs in with this login."))
                except InputError:
                    visit.form.fail("login", N_("A login has no spaces: an e-mail address, or a short name."))
                else:
                    return self._link(visit, invitation)
        return visit.page(
            "administrator/accounts.html",
            status=_status(visit),
            accounts=sorted(accounts, key=lambda each: (people.get(each[0].person) or each[0].login).casefold()),
            people=people,
            without=sorted(without.items(), key=lambda each: each[1].casefold()),
            states=ACCOUNT_STATES,
        )

    def account(self, visit: Visit) -> Response:
        """One account; the forms disable it, enable it, or reset it with a fresh link."""
        self._gate.require(visit.actor(), Act.ISSUE_KEY)
        person = PersonId(PrincipalId(visit.path["person"]))
        known = self._accounts.of(person)
        if known is None:
            raise NotFoundError("there is no such account")
        if visit.is_post:
            what = visit.form.one_of("what", ["disable", "enable", "reset"])
            if what == "reset":
                return self._link(visit, self._accounts.reset(person, by=visit.actor()))
            if what == "disable":
                self._accounts.disable(person, by=visit.actor())
                visit.say(visit.gettext("The account is disabled, and signed out everywhere."))
            elif what == "enable":
                self._accounts.enable(person, by=visit.actor())
                visit.say(visit.gettext("The account is in use again."))
            return visit.redirect(f"/administration/accounts/{person}")
        account, state = known
        names = {record.person.id: record.name for record, _ in self._registration.people()}
        return visit.page(
            "administrator/account.html",
            account=account,
            state=state,
            name=names.get(person) or account.login,
            states=ACCOUNT_STATES,
        )

    @staticmethod
    def _link(visit: Visit, invitation: Invitation) -> Response:
        base = visit.origin
        response = visit.page(
            "administrator/invited.html", invitation=invitation, link=f"{base}/invitation/{invitation.token}"
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    def _names(self) -> dict[str, str]:
        """Whoever may have a key, by id."""
        people = {str(record.person.id): record.name for record, _ in self._registration.people()}
        return people | {str(program.id): program.name for program, _ in self._registration.programs()}

    def _terms(self, key: AccessKeyId) -> AccessKey | None:
        """Until when a key is good and for which use; `None` for one that was drawn for nobody in particular."""
        with self._records.reading() as reader:
            known = found(reader, Kind.KEY, key, AccessKey)
        return None if known is None else known.value


def _status(visit: Visit) -> int:
    return 422 if visit.form.errors else 200
