"""`recognizance evaluate` as people run it: results, records, refusals and exit statuses."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.cli.evaluating import EXIT_NOT_SHOWN
from recognizance.cli.measuring import EngineChoice, EngineKind, cache_folder
from recognizance.cli.output import EXIT_REFUSED
from recognizance.errors import InputError
from recognizance.evaluation.results import IdentificationAt, commitment, read_evaluation
from recognizance.ledger import Receipt, facts, source_at
from recognizance.register import keys_stated_by, read_log

from ..evaluation.worlds import portraits


@pytest.fixture(scope="module")
def manifest(
    tmp_path_factory: pytest.TempPathFactory, collins: Image.Image, hopper: Image.Image, nobody: Image.Image
) -> Path:
    folder = tmp_path_factory.mktemp("portraits")
    portraits(folder, collins, hopper, nobody)
    return folder / "set.csv"


def run(*words: object) -> tuple[int, str]:
    """A command in this process: its exit status, and all that it said."""
    done = CliRunner().invoke(app, ["evaluate", *map(str, words)], catch_exceptions=False)
    return done.exit_code, " ".join((done.stdout + done.stderr).split())


def test_results_are_written_and_kept_templates_removed(tmp_path: Path, manifest: Path) -> None:
    """A folder with the report and its document, a list for whoever keeps the pictures, and a cache that can go."""
    out, cache = tmp_path / "out", tmp_path / "cache"
    where = ("--cache", cache, "--data", tmp_path / "none")

    status, said = run("verification", manifest, "--out", out, "--resamples", 100, "--by", "branch", *where)
    cleaned, _ = run("clean", *where)

    evaluation = read_evaluation((out / "result.json").read_bytes())
    assert (status, cleaned) == (0, 0)
    assert evaluation.data.images == 8
    # The room has no face.
    assert evaluation.findings.acquisition.rate.errors == 1
    assert "FNMR: one person taken for strangers" in said
    assert "At the threshold 80 (score " in said
    assert "branch: navy: 0 % (0 of 3;" in said
    assert "No verdict: no --limit was set" in said
    assert (out / "labels.csv").stat().st_mode & 0o077 == 0
    assert {"report.html", "report.pdf", "labels.csv"} <= {file.name for file in out.iterdir()}
    assert "hopper/1.jpg" in (out / "labels.csv").read_text()
    assert not cache.exists()
    assert not (tmp_path / "none").exists()


def test_in_an_installation_a_result_is_on_the_record_before_it_is_anywhere(tmp_path: Path, manifest: Path) -> None:
    """The ledger's entry commits to the document, a receipt lies beside it, and limits that aren't shown say so."""
    data, out = tmp_path / "data", tmp_path / "out"
    assert CliRunner().invoke(app, ["init", "--profile", "private", "--data", str(data)]).exit_code == 0

    status, said = run(
        "verification", manifest, "--out", out, "--resamples", 100, "--limit", "fmr=0.001", "--data", data
    )

    evaluation = read_evaluation((out / "result.json").read_bytes())
    receipt = Receipt.parse((out / "receipt.tlog-proof").read_bytes())
    source = source_at(str(data / "ledger" / "public"))
    kept = read_log(source, keys_stated_by(source)).state.kept
    [fact] = [entry.facts for entry in kept if isinstance(entry.facts, facts.Evaluation)]
    assert status == EXIT_NOT_SHOWN
    assert "FMR of everybody, at most 0.10 %" in said
    assert "Verdict: " in said
    assert fact.report_digest == commitment(evaluation)
    assert fact.data_digest == evaluation.data.commitment
    assert receipt.size > receipt.index
    assert cache_folder(data).is_dir()
    assert cache_folder(data).stat().st_mode & 0o077 == 0


def test_the_test_of_2018_says_what_it_proves_and_fails_on_doubt(tmp_path: Path, manifest: Path) -> None:
    """One absent person proves nothing, and a default that is laxer than the use fails."""
    out = tmp_path / "out"

    status, said = run(
        "aclu", "--gallery-manifest", manifest, "--probes", 1, "--seed", 3, "--use-threshold", 99, "--out", out,
        "--resamples", 100, "--cache", tmp_path / "cache", "--data", tmp_path / "none",
    )  # fmt: skip

    assert status == EXIT_NOT_SHOWN
    assert "With default settings," in said
    assert "In 2018 Amazon's default settings" in said
    assert "fails: the default threshold is 80; authorised is 99 or more" in said
    assert json.loads((out / "result.json").read_bytes())["kind"] == "aclu"


def test_searches_are_measured_and_wrong_labels_set_aside(tmp_path: Path, manifest: Path) -> None:
    """A decision about the twin under another name leaves both sets of results in the document."""
    decision, out = tmp_path / "decision.csv", tmp_path / "out"
    where = ("--cache", cache_of(manifest), "--data", tmp_path / "none")

    decision.write_text(
        "what,first,second,who,when,why\n"
        "people,Double,Hopper,R. Reader,2026-11-22T12:00:00Z,one person under two names\n",
        encoding="utf-8",
    )
    status, said = run(
        "identification", manifest, "--decision", decision, "--out", out, "--resamples", 100, "--seed", 3, *where
    )

    assert status == 0, said
    assert "FPIR: absent people for whom somebody is returned" in said
    evaluation = read_evaluation((out / "result.json").read_bytes())
    assert evaluation.without_excluded is not None
    assert evaluation.exclusions is not None
    assert evaluation.exclusions.pairs > 0
    assert "with every label: FPIR" in said
    assert f"without 0 pictures and {evaluation.exclusions.pairs} pair that the decision leaves out: FPIR" in said


def test_a_list_of_scores_is_measured_at_the_threshold_that_its_vendor_sets(tmp_path: Path, manifest: Path) -> None:
    """And where nobody says which that is, a search is refused before it begins, with what there is to choose from."""
    scores, out = tmp_path / "scores.csv", tmp_path / "out"
    people = [line.split(",") for line in manifest.read_text(encoding="utf-8").splitlines()[1:]]
    rows = [
        f"{enrol},{probe},{0.9 if subject == other else 0.1}"
        for enrol, subject, _ in people
        for probe, other, _ in people
        if enrol != probe
    ]
    scores.write_text("\n".join(["enrol,probe,score", *rows]) + "\n", encoding="utf-8")
    words = (manifest, "--engine", f"scores:{scores}", "--out", out, "--resamples", 100, "--data", tmp_path / "none")

    refused, why = run("identification", *words)
    status, said = run("identification", *words, "--default-threshold", 0.5)

    assert refused == EXIT_REFUSED
    assert "there is no threshold 'default'; give a number" in why
    assert status == 0, said
    [found] = [each for each in searches_of(out) if each.name == "default"]
    assert (found.found.fpir.rate.errors, found.found.fnir.rate.errors) == (0, 0)
    # A similarity of 80 would be a score that nothing reaches, and no error there would prove anything.
    assert [each.name for each in searches_of(out)] == ["default"]

    chosen, _ = run("identification", *words, "--threshold", 0.95)
    assert chosen == 0
    assert [(each.name, each.found.fnir.rate.errors > 0) for each in searches_of(out)] == [("0.95", True)]

    unasked, ask = run("verification", *words)
    compared, rates = run("verification", *words, "--default-threshold", 0.5)

    assert unasked == EXIT_REFUSED
    assert "give --default-threshold or --threshold" in ask
    assert compared == 0, rates
    assert "At the threshold default (score 0.5): FMR: strangers taken for one person: 0 %" in rates
    assert "FNMR: one person taken for strangers: 0 %" in rates


def test_labels_of_a_small_set_are_listed_for_their_keeper_alone(tmp_path: Path, manifest: Path) -> None:
    """The twin is found among eight pictures; where nobody has two pictures, or nobody else is there, labels can't be
    judged."""
    out, alone = tmp_path / "labels.csv", manifest.parent / "alone.csv"
    where = ("--out", out, "--cache", cache_of(manifest), "--data", tmp_path / "none")
    alone.write_text("path,subject\ncollins/1.jpg,Collins\nhopper/1.jpg,Hopper\n", encoding="utf-8")

    refused, why = run("labels", alone, *where)
    written = out.exists()
    status, said = run("labels", manifest, *where)

    assert refused == EXIT_REFUSED
    assert "labels are judged by both kinds of pairs" in why
    assert not written
    assert status == 0, said
    assert "under two names that look mated" in said
    assert "double/1.jpg" in out.read_text(encoding="utf-8")
    assert out.stat().st_mode & 0o077 == 0


def searches_of(out: Path) -> tuple[IdentificationAt, ...]:
    searches = read_evaluation((out / "result.json").read_bytes()).findings.searches
    assert searches is not None
    return searches.at


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--limit", "mpg=0.1"), "--limit 'mpg=0.1': choose from fmr"),
        (("--limit", "fmr=often"), "'often' is no rate"),
        (("--engine", "magic"), "--engine 'magic': choose local"),
        (("--quality", "BEST"), "--quality 'BEST': choose from NONE"),
        (("--by", "age"), "no group column 'age'; it has branch"),
        (("--threshold", "usual"), "there is no threshold 'usual'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    tmp_path: Path, manifest: Path, words: tuple[str, str], said: str
) -> None:
    """With what there is to choose from, and nothing written."""
    out = tmp_path / "out"
    where = ("--cache", cache_of(manifest), "--data", tmp_path / "none")

    status, answered = run("verification", manifest, "--out", out, "--resamples", 100, *words, *where)

    assert status == EXIT_REFUSED
    assert said in answered
    assert not out.exists()


def cache_of(manifest: Path) -> Path:
    """One for all tests that only need to get past the templates."""
    return manifest.parent / "cache"


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("local", EngineKind.LOCAL, ""),
        ("local:ours-2026", EngineKind.LOCAL, "ours-2026"),
        ("rekognition", EngineKind.REKOGNITION, ""),
        ("rekognition:http://127.0.0.1:8080", EngineKind.REKOGNITION, "http://127.0.0.1:8080"),
        ("scores:some/list.csv", EngineKind.SCORES, "some/list.csv"),
    ],
)
def test_an_engine_is_named_in_one_word(text: str, kind: EngineKind, name: str) -> None:
    """The kind, and after a colon which."""
    choice = EngineChoice.parse(text, similarity=False, quality="NONE")

    assert (choice.kind, choice.name) == (kind, name)


def test_options_that_do_not_go_with_an_engine_are_refused() -> None:
    """Nothing that was asked for is silently ignored."""
    with pytest.raises(InputError, match="--similarity goes with a local engine"):
        EngineChoice.parse("rekognition", similarity=True, quality="NONE")
    with pytest.raises(InputError, match="--default-threshold goes with a list of scores"):
        EngineChoice.parse("local", similarity=False, quality="NONE", default_threshold=80.0)
