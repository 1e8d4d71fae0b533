"""What the desk's pages and those of retention call the codes of governance. Marked for the catalogue."""

from collections.abc import Mapping

from recognizance.governance.retention import HoldingKind, Limit
from recognizance.governance.subjects import Refusal, RequestEvent, RequestKind, RequestState
from recognizance.web.language import N_

KINDS: Mapping[RequestKind, str] = {
    RequestKind.ACCESS: N_("What do you hold about me?"),
    RequestKind.ERASURE: N_("Erase what you hold about me"),
    RequestKind.CORRECTION: N_("Correct what you hold about me"),
    RequestKind.COMPLAINT: N_("A complaint"),
}

STATES: Mapping[RequestState, str] = {
    RequestState.RECEIVED: N_("received"),
    RequestState.AWAITING_PROOF: N_("waiting for proof of who asks"),
    RequestState.VERIFIED: N_("we know who asks"),
    RequestState.ANSWERED: N_("answered"),
    RequestState.REFUSED: N_("refused"),
    RequestState.APPEALED: N_("appealed"),
    RequestState.CLOSED: N_("closed"),
    RequestState.WITHDRAWN: N_("withdrawn"),
}

EVENTS: Mapping[RequestEvent, str] = {
    RequestEvent.ASK_FOR_PROOF: N_("Ask who they are"),
    RequestEvent.VERIFY: N_("They have proven who they are"),
    RequestEvent.ANSWER: N_("Answer"),
    RequestEvent.REFUSE: N_("Refuse"),
    RequestEvent.APPEAL: N_("They appeal"),
    RequestEvent.OVERTURN: N_("The appeal is right: deal with it again"),
    RequestEvent.UPHOLD: N_("The first decision stands"),
    RequestEvent.WITHDRAW: N_("They withdraw it"),
}

REFUSALS: Mapping[Refusal, str] = {
    Refusal.NOT_PROVEN_WHO_ASKS: N_("They did not prove who they are"),
    Refusal.ORDER_TO_PRESERVE: N_("An order to preserve stands against it"),
    Refusal.RUNNING_INVESTIGATION: N_("An investigation is under way"),
    Refusal.RIGHTS_OF_OTHERS: N_("It would harm the rights of others"),
    Refusal.NOT_ABOUT_THE_ASKER: N_("It isn't about whoever asks"),
}

HOLDINGS: Mapping[HoldingKind, str] = {
    HoldingKind.FACE: N_("faces"),
    HoldingKind.KEPT_IMAGE: N_("photographs"),
    HoldingKind.PROBE: N_("pictures searched with"),
    HoldingKind.RESULT: N_("results of searches"),
    HoldingKind.WATCHLIST: N_("watchlists"),
}

LIMITS: Mapping[Limit, str] = {
    Limit.PURPOSE_ENDED: N_("what it was kept for is done"),
    Limit.LAST_INTERACTION: N_("too long since the person's last contact"),
    Limit.AGE: N_("as old as the schedule allows"),
    Limit.DEPLOYMENT_ENDED: N_("the deployment ended"),
    Limit.EMERGENCY_LAPSED: N_("an emergency that nobody authorised"),
}
