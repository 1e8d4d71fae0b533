"""The operations of Rekognition that are not answered, and why: some come later, others never will."""

from collections.abc import Iterator, Mapping

_STORED_VIDEO = "faces in stored video are planned and not built yet; enrol or search single frames meanwhile"
_STREAMS = "faces in video streams are planned, and will not work without an approved use and an end date"
_LIVENESS = "liveness sessions are planned and not built yet"
_CELEBRITIES = (
    "it names people by a collection that they and the caller know nothing of; index a collection of your own"
)
_TRACKING = "it follows people without knowing who they are, and Amazon has withdrawn it"
_NOT_FACES = "this service is about faces; it does not look at anything else in a picture"
_JUDGEMENT = "this service does not judge what pictures show"
_TRAINING = "this service does not train models; `recognizance models` adds a recogniser of your own"


def _each(reason: str, names: str) -> Iterator[tuple[str, str]]:
    return ((name, reason) for name in names.split())


LATER: Mapping[str, str] = dict(
    [
        *_each(_STORED_VIDEO, "StartFaceDetection GetFaceDetection StartFaceSearch GetFaceSearch"),
        *_each(
            _STREAMS,
            "CreateStreamProcessor DeleteStreamProcessor DescribeStreamProcessor ListStreamProcessors"
            " StartStreamProcessor StopStreamProcessor UpdateStreamProcessor",
        ),
        *_each(_LIVENESS, "CreateFaceLivenessSession GetFaceLivenessSessionResults"),
    ]
)
"""Planned, with the reason to give meanwhile."""

NEVER: Mapping[str, str] = dict(
    [
        *_each(_CELEBRITIES, "RecognizeCelebrities GetCelebrityInfo StartCelebrityRecognition GetCelebrityRecognition"),
        *_each(_TRACKING, "StartPersonTracking GetPersonTracking"),
        *_each(
            _NOT_FACES,
            "DetectLabels StartLabelDetection GetLabelDetection DetectText StartTextDetection GetTextDetection"
            " StartSegmentDetection GetSegmentDetection DetectProtectiveEquipment",
        ),
        *_each(
            _JUDGEMENT,
            "DetectModerationLabels StartContentModeration GetContentModeration StartMediaAnalysisJob"
            " GetMediaAnalysisJob ListMediaAnalysisJobs",
        ),
        *_each(
            _TRAINING,
            "DetectCustomLabels CreateProject DeleteProject DescribeProjects CreateProjectVersion DeleteProjectVersion"
            " DescribeProjectVersions StartProjectVersion StopProjectVersion CopyProjectVersion PutProjectPolicy"
            " ListProjectPolicies DeleteProjectPolicy CreateDataset DeleteDataset DescribeDataset"
            " DistributeDatasetEntries UpdateDatasetEntries ListDatasetEntries ListDatasetLabels",
        ),
    ]
)
"""Not planned, with the reason."""


def why_unsupported(operation: str) -> str | None:
    """Say why a known operation is not answered; `None` for a name that Rekognition does not have."""
    if operation in LATER:
        return f"{operation} is not supported yet: {LATER[operation]}."
    if operation in NEVER:
        return f"{operation} is not supported and will not be: {NEVER[operation]}."
    return None
