"""`recognizance models`: what runs the recognition, where it comes from, and whether it is what it claims to be."""

from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, Data, Json
from recognizance.cli.output import EXIT_FAILED, notices, print_json, print_table, progress, results, speaking_plainly

app = typer.Typer(help="List, fetch and verify the models.", no_args_is_help=True)


@app.command("list")
@speaking_plainly
def list_models(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the models of the manifest, with licence, source and state."""
    from recognizance.office import open_models

    store = open_models(data)
    known = [(model, store.state(model)) for model in store.models]
    if json:
        print_json(
            {
                "models": [
                    {
                        "id": model.id,
                        "name": model.name,
                        "kind": model.kind.value,
                        "licence": model.licence,
                        "origin": model.origin,
                        "sha256": model.sha256,
                        "state": state.value,
                    }
                    for model, state in known
                ]
            }
        )
        return
    rows = [(model.name, model.kind.value, model.licence, state.value, model.origin) for model, state in known]
    print_table(("name", "kind", "licence", "state", "from"), rows, whole=("name", "from"))


@app.command()
@speaking_plainly
def pull(
    name: Annotated[str, typer.Argument(help="Its name in `recognizance models list`.")], data: Data = DEFAULT_DATA
) -> None:
    """Fetch a model's file, resuming what was begun, and keep it only if its SHA-256 is the manifest's."""
    from recognizance.office import open_models

    store = open_models(data)
    model = store.model(name)
    with progress(f"pulling {name}", model.size_bytes) as advance:
        seen = 0

        def step(done: int, _total: int) -> None:
            nonlocal seen
            advance(done - seen)
            seen = done

        path = store.pull(model, step)
    notices.print(f"{name} is at {path}, and is what the manifest says")


@app.command()
@speaking_plainly
def verify(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Check every model file that is here against the manifest's SHA-256; exit status 1 if one differs."""
    from recognizance.faces import FileState
    from recognizance.office import open_models

    store = open_models(data)
    states = {model.name: store.state(model) for model in store.models}
    if json:
        print_json({"models": {name: state.value for name, state in states.items()}})
    else:
        for name, state in states.items():
            results.print(f"{name:<24} {state.value}")
    if FileState.DAMAGED in states.values():
        raise typer.Exit(EXIT_FAILED)
