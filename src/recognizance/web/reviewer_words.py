"""What reviewers read: outcomes and the checklist, in words. Nothing here knows of scores, names or other reviewers."""

from collections.abc import Mapping

from recognizance.governance.review import Observation, Outcome
from recognizance.web.language import N_

OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.SAME_PERSON: N_("The same person"),
    Outcome.DIFFERENT: N_("Different people"),
    Outcome.INCONCLUSIVE: N_("Inconclusive"),
    Outcome.IMAGE_UNSUITABLE: N_("A picture is unsuitable"),
}
OUTCOME_HINTS: Mapping[Outcome, str] = {
    Outcome.SAME_PERSON: N_("You would say so whatever anybody else thinks."),
    Outcome.DIFFERENT: N_("Something about the faces can't be explained by light, pose or time."),
    Outcome.INCONCLUSIVE: N_("The pictures allow neither."),
    Outcome.IMAGE_UNSUITABLE: N_("Nobody could compare these pictures."),
}
OBSERVATION_WORDS: Mapping[Observation, str] = {
    Observation.FACE_SHAPE: N_("shape of the face"),
    Observation.FOREHEAD_AND_HAIRLINE: N_("forehead and hairline"),
    Observation.EYES_AND_BROWS: N_("eyes and brows"),
    Observation.NOSE: N_("nose"),
    Observation.MOUTH_AND_CHIN: N_("mouth and chin"),
    Observation.EARS: N_("ears"),
    Observation.MARKS_AND_SCARS: N_("marks and scars"),
    Observation.RESOLUTION: N_("too few pixels"),
    Observation.BLUR: N_("blur"),
    Observation.LIGHT: N_("light"),
    Observation.POSE: N_("pose"),
    Observation.EXPRESSION: N_("expression"),
    Observation.OCCLUSION: N_("something covers the face"),
    Observation.COMPRESSION: N_("traces of compression"),
    Observation.TIME_BETWEEN_IMAGES: N_("time between the pictures"),
}
