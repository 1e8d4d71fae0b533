"""Which sentences services refuse with, for the catalogue: read from where they are raised, and never when serving.

A sentence is the text given to one of our errors, with its values numbered: `f"review {review.id!r} is {state}"` is
`review {1!r} is {2}`. What no page can say is left out, each with its reason in `ELSEWHERE`; whatever isn't
named there is in, so that a refusal which is added tomorrow lacks its translation, and a test says so.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from recognizance import errors

_PACKAGE = Path(errors.__file__).parent
_ERRORS = frozenset(
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.Error) and kind is not errors.CorruptionError
)

_LEAST_WORDS = 2

_START = "is read when the service starts or by a command, before any page"
_COMMANDS = "is what commands at the machine say to whoever runs them"
ELSEWHERE: Mapping[str, str] = {
    "api/": "is the API's own, which answers programs",
    "aws/": "is the AWS surface's own, which answers programs",
    "cli/": _COMMANDS,
    "evaluation/": "is said to whoever measures, by commands",
    "governing/certificates.py": _START,
    "governing/evaluations.py": "is said to whoever publishes an evaluation, by a command",
    "governing/thresholds.py": "is said to whoever proposes a rule, by a command or when the service starts",
    "keeping/": _COMMANDS,
    "ledger/": "is about bytes of the ledger, which only commands and other people's programs give us to read",
    "disclosing/bundle.py": "is said to whoever verifies a bundle, by a command",
    "register/reading.py": "is said to whoever reads somebody's ledger, by a command",
    "register/saved.py": "makes the register be built anew, and is not shown",
    "register/reports/periods.py": "is about addresses of the API and arguments of commands",
    "config.py": _START,
    "faces/manifest.py": _START,
    "faces/models.py": _START,
    "faces/downloads.py": _COMMANDS,
    "faces/weights.py": _START,
    "faces/calibration.py": _START,
    "faces/reader.py": _START,
    "faces/detection.py": _START,
    "faces/onnx_runtime.py": _START,
    "faces/openvino_runtime.py": _START,
    "gallery/": "is between a gallery and its index; callers check before",
    "governance/policy.py": "is of the policy before there are rules, which only commands ask",
    "governance/authority.py": "is a policy's refusal, which denials.py says from the policies' own sentences",
    "governance/cedar.py": _START,
    "governance/gate.py": "is about an evaluation as it is published, by a command",
    "governance/profiles.py": _START,
    "governance/codec.py": "is about stored documents, which pages don't write",
    "governing/installation.py": _START,
    "governing/openid.py": "is said by the pages of OpenID in their own words",
    "governing/running.py": _START,
    "enrolling/bulk.py": "is about folders and tables at the machine; a page says in its own words what a file lacks",
    "records/keys.py": _START,
    "records/migrations/": _START,
    "records/records.py": _START,
    "recording/ledger_key.py": _START,
    "recording/rotation.py": _COMMANDS,
    "storage.py": _START,
}
"""Files and folders whose sentences no page says, and why."""


def refusal_texts() -> list[str]:
    """Every sentence that a page may have to say for a service, sorted."""
    found: set[str] = set()
    for file in sorted(_PACKAGE.rglob("*.py")):
        place = file.relative_to(_PACKAGE).as_posix()
        if not any(place.startswith(each) for each in ELSEWHERE):
            found.update(_texts(ast.parse(file.read_text(encoding="utf-8"))))
    return sorted(found)


def _texts(tree: ast.Module) -> Iterator[str]:
    named = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        text: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args and (_is_error(node.func) or _is_obstacle(node.func)):
            text = node.args[0]
        elif isinstance(node, ast.ClassDef) and node.name == "Obstacle":
            yield from (text for each in node.body if isinstance(each, ast.Assign) for text in _sentence(each.value))
        if isinstance(text, ast.Name):
            text = named.get(text.id)
        if text is not None:
            yield from _sentence(text)


def _is_error(called: ast.expr) -> bool:
    return isinstance(called, ast.Name) and called.id in _ERRORS


def _is_obstacle(called: ast.expr) -> bool:
    """Whether this is `obstacles.append`: what is named there becomes the value of a sentence."""
    return (
        isinstance(called, ast.Attribute)
        and called.attr == "append"
        and isinstance(called.value, ast.Name)
        and called.value.id == "obstacles"
    )


def _sentence(text: ast.expr) -> Iterator[str]:
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        yield text.value
    elif isinstance(text, ast.JoinedStr):
        fixed = " ".join(str(part.value) for part in text.values if isinstance(part, ast.Constant))
        # Without two words of its own it would be found in what it isn't: such sentences stay in English.
        if len(re.findall("[a-z]{2,}", fixed)) >= _LEAST_WORDS:
            numbers = count(1)
            yield "".join(_piece(part, numbers) for part in text.values)


def _piece(part: ast.expr, numbers: Iterator[int]) -> str:
    if not isinstance(part, ast.FormattedValue):
        return str(part.value) if isinstance(part, ast.Constant) else ""
    return f"{{{next(numbers)}{'!r' if part.conversion == ord('r') else ''}}}"
