"""What a client is told, in the words of its own program: collections, users, images, ids.

Everywhere else one idea has one word (docs/glossary.md), which isn't always Rekognition's. Errors are put into its
words here, where they leave, and nowhere else. What most programs run into, something that isn't there or is there
already, gets a sentence of the form that people know from Rekognition; every other message keeps its form and changes
its words. Names and commands, which stand between quotes or backticks, stay as they are. It never changes what an
error is. Pure.
"""

import re

_NAME = r"('[^']*')"
_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (f"there is no gallery {_NAME}", r"The collection id \1 does not exist."),
        (f"gallery {_NAME} exists", r"The collection id \1 already exists."),
        (f"there is no subject {_NAME} in gallery {_NAME}", r"The user id \1 does not exist in the collection \2."),
        (f"gallery {_NAME} has a subject {_NAME} already", r"The user id \2 already exists in the collection \1."),
        (
            f"there is no face {_NAME} in (?:the )?gallery {_NAME}",
            r"The face id \1 does not exist in the collection \2.",
        ),
    )
)

_WORDS = {
    "gallery": "collection",
    "galleries": "collections",
    "subject": "user",
    "subjects": "users",
    "template": "face vector",
    "templates": "face vectors",
    "a photograph": "an image",
    "photograph": "image",
    "photographs": "images",
}
# A quote that opens doesn't follow a letter, as an apostrophe does.
_QUOTED = r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|`[^`]*`"
_TOLD_APART = re.compile(rf"{_QUOTED}|\b({'|'.join(_WORDS)})\b", re.IGNORECASE)


def in_rekognitions_words(message: str) -> str:
    """Say a message as a program that was written for Rekognition would expect it.

    >>> in_rekognitions_words("there is no gallery 'visitors'")
    "The collection id 'visitors' does not exist."
    >>> in_rekognitions_words("the gallery's source can't be declared: use `recognizance gallery declare`")
    "the collection's source can't be declared: use `recognizance gallery declare`"
    """
    for pattern, sentence in _SENTENCES:
        found = pattern.fullmatch(message)
        if found is not None:
            return found.expand(sentence)
    return _TOLD_APART.sub(_in_other_words, message)


def _in_other_words(found: re.Match[str]) -> str:
    ours: str | None = found[1]
    if ours is None:
        return found[0]
    theirs = _WORDS[ours.lower()]
    return theirs[0].upper() + theirs[1:] if ours[0].isupper() else theirs
