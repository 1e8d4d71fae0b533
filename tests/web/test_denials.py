"""What a refused reader is told: what is missing and who can grant it, in their own language."""

import pytest

from recognizance.errors import DeniedError
from recognizance.governance import Act
from recognizance.governance.parties import PersonId
from recognizance.governing.registration import at_the_machine
from recognizance.web.denials import policy_texts, reasons
from recognizance.web.language import Language, wording

from ..review_world import SEARCHER
from .test_security import client_of
from .world import Web

SPANISH = wording(Language.SPANISH)


def refusal(web: Web, person: PersonId, act: Act) -> DeniedError:
    """A real one, of the policy that is in force."""
    with pytest.raises(DeniedError) as refused:
        web.service.governing.gate.require(at_the_machine(person), act)
    return refused.value


def test_every_reason_of_our_policies_is_said_in_spanish() -> None:
    texts = set(policy_texts())
    assert len(texts) > 60
    assert not [text for text in texts if not SPANISH.knows(text)]


def test_a_reason_of_an_operators_own_policy_stays_as_it_was_written() -> None:
    """Nobody translates it by guessing; it is marked as English."""
    error = DeniedError("no", missing=("a full moon; ask the tide", "a use of this gallery (of 3); ask the tide"))
    first, second = reasons(error, SPANISH)
    assert (first.missing.text, first.missing.is_translated) == ("a full moon", False)
    assert (second.missing.text, second.missing.is_translated) == ("un uso de esta galería (of 3)", True)


def test_a_refused_reader_learns_what_is_missing_and_whom_to_ask(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Spanish, with the service's own sentence marked as English; in English once, and not twice."""
    error = refusal(web, SEARCHER, Act.REGISTER_AGENCY)

    def refuse(*_: object) -> bool:
        raise error

    monkeypatch.setattr(type(web.service.entrance.set_up), "is_due", property(refuse))
    client = client_of(web)
    spanish = client.get("/sign-in", headers={"accept-language": "es"})
    assert spanish.status_code == 403
    assert "Qué falta</dt><dd><span>la función administrador</span>" in spanish.text
    assert "Quién puede concederlo</dt><dd><span>un administrador, que asigna las funciones</span>" in spanish.text
    assert '<p lang="en">' in spanish.text
    assert error.decision_id in spanish.text
    english = client.get("/sign-in").text
    assert "the role administrator" in english
    assert "is refused" not in english
