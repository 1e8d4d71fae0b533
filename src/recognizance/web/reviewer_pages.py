"""Reviews: two pictures side by side, an outcome with reasons for each pair, and nothing else to go by.

A reviewer sees the probe and the candidates in an order of their own. No page here knows a score, a name, a case, or
whether anybody else has looked: what is shown comes from `Reviewing.show` alone, which is the same whatever others did.
Taking a review on is what lets somebody see it; an answer covers all candidates at once and is final.

Implements docs/review.md, "What a reviewer sees".
"""

from collections.abc import Sequence

from starlette.responses import Response

from recognizance.errors import InputError, NotFoundError
from recognizance.governance.parties import Role
from recognizance.governance.review import Finding, Observation, Outcome, ReviewId
from recognizance.reviewing.reviews import Reviewing, Shown, ShownFace
from recognizance.web.forms import Form
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.operator_pictures import picture_response
from recognizance.web.reviewer_words import OBSERVATION_WORDS, OUTCOME_HINTS, OUTCOME_WORDS
from recognizance.web.visits import Visit

MOST_REMARKS_CHARACTERS = 2_000

NEEDS_FACE = N_("Say what about the faces this rests on: tick at least one of the first list.")
NEEDS_IMAGE = N_("Say what is wrong with the pictures: tick at least one of the second list.")
NEEDS_ANY = N_("Tick at least one reason.")
TWO_PEOPLE = N_("You called two candidates the same person as the photograph, and they are known to be two people.")

_ABOUT_FACE = [each for each in Observation if each.is_about_the_face]
_ABOUT_IMAGE = [each for each in Observation if not each.is_about_the_face]
_WITHOUT_PICTURE = (Outcome.INCONCLUSIVE, Outcome.IMAGE_UNSUITABLE)


class ReviewerPages:
    def __init__(self, reviewing: Reviewing) -> None:
        self._reviewing = reviewing

    def table(self) -> list[Page]:
        examiners = only(Role.EXAMINER)
        return [
            Page("/reviews", self.waiting, examiners, navigation=N_("Reviews")),
            Page("/reviews/shortcuts", self.shortcuts, examiners),
            Page("/reviews/{review}", self.review, examiners, has_form=True),
            Page("/reviews/{review}/claim", self.claim, examiners, has_form=True),
            Page("/reviews/{review}/release", self.release, examiners, has_form=True),
            Page("/reviews/{review}/probe", self.probe, examiners),
            Page("/reviews/{review}/candidates/{face}", self.candidate, examiners),
        ]

    def waiting(self, visit: Visit) -> Response:
        """What this person has taken on, and what they could take on."""
        asker = visit.asker()
        reviews = self._reviewing.waiting_for(asker)
        taken = [review for review in reviews if self._reviewing.has_taken_on(review, asker)]
        return visit.page(
            "reviewer/waiting.html", taken=taken, open=[review for review in reviews if review not in taken]
        )

    def shortcuts(self, visit: Visit) -> Response:
        return visit.page("reviewer/shortcuts.html")

    def review(self, visit: Visit) -> Response:
        review = self._open(visit)
        if not self._reviewing.has_taken_on(review, visit.asker()):
            return visit.page("reviewer/claim.html", review=review)
        shown = self._reviewing.show(review, visit.asker())
        if visit.is_post and self._answered(visit, shown):
            visit.say(visit.gettext("Your findings are on record. Thank you."))
            return visit.redirect("/reviews")
        return visit.page(
            "reviewer/review.html",
            status=422 if visit.form.errors else 200,
            review=review,
            faces=shown.faces,
            outcomes=[(each, OUTCOME_WORDS[each], OUTCOME_HINTS[each]) for each in Outcome],
            without_picture=_WITHOUT_PICTURE,
            about_face=[(each, OBSERVATION_WORDS[each]) for each in _ABOUT_FACE],
            about_image=[(each, OBSERVATION_WORDS[each]) for each in _ABOUT_IMAGE],
        )

    def claim(self, visit: Visit) -> Response:
        review = self._open(visit)
        if visit.is_post and not self._reviewing.has_taken_on(review, visit.asker()):
            self._reviewing.claim(review, visit.asker())
        return visit.redirect(f"/reviews/{review}")

    def release(self, visit: Visit) -> Response:
        review = self._open(visit)
        if visit.is_post:
            self._reviewing.release(review, visit.asker())
            visit.say(visit.gettext("You have given the review back. Somebody else can take it on."))
        return visit.redirect("/reviews")

    def probe(self, visit: Visit) -> Response:
        return picture_response(self._reviewing.show(self._open(visit), visit.asker()).probe_png)

    def candidate(self, visit: Visit) -> Response:
        shown = self._reviewing.show(self._open(visit), visit.asker())
        png = next((each.png for each in shown.faces if each.face == visit.path["face"]), None)
        if png is None:
            raise NotFoundError("there is no such picture")
        return picture_response(png)

    def _open(self, visit: Visit) -> ReviewId:
        """The review that the address names, if it waits for this person.

        Raises:
            NotFoundError: If it doesn't: whether it is over, full or another agency's looks the same.
        """
        review = ReviewId(visit.path["review"])
        if review not in self._reviewing.waiting_for(visit.asker()):
            raise NotFoundError(f"there is no review {review!r} that waits for you")
        return review

    def _answered(self, visit: Visit, shown: Shown) -> bool:
        """Give the findings of a form; False if something is wrong with them, which the form then says."""
        findings = _findings(visit.form, shown.faces)
        if not visit.form.is_sound:
            return False
        try:
            self._reviewing.answer(shown.view.review, visit.asker(), findings)
        except NotFoundError:
            raise
        except InputError as error:
            if type(error) is not InputError:
                raise
            visit.form.fail("", TWO_PEOPLE)
            return False
        return True


def _findings(form: Form, faces: Sequence[ShownFace]) -> list[Finding]:
    """What the form says of each candidate; what is missing or doesn't go together is said beside its field."""
    findings: list[Finding] = []
    for number, face in enumerate(faces, start=1):
        outcome = form.choice(f"outcome-{number}", Outcome)
        observations = form.choices(f"reasons-{number}", Observation)
        remarks = form.optional(f"remarks-{number}", most=MOST_REMARKS_CHARACTERS)
        if outcome is None:
            continue
        if face.png is None and outcome not in _WITHOUT_PICTURE:
            form.fail(f"outcome-{number}", N_("There is no picture to say this of."))
        elif why := _flaw(outcome, observations):
            form.fail(f"reasons-{number}", why)
        else:
            findings.append(Finding(face.face, outcome, observations, remarks))
    return findings


def _flaw(outcome: Outcome, observations: frozenset[Observation]) -> str:
    """What an outcome lacks to rest on; `Finding` refuses the same."""
    if outcome in {Outcome.SAME_PERSON, Outcome.DIFFERENT}:
        return "" if any(each.is_about_the_face for each in observations) else NEEDS_FACE
    if outcome is Outcome.IMAGE_UNSUITABLE:
        return "" if any(not each.is_about_the_face for each in observations) else NEEDS_IMAGE
    return "" if observations else NEEDS_ANY
