"""What a search gave, and the history of one's own searches, each with its receipt.

"No candidate" is an answer like any other. Candidates of a use with review are a number and nothing more until two
people have decided. Elsewhere each is shown as a suggestion, with how rarely two different people look so alike, and
beside all of them how often a search like this brings up somebody although the person looked for isn't there.
"""

from dataclasses import dataclass

from starlette.responses import Response

from recognizance.errors import NotFoundError
from recognizance.faces import Calibration, open_photograph
from recognizance.governance.parties import Role, UseId
from recognizance.governance.review import Progress
from recognizance.governing.installation import Governing
from recognizance.identifiers import FaceId, GalleryId
from recognizance.ledger.facts.searches import SearchOutcome
from recognizance.records import FaceRow, Records
from recognizance.reviewing.pictures import face_picture
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.operator_asking import PermitDesk
from recognizance.web.operator_history import OwnSearch, OwnSearches
from recognizance.web.operator_pictures import picture_response
from recognizance.web.operator_words import (
    OUTCOME_WORDS,
    PROGRESS_WORDS,
    Rarity,
    chance_likeness,
    false_candidates,
)
from recognizance.web.overseer_words import PURPOSES
from recognizance.web.visits import Visit

PAGE = 20
_FEW_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A candidate that nobody reviews, as whoever searched sees it.

    Attributes:
        row: `None` once the face was forgotten.
        likeness: How rarely photographs of two different people look so alike; `None` of another model's score.
    """

    number: int
    row: FaceRow | None
    likeness: Rarity | None


class ResultPages:
    def __init__(
        self,
        governing: Governing,
        records: Records,
        searches: OwnSearches,
        calibration: Calibration,
        desk: PermitDesk,
    ) -> None:
        self._uses = governing.uses
        self._profile = governing.profile
        self._records = records
        self._searches = searches
        self._calibration = calibration
        self._desk = desk

    def table(self) -> list[Page]:
        operators = only(Role.OPERATOR)
        return [
            Page("/searches", self.history, operators, navigation=N_("Your searches")),
            Page("/searches/{index}", self.result, operators),
            Page("/searches/{index}/receipt", self.receipt, operators),
            Page("/searches/{index}/entry", self.entry, operators),
            Page("/searches/{index}/candidates/{number}", self.candidate, operators),
        ]

    def history(self, visit: Visit) -> Response:
        person = visit.who.person
        count = self._searches.count(person)
        skip = _number(visit.query.get("skip", "0"))
        return visit.page(
            "operator/history.html",
            searches=self._searches.latest(person, skip=skip, limit=PAGE),
            count=count,
            newer=max(skip - PAGE, 0) if skip else None,
            older=skip + PAGE if skip + PAGE < count else None,
            outcomes=OUTCOME_WORDS,
            progress=PROGRESS_WORDS,
        )

    def result(self, visit: Visit) -> Response:
        search = self._search(visit)
        size = self._gallery_size(search)
        is_same_model = search.said.model == self._calibration.model
        expectation = (
            false_candidates(self._calibration, search.said.threshold, gallery_size=size)
            if size and is_same_model
            else None
        )
        purposes = {purpose.value: word for purpose, word in PURPOSES.items()}
        return visit.page(
            "operator/result.html",
            search=search,
            purpose=purposes.get(search.said.purpose, search.said.purpose),
            gallery_size=size,
            expectation=expectation,
            suggestions=self._suggestions(search),
            is_shown=self._is_shown(search),
            found=search.said.outcome is SearchOutcome.CANDIDATES,
            no_face=search.said.outcome is SearchOutcome.NO_FACE,
            under_review=search.review is Progress.UNDER_REVIEW,
            is_lead=search.review is Progress.LEAD,
            progress=PROGRESS_WORDS,
        )

    def receipt(self, visit: Visit) -> Response:
        index = _number(visit.path["index"])
        proof = self._searches.proof(visit.who.person, index)
        return _download(proof.receipt.data, f"search-{index}.tlog-proof", "text/plain; charset=utf-8")

    def entry(self, visit: Visit) -> Response:
        """What the receipt proves: the entry, byte for byte."""
        index = _number(visit.path["index"])
        proof = self._searches.proof(visit.who.person, index)
        return _download(proof.entry, f"search-{index}.json", "application/json")

    def candidate(self, visit: Visit) -> Response:
        """The enrolled face of a candidate that nobody reviews, if its photograph was kept."""
        search = self._search(visit)
        number = _number(visit.path["number"])
        suggestion = next((each for each in self._suggestions(search) if each.number == number), None)
        if suggestion is None or suggestion.row is None:
            raise NotFoundError("there is no such candidate")
        gallery, row = GalleryId(search.said.gallery), suggestion.row
        self._desk.reading(visit.who.person, gallery)
        permit = self._desk.looking(visit.who.person)
        with self._records.reading() as reader:
            photograph = open_photograph(reader.kept_image(gallery, row.image_id), permit)
        return picture_response(face_picture(photograph, row.box))

    def _search(self, visit: Visit) -> OwnSearch:
        return self._searches.one(visit.who.person, _number(visit.path["index"]))

    def _is_shown(self, search: OwnSearch) -> bool:
        """Whether candidates are whoever searched's to see; in doubt they aren't."""
        if search.review is not None:
            return False
        try:
            return not self._uses.get(UseId(search.said.use)).use.terms.review_required
        except NotFoundError:
            return self._profile.has_default_use

    def _suggestions(self, search: OwnSearch) -> list[Suggestion]:
        if not self._is_shown(search):
            return []
        pairs = self._searches.candidates(search)
        gallery = GalleryId(search.said.gallery)
        is_same_model = search.said.model == self._calibration.model
        with self._records.reading() as reader:
            try:
                rows = reader.faces_by_id(gallery, [FaceId(key) for key, _ in pairs])
            except NotFoundError:
                rows = {}
        return [
            Suggestion(
                number, rows.get(FaceId(key)), chance_likeness(self._calibration, score) if is_same_model else None
            )
            for number, (key, score) in enumerate(pairs, start=1)
        ]

    def _gallery_size(self, search: OwnSearch) -> int | None:
        """Faces in the gallery now; `None` if it is gone."""
        with self._records.reading() as reader:
            try:
                return reader.gallery(GalleryId(search.said.gallery)).face_count
            except NotFoundError:
                return None


def _number(text: str) -> int:
    """A number in an address.

    Raises:
        NotFoundError: If it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _FEW_DIGITS):
        raise NotFoundError("there is nothing under this address")
    return int(text)


def _download(data: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type=media_type, headers=headers)
