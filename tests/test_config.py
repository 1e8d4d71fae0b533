"""Settings: the file, the environment and the command line agree, or the service does not start."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.config import FILE_NAME, Runtime, Settings, read_settings, settings_reference
from recognizance.errors import InputError

DOCS = Path(__file__).parents[1] / "docs" / "settings.md"


def test_an_empty_folder_gives_the_defaults(tmp_path: Path) -> None:
    """Nothing has to be written before the first start."""
    assert read_settings(tmp_path, environment={}) == Settings()


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """Each later place overrides the one before it, setting by setting."""
    (tmp_path / FILE_NAME).write_text('port = 1\nregion = "file"\naccount = "111111111111"\n')

    settings = read_settings(
        tmp_path,
        environment={
            "RECOGNIZANCE_PORT": "2",
            "RECOGNIZANCE_REGION": "environment",
            "RECOGNIZANCE_TEST_KILLS": "50",
            "PORT": "9",
        },
        given={"port": 3, "region": None},
    )

    assert (settings.port, settings.region, settings.account) == (3, "environment", "111111111111")


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("RECOGNIZANCE_KEEP_IMAGES", "Yes", "keep_images", True),
        ("RECOGNIZANCE_MAX_FPIR", "0.5", "max_fpir", 0.5),
        ("RECOGNIZANCE_S3_BUCKETS", "a, b,", "s3_buckets", ("a", "b")),
        ("RECOGNIZANCE_RUNTIME", "onnxruntime", "runtime", Runtime.ONNXRUNTIME),
    ],
)
def test_the_environment_can_set_every_type(tmp_path: Path, variable: str, text: str, name: str, value: object) -> None:
    """What is text in the environment arrives with its field's type."""
    assert getattr(read_settings(tmp_path, environment={variable: text}), name) == value


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("prot = 1", "prot"),
        ("port = true", "port"),
        ('port = "1"', "port"),
        ("port = 70000", "port"),
        ("max_fpir = nan", "max_fpir"),
        ("max_fpir = 0", "max_fpir"),
        ("account = '12'", "account"),
        ('runtime = "magic"', "runtime"),
        ("s3_buckets = [1]", "s3_buckets"),
        ("keep_images = 1", "keep_images"),
        ('time_zone = "Middle/Earth"', "time_zone"),
        ('time_zone = "../../etc/passwd"', "time_zone"),
        ('mail_line = "smoke"', "mail_line"),
        ('mail_host = "mail.example"', "mail_from"),
        ('log_syslog = "somewhere"', "log_syslog"),
        ('log_format = "xml"', "log_format"),
        ("port = ", FILE_NAME),
    ],
)
def test_a_surprise_in_the_file_is_refused_by_name(tmp_path: Path, written: str, named: str) -> None:
    """A misspelt or impossible setting stops the start, and the message says which."""
    (tmp_path / FILE_NAME).write_text(written)

    with pytest.raises(InputError, match=named):
        read_settings(tmp_path, environment={})


@pytest.mark.parametrize("variable", ["RECOGNIZANCE_PROT", "RECOGNIZANCE_PORT", "RECOGNIZANCE_KEEP_IMAGES"])
def test_a_surprise_in_the_environment_is_refused_by_name(tmp_path: Path, variable: str) -> None:
    """`perhaps` is no setting, no port and no truth value."""
    with pytest.raises(InputError, match=variable):
        read_settings(tmp_path, environment={variable: "perhaps"})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_file_gives_settings_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Nothing else escapes from a file that somebody edited by hand."""
    folder = tmp_path_factory.mktemp("data")
    (folder / FILE_NAME).write_text(text, encoding="utf-8")

    try:
        settings = read_settings(folder, environment={})
    except InputError:
        return
    assert isinstance(settings, Settings)


def test_a_secret_is_not_printed() -> None:
    """Settings end up in logs and in bug reports."""
    settings = Settings(s3_secret_access_key="hidden", mail_password="hidden", openid_client_secret="hidden")
    assert "hidden" not in repr(settings)


def test_the_documentation_lists_every_setting_as_it_is() -> None:
    """`docs/settings.md` holds the generated table, word for word."""
    assert settings_reference() in DOCS.read_text(encoding="utf-8")
