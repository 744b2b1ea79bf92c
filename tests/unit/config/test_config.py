"""Settings: precedence of layers, origins of values, and error messages."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from photoindex.config.layers import PLAIN_NAMES, allowed, fields, profile_file, variable_of
from photoindex.config.load import config_file, load_config, origins
from photoindex.config.schema import Config
from photoindex.config.secrets import without_secrets
from photoindex.errors import ConfigError


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, so that only the test's own .env is read."""
    folder = tmp_path / "current"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def user_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path in PHOTOINDEX_CONFIG, for a config.toml that the test writes."""
    path = tmp_path / "settings" / "config.toml"
    path.parent.mkdir()
    path.touch()
    monkeypatch.setenv("PHOTOINDEX_CONFIG", str(path))
    return path


def origin_of(name: str) -> str:
    return next(setting.origin for setting in origins() if setting.name == name)


def refusal(flags: dict[str, object] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(flags)
    return str(caught.value)


def test_by_default_the_defaults_and_profile_p1_apply() -> None:
    assert load_config() == Config()
    assert origin_of("scan.file_seconds") == "default"
    assert origin_of("database.cache_mb") == "profile P1"


def test_profile_p2_is_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    small = load_config()
    monkeypatch.setenv("DEPLOY_PROFILE", "P2")
    large = load_config()
    assert large.deploy_profile == "P2"
    assert large.database.cache_mb > small.database.cache_mb
    assert large.database.mmap_mb > small.database.mmap_mb
    assert large.scan.batch_size > small.scan.batch_size
    assert large.scan.walk_threads > small.scan.walk_threads


def test_each_layer_wins_over_those_below_it(
    current_folder: Path, user_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [load_config().scan.batch_size]
    monkeypatch.setenv("DEPLOY_PROFILE", "P2")
    seen.append(load_config().scan.batch_size)
    user_settings.write_text("[scan]\nbatch_size = 3\n")
    seen.append(load_config().scan.batch_size)
    (current_folder / ".env").write_text("PHOTOINDEX_SCAN__BATCH_SIZE=4\n")
    seen.append(load_config().scan.batch_size)
    monkeypatch.setenv("PHOTOINDEX_SCAN__BATCH_SIZE", "5")
    seen.append(load_config().scan.batch_size)
    seen.append(load_config({"scan.batch_size": 6}).scan.batch_size)
    assert seen == [64, 256, 3, 4, 5, 6]


def test_the_origin_names_the_layer_and_the_line(
    current_folder: Path, user_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_settings.write_text('# mine\nderived_path = "/d"\n\n[scan]\njobs = 3\n')
    (current_folder / ".env").write_text("# mine\n\nPHOTOINDEX_BACKUP__KEEP=2\n")
    monkeypatch.setenv("PHOTOINDEX_LOG__LEVEL", "debug")
    monkeypatch.setenv("ORIGINALS_PATH", "/o")
    assert origin_of("derived_path") == f"{user_settings}:2"
    assert origin_of("scan.jobs") == f"{user_settings}:5"
    assert origin_of("backup.keep") == ".env:3 PHOTOINDEX_BACKUP__KEEP"
    assert origin_of("log.level") == "environment PHOTOINDEX_LOG__LEVEL"
    assert origin_of("originals_path") == "environment ORIGINALS_PATH"
    assert next(part.origin for part in origins({"library": Path("/l")}) if part.name == "library") == "command line"


def test_every_setting_is_listed_once_with_its_effective_value() -> None:
    listed = origins({"scan": {"jobs": 7}})
    assert [setting.name for setting in listed] == list(fields())
    assert next(setting.value for setting in listed if setting.name == "scan.jobs") == 7


def test_flags_may_be_nested_or_dotted_and_none_counts_as_unset() -> None:
    config = load_config({"scan": {"jobs": 2}, "scan.batch_size": 9, "library": None})
    assert (config.scan.jobs, config.scan.batch_size, config.library) == (2, 9, None)


@pytest.mark.parametrize("place", ["environment", "dotenv", "toml", "toml in capitals"])
def test_unprefixed_names_work_in_every_layer(
    place: str, current_folder: Path, user_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "DEPLOY_PROFILE": "P2",
        "DATABASE_URL": "sqlite:////x/photos.db",
        "VECTOR_BACKEND": "faiss",
        "QDRANT_URL": "http://localhost:6333",
        "ORIGINALS_PATH": "/photos",
        "DERIVED_PATH": "/derived",
        "AI_CONFIDENCE_THRESHOLD": "80",
    }
    assert set(values) == set(PLAIN_NAMES)
    if place == "environment":
        for name, value in values.items():
            monkeypatch.setenv(name, value)
    elif place == "dotenv":
        (current_folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    else:
        cased = values if "capitals" in place else {name.lower(): value for name, value in values.items()}
        user_settings.write_text("".join(f'{name} = "{value}"\n' for name, value in cased.items()))
    config = load_config()
    assert config.deploy_profile == "P2"
    assert config.database_file == Path("/x/photos.db")
    assert config.ai_confidence_threshold == 80
    assert config.qdrant_url == "http://localhost:6333"
    assert (config.originals_path, config.derived_path) == (Path("/photos"), Path("/derived"))


def test_the_prefixed_name_wins_over_the_unprefixed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVED_PATH", "/plain")
    monkeypatch.setenv("PHOTOINDEX_DERIVED_PATH", "/own")
    assert load_config().derived_path == Path("/own")


def test_variables_that_only_look_like_settings_are_ignored(
    current_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIBRARY", "LOG__LEVEL", "SCAN__JOBS", "_PHOTOINDEX_COMPLETE", "PHOTOINDEX_TESTDATA"):
        monkeypatch.setenv(name, "/elsewhere")
    (current_folder / ".env").write_text("SECRET_KEY=abc\nLIBRARY=/elsewhere\n")
    assert load_config() == Config()


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOINDEX_SCAN__JOBS", "")
    monkeypatch.setenv("DEPLOY_PROFILE", "")
    assert load_config() == Config()


def test_a_list_in_a_variable_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOINDEX_SCAN__EXCLUDE", "*.tmp, raw/**")
    assert load_config().scan.exclude == ("*.tmp", "raw/**")


def test_folders_are_absolute_and_the_home_folder_is_expanded(
    current_folder: Path, user_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", "~/lib")
    user_settings.write_text('derived_path = "~/small"\n')
    config = load_config({"originals_path": Path("photos")})
    assert config.library == Path(os.environ["HOME"]) / "lib"
    assert config.derived_path == Path(os.environ["HOME"]) / "small"
    assert config.originals_path == current_folder / "photos"


def test_a_folder_name_that_is_not_utf_8_is_preserved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", os.fsdecode(b"/photos/\xff"))
    library = load_config().library
    assert library is not None
    assert os.fsencode(library) == b"/photos/\xff"


def test_the_settings_file_is_in_the_users_config_folder_unless_a_variable_moves_it(
    tmp_path: Path, current_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config_file() == Path(os.environ["HOME"]) / ".config" / "photoindex" / "config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert config_file() == tmp_path / "xdg" / "photoindex" / "config.toml"
    (current_folder / ".env").write_text("PHOTOINDEX_CONFIG=/from/dotenv.toml\n")
    assert config_file() == Path("/from/dotenv.toml")
    monkeypatch.setenv("PHOTOINDEX_CONFIG", "/from/environment.toml")
    assert config_file() == Path("/from/environment.toml")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_config().scan.jobs = 3


def test_an_unknown_key_is_refused_by_name_with_its_line_and_near_names(user_settings: Path) -> None:
    user_settings.write_text("[scan]\njobs = 1\njbos = 3\n")
    assert refusal() == f"unknown setting scan.jbos ({user_settings}:3); did you mean scan.jobs?"


def test_a_key_outside_its_section_gets_a_hint(user_settings: Path) -> None:
    user_settings.write_text("preview_quality = 3\n")
    assert "did you mean derived.preview_quality?" in refusal()


def test_an_unknown_section_and_a_value_for_a_section_are_refused(user_settings: Path) -> None:
    user_settings.write_text("[wine]\nage = 3\n")
    assert f"unknown setting wine ({user_settings}:1)" in refusal()
    user_settings.write_text("scan = 3\n")
    assert "scan.jobs" in refusal()


@pytest.mark.parametrize("place", ["environment", "dotenv"])
def test_an_unknown_variable_with_the_prefix_is_refused(
    place: str, current_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "environment":
        monkeypatch.setenv("PHOTOINDEX_SCAN__JBOS", "3")
    else:
        (current_folder / ".env").write_text("\nPHOTOINDEX_SCAN__JBOS=3\n")
    message = refusal()
    assert message.startswith("unknown variable PHOTOINDEX_SCAN__JBOS (")
    assert (".env:2" if place == "dotenv" else "environment") in message
    assert "did you mean PHOTOINDEX_SCAN__JOBS" in message


def test_a_bad_value_is_named_with_its_origin_and_what_is_allowed(
    user_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_settings.write_text("[derived]\npreview_quality = 101\n")
    assert refusal() == f"derived.preview_quality = 101 ({user_settings}:2): expected a whole number from 1 to 100"
    monkeypatch.setenv("PHOTOINDEX_DERIVED__PREVIEW_QUALITY", "best")
    assert refusal() == (
        "derived.preview_quality = best (environment PHOTOINDEX_DERIVED__PREVIEW_QUALITY): "
        "expected a whole number from 1 to 100"
    )


def test_all_bad_values_are_reported_at_once(user_settings: Path) -> None:
    user_settings.write_text('deploy_profile = "P9"\n[scan]\nexclude = [1]\nmax_megapixels = nan\n')
    assert refusal().splitlines() == [
        f"deploy_profile = P9 ({user_settings}:1): expected one of P1, P2, P3, P4",
        f"scan.exclude = [1] ({user_settings}:3): expected a list of patterns",
        f"scan.max_megapixels = nan ({user_settings}:4): expected a number greater than 0",
    ]


def test_a_hostile_value_cannot_move_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOINDEX_LOG__LEVEL", "\x1b[2J\ninfo")
    assert refusal().startswith("log.level = \\x1b[2J\\ninfo (environment")


@pytest.mark.parametrize("text", ["[scan\n", "jobs = \n", "a = 1\na = 2\n"])
def test_a_malformed_settings_file_is_named(text: str, user_settings: Path) -> None:
    user_settings.write_text(text)
    message = refusal()
    assert str(user_settings) in message
    assert re.search(r"line \d", message) or "overwrite" in message.lower()


def test_a_settings_file_that_is_not_text_or_not_a_file_is_named(user_settings: Path) -> None:
    user_settings.write_bytes(b"\xff\xfe")
    assert str(user_settings) in refusal()
    user_settings.unlink()
    user_settings.mkdir()
    assert str(user_settings) in refusal()


def test_a_chosen_settings_file_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PHOTOINDEX_CONFIG", str(tmp_path / "none.toml"))
    assert "none.toml" in refusal()


@pytest.mark.parametrize(("content", "line"), [(b"A=1\nwhat is this?\n", ":2"), (b"A='open\n", ":1"), (b"\xff", "")])
def test_a_malformed_dotenv_is_named_with_its_line(content: bytes, line: str, current_folder: Path) -> None:
    (current_folder / ".env").write_bytes(content)
    assert refusal().startswith(f".env{line} ")


def test_a_relative_folder_in_the_settings_file_is_refused(user_settings: Path) -> None:
    user_settings.write_text('library = "photos"\n')
    assert "expected a path that starts with / or ~" in refusal()


@pytest.mark.parametrize("value", ["", "a\0b", 3])
def test_an_invalid_path_is_refused(value: object) -> None:
    assert "(command line): expected a path" in refusal({"library": value})


@pytest.mark.parametrize("profile", ["P3", "P4"])
def test_a_profile_that_needs_servers_is_refused_with_a_one_line_error(
    profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_PROFILE", profile)
    message = refusal()
    assert "PostgreSQL" in message
    assert "Qdrant" in message
    assert "P1" in message
    assert "\n" not in message


def test_a_postgresql_database_is_refused_without_showing_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://me:hunter2@db/photos")
    message = refusal()
    assert "PostgreSQL is not supported" in message
    assert "hunter2" not in message
    assert "postgresql+psycopg://me:***@db/photos" in message


def test_a_qdrant_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECTOR_BACKEND", "qdrant")
    assert "Qdrant is not supported" in refusal()


@pytest.mark.parametrize(
    "url", ["mysql://h/db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:////a?mode=ro"]
)
def test_other_database_urls_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert "expected sqlite:///FILE" in refusal()


def test_a_password_in_the_settings_file_is_refused(user_settings: Path) -> None:
    user_settings.write_text('qdrant_url = "https://me:hunter2@host"\n')
    message = refusal()
    assert "PHOTOINDEX_QDRANT_URL" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:p@ss/w@h/db", "postgresql://me:***@h/db"),
        ("https://h/x?api_key=abc&a=1", "https://h/x?api_key=***&a=1"),
        ("sqlite:////home/a:b/photos.db", "sqlite:////home/a:b/photos.db"),
        ("C:/photos@home", "C:/photos@home"),
    ],
)
def test_secrets_in_urls_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_URL", "https://me:hunter2@host")
    setting = next(part for part in origins() if part.name == "qdrant_url")
    assert setting.shown() == "https://me:***@host"


def test_every_profile_has_a_file() -> None:
    for profile in ("P1", "P2", "P3", "P4"):
        assert profile_file(profile).is_file()


def test_every_setting_has_a_description_a_variable_and_a_range_text() -> None:
    for name, field in fields().items():
        assert field.description, name
        assert allowed(field), name
        assert variable_of(name) == "PHOTOINDEX_" + name.upper().replace(".", "__")
