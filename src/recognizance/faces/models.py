"""Where the files of models are, and proof that a file is the one that its manifest states.

A file is used only if its SHA-256 is the stated one, which is checked each time it's read. Nothing is fetched unless
`ModelStore.pull` is called (docs/models.md).
"""

import hashlib
import importlib.util
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from recognizance.errors import CorruptionError, InputError, NotFoundError
from recognizance.faces.downloads import download
from recognizance.faces.manifest import LocalSource, Model, PackageSource, UrlSource, read_manifest

BUILT_IN = Path(__file__).with_name("manifest.toml")
MANIFEST_NAME = "manifest.toml"


class FileState(StrEnum):
    READY = "ready"
    ABSENT = "absent"
    DAMAGED = "damaged"


Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be."""


class ModelStore:
    """The models of one installation.

    Args:
        folder: `DATA/models`, for pulled files and the installation's own manifest; `None` knows the built-in models
            only, and can't pull.

    Raises:
        InputError: If a manifest says too little, too much, or the same name twice.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        models = list(read_manifest(BUILT_IN))
        if folder is not None and (folder / MANIFEST_NAME).exists():
            models += read_manifest(folder / MANIFEST_NAME)
        self._models: dict[str, Model] = {}
        for model in models:
            if model.name in self._models:
                raise InputError(f"the model {model.name!r} is listed twice")
            self._models[model.name] = model

    @property
    def models(self) -> tuple[Model, ...]:
        """Every model, the built-in ones first."""
        return tuple(self._models.values())

    def model(self, name: str) -> Model:
        """Return the entry called `name`.

        Raises:
            NotFoundError: Lists the names that there are.
        """
        try:
            return self._models[name]
        except KeyError as error:
            raise NotFoundError(f"there is no model {name!r}; there are {', '.join(self._models)}") from error

    def path(self, model: Model) -> Path | None:
        """Where the model's file is or would be; `None` where a package isn't installed or no folder was given."""
        match model.source:
            case PackageSource(package, path):
                # `find_spec` locates a top-level package without running any of it.
                found = importlib.util.find_spec(package)
                places = found.submodule_search_locations if found is not None else None
                return Path(places[0]) / path if places else None
            case LocalSource(path):
                return path
            case UrlSource():
                return None if self._folder is None else self._folder / f"{model.name}-{model.sha256[:16]}.onnx"

    def state(self, model: Model) -> FileState:
        """Read the model's file and say whether it is the stated one."""
        try:
            self.read(model)
        except NotFoundError:
            return FileState.ABSENT
        except CorruptionError:
            return FileState.DAMAGED
        return FileState.READY

    def read(self, model: Model) -> bytes:
        """Return the model's file, proven to be the stated one.

        Raises:
            NotFoundError: If it isn't there. Says how to get it.
            CorruptionError: If it is another file.
        """
        path = self.path(model)
        if path is None or not path.is_file():
            match model.source:
                case PackageSource(package, _):
                    remedy = f"install the package {package}"
                case UrlSource():
                    remedy = f"run: recognizance models pull {model.name}"
                case LocalSource(expected):
                    remedy = f"put it at {expected}"
            raise NotFoundError(f"the file of the model {model.name!r} is absent; {remedy}")
        if path.stat().st_size != model.size_bytes:
            raise CorruptionError(f"{path} has {path.stat().st_size} bytes; the manifest states {model.size_bytes}")
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest != model.sha256:
            raise CorruptionError(f"{path} has the SHA-256 {digest}; the manifest states {model.sha256}")
        return content

    def pull(self, model: Model, progress: Progress | None = None) -> Path:
        """Fetch the model's file unless it's there, and prove it before it gets its name.

        An interrupted pull goes on where it stopped.

        Raises:
            InputError: If the model doesn't come from a URL, or there is no folder to put it in.
            UnavailableError: If the other side fails or sends another file.
        """
        path = self.path(model)
        if not isinstance(model.source, UrlSource):
            raise InputError(f"the model {model.name!r} can't be pulled: it doesn't come from a URL")
        if path is None:
            raise InputError(f"there is no folder to pull the model {model.name!r} into")
        if self.state(model) is not FileState.READY:
            path.parent.mkdir(parents=True, exist_ok=True)
            download(
                model.source.url, path, size_bytes=model.size_bytes, sha256=model.sha256, progress=progress or _silent
            )
        return path


def _silent(_done: int, _total: int) -> None:
    """Report to nobody."""
