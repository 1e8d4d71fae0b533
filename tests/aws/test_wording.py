"""Our errors in Rekognition's words."""

import pytest

from recognizance.aws.wording import in_rekognitions_words


@pytest.mark.parametrize(
    ("ours", "told"),
    [
        ("there is no gallery 'visitors'", "The collection id 'visitors' does not exist."),
        ("gallery 'visitors' exists", "The collection id 'visitors' already exists."),
        ("there is no subject 'ana' in gallery 'v'", "The user id 'ana' does not exist in the collection 'v'."),
        ("gallery 'v' has a subject 'ana' already", "The user id 'ana' already exists in the collection 'v'."),
        ("there is no face '1f' in the gallery 'v'", "The face id '1f' does not exist in the collection 'v'."),
        ("there is no face '1f' in gallery 'v'", "The face id '1f' does not exist in the collection 'v'."),
        (
            "gallery 'gallery' holds templates of a; they can't be compared with b",
            "collection 'gallery' holds face vectors of a; they can't be compared with b",
        ),
        (
            "subject 'subject' would have 101 faces; the limit is 100",
            "user 'subject' would have 101 faces; the limit is 100",
        ),
        (
            "a gallery's tags can't be removed: 'x' and \"the gallery\" aren't the gallery's",
            "a collection's tags can't be removed: 'x' and \"the gallery\" aren't the collection's",
        ),
        (
            "declare the gallery's images with `recognizance gallery declare`",
            "declare the collection's images with `recognizance gallery declare`",
        ),
        ("A photograph of two subjects", "An image of two users"),
        ("Galleries and photographs", "Collections and images"),
        ("the purpose subject_request allows it", "the purpose subject_request allows it"),
        ("there are no faces in the image", "there are no faces in the image"),
    ],
)
def test_our_words_become_theirs_and_names_stay(ours: str, told: str) -> None:
    """Whatever a collection is called, its name is told as it is."""
    assert in_rekognitions_words(ours) == told
