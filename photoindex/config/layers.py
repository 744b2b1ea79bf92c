"""Reads and merges the layers of settings, validates them, and records the origin of each value."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from photoindex.config.names import flat, is_section
from photoindex.config.schema import SQLITE_PREFIX, Config, Setting
from photoindex.config.secrets import without_secrets
from photoindex.errors import ConfigError
from photoindex.paths import display

PREFIX = "PHOTOINDEX_"
PLAIN_NAMES = (
    "DEPLOY_PROFILE", "DATABASE_URL", "VECTOR_BACKEND", "QDRANT_URL", "ORIGINALS_PATH", "DERIVED_PATH",
    "AI_CONFIDENCE_THRESHOLD",
)  # fmt: skip
"""Settings that may also be given without the prefix, in the environment, in .env and in config.toml."""
CONFIG_VARIABLE = "PHOTOINDEX_CONFIG"
OTHER_VARIABLES = frozenset(
    {CONFIG_VARIABLE, "PHOTOINDEX_TESTDATA", "PHOTOINDEX_ENDPOINT_KEY", "PHOTOINDEX_GOOGLE_VISION_KEY"}
)
"""Variables with the prefix that are not settings: the path of config.toml, the tests' folder of real photos, and keys."""
DOTENV = Path(".env")
PROGRAM = "open.command"
DEFAULT = "default"
_MESSAGES_MAX = 10
_NOUNS: Mapping[type, str] = {
    tuple: "a list of patterns",
    bool: "true or false",
    Path: "a path",
    str: "text",
    int: "a whole number",
    float: "a number",
}


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as given in a layer, and where it was set."""

    value: object
    origin: str


_Layer = dict[str, _Given]


def fields() -> dict[str, FieldInfo]:
    """Return every setting by its dotted name, in the order of the schema."""
    found: dict[str, FieldInfo] = {}
    for name, field in Config.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found.update({f"{name}.{inner}": part for inner, part in section.model_fields.items()})
        else:
            found[name] = field
    return found


def variable_of(name: str) -> str:
    """Return the environment variable of a dotted name: scan.jobs -> PHOTOINDEX_SCAN__JOBS."""
    return PREFIX + name.replace(".", "__").upper()


def resolve(flags: Mapping[str, object]) -> tuple[Config, list[Setting]]:
    """Read all layers and return the settings and, in the order of `fields`, each with its origin. Raises ConfigError."""
    known = fields()
    layers = [
        _toml_layer(*user_file()),
        _variable_layer({name: f"{DOTENV}:{line}" for name, line in _dotenv_lines().items()}, DOTENV),
        _variable_layer(dict.fromkeys(os.environ, "environment")),
        {name: _Given(value, "command line") for name, value in flat(flags).items() if value is not None},
    ]
    profile = _merged(layers).get("deploy_profile", _Given(known["deploy_profile"].default, DEFAULT))
    given = _merged([_profile_layer(profile, known["deploy_profile"]), *layers])
    _refuse_unknown(given, known)
    _refuse_program_of_folder(given)
    try:
        config = Config.model_validate(_nested(given))
    except ValidationError as error:
        raise ConfigError(_sentences(error, given, known)) from None
    _refuse_unavailable(config, given)
    return config, [_setting(config, name, given) for name in known]


def user_file() -> tuple[Path, bool]:
    """Return the path of config.toml and whether `PHOTOINDEX_CONFIG` (environment or .env) set it."""
    chosen = os.environ.get(CONFIG_VARIABLE)
    if not chosen and CONFIG_VARIABLE in _dotenv_lines():
        from dotenv import dotenv_values

        chosen = dotenv_values(DOTENV).get(CONFIG_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute(), True
    import platformdirs

    return platformdirs.user_config_path("photoindex") / "config.toml", False


def profile_file(profile: str) -> Path:
    """Return the file of a profile."""
    return shipped_file(f"{profile.lower()}.toml")


def shipped_file(name: str) -> Path:
    """Return a file of the folder `config`: in the installed package, or in the source checkout."""
    package = Path(__file__).parent.parent
    folder = package / "_config"
    return (folder if folder.is_dir() else package.parent / "config") / name


def allowed(field: FieldInfo) -> str:
    """Describe the allowed values of a setting: `a whole number from 1 to 100`, `one of P1, P2, P3, P4`."""
    kind = _kind(field)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if field.examples:
        return "one of " + ", ".join(map(str, field.examples))
    noun = _NOUNS[get_origin(kind) or kind]
    least, above, most = (
        next((getattr(part, bound) for part in field.metadata if hasattr(part, bound)), None)
        for bound in ("ge", "gt", "le")
    )
    if least is not None and most is not None:
        return f"{noun} from {least} to {most}"
    if least is not None:
        return f"{noun} of at least {least}"
    return f"{noun} greater than {above}" if above is not None else noun


def _kind(field: FieldInfo) -> Any:
    """Return the type of a setting without `None` and without `Annotated`."""
    kind: Any = field.annotation
    members = [member for member in get_args(kind) if member is not type(None)]
    if type(None) in get_args(kind):
        kind = members[0]
    return kind.__origin__ if hasattr(kind, "__metadata__") else kind


def _nested(given: _Layer) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, part in given.items():
        section, dot, inner = name.partition(".")
        if dot:
            nested.setdefault(section, {})[inner] = part.value
        else:
            nested[name] = part.value
    return nested


def _merged(layers: Iterable[_Layer]) -> _Layer:
    merged: _Layer = {}
    for layer in layers:
        merged |= layer
    return merged


def _setting(config: Config, name: str, given: _Layer) -> Setting:
    value: object = config
    for part in name.split("."):
        value = getattr(value, part)
    return Setting(name, value, given[name].origin if name in given else DEFAULT)


def _profile_layer(profile: _Given, field: FieldInfo) -> _Layer:
    name = profile.value
    if name not in get_args(_kind(field)):
        return {}  # validation reports the bad value and its origin
    layer = _toml_layer(profile_file(str(name)), must_exist=True)
    return {key: _Given(part.value, f"profile {name}") for key, part in layer.items()}


def _toml_layer(path: Path, must_exist: bool) -> _Layer:  # noqa: FBT001
    shown = display(os.fsencode(path))
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        if must_exist:
            raise ConfigError(f"there is no settings file {shown}; create it or unset {CONFIG_VARIABLE}") from None
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"the settings file {shown} cannot be read: {error}") from None
    named = {name.lower() if name in PLAIN_NAMES else name: value for name, value in values.items()}
    lines = _toml_lines(text)
    layer: _Layer = {}
    for name, value in flat(named).items():
        line = lines.get(name) or lines.get(name.upper())
        layer[name] = _Given(value, f"{shown}:{line}" if line else shown)
    _refuse_in_file(layer)
    return layer


def _toml_lines(text: str) -> dict[str, int]:
    """Return the line of each dotted key, found by regular expressions; only for error messages and origins."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([\w\s.\"'-]+?)\s*\]", line):
            section = re.sub(r"[\s\"']", "", header[1])
            lines.setdefault(section, number)
            section += "."
        elif key := re.match(r"\s*([\w\s.\"'-]+?)\s*=", line):
            lines.setdefault(section + re.sub(r"[\s\"']", "", key[1]), number)
    return lines


def _refuse_in_file(layer: _Layer) -> None:
    """Reject relative paths, which would depend on the current folder, and secrets, which belong in the environment."""
    known = fields()
    for name, part in layer.items():
        if not isinstance(part.value, str) or name not in known:
            continue
        if _kind(known[name]) is Path and not part.value.startswith(("/", "~")):
            raise ConfigError(f"{name} = {_shown(part.value)} ({part.origin}): expected a path that starts with / or ~")
        if without_secrets(part.value) != part.value:
            raise ConfigError(
                f"{name} ({part.origin}) holds a password; set {variable_of(name)} in the environment instead"
            )


def _dotenv_lines() -> dict[str, int]:
    """Return the names in .env with their line numbers. Raises ConfigError if it cannot be parsed."""
    if not DOTENV.is_file():
        return {}
    from dotenv.parser import parse_stream

    lines: dict[str, int] = {}
    try:
        with DOTENV.open(encoding="utf-8") as stream:
            for binding in parse_stream(stream):
                blank = len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
                line = binding.original.line + binding.original.string[:blank].count("\n")
                if binding.error:
                    raise ConfigError(f"{DOTENV}:{line} cannot be read; expected NAME=value")
                if binding.key is not None:
                    lines[binding.key] = line
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{DOTENV} in the current folder cannot be read: {error}") from None
    return lines


def _variable_layer(places: Mapping[str, str], dotenv: Path | None = None) -> _Layer:
    """Read the settings among the variables of `places` (name -> origin); prefixed names win over bare ones."""
    by_upper = {name.upper(): (name, place) for name, place in places.items()}
    known = {variable_of(name): name for name in fields()}
    for variable, (name, place) in by_upper.items():
        if variable.startswith(PREFIX) and variable not in known and variable not in OTHER_VARIABLES:
            raise ConfigError(f"unknown variable {_shown(name)} ({place}){_near(variable, known)}")
    known = {name: name.lower() for name in PLAIN_NAMES} | known
    given = {variable: place for variable, place in by_upper.items() if variable in known}
    if not given:
        return {}  # without importing pydantic-settings, a fifth of the time to load settings
    from photoindex.config.environment import read_variables

    values = read_variables(PREFIX, dotenv)
    bare = read_variables("", dotenv)
    layer: _Layer = {}
    for variable, name in known.items():
        found = values if variable.startswith(PREFIX) else bare
        if variable in given and name in found:
            layer[name] = _Given(found[name], " ".join(reversed(given[variable])))
    return layer


def _refuse_unknown(given: _Layer, known: Mapping[str, FieldInfo]) -> None:
    for name, part in given.items():
        if is_section(name):
            inner = next(setting for setting in known if setting.startswith(f"{name}."))
            raise ConfigError(f"{name} ({part.origin}) is a section; set one of its settings, such as {inner}")
        if name not in known:
            raise ConfigError(f"unknown setting {_shown(name)} ({part.origin}){_near(name, known)}")


def _refuse_program_of_folder(given: _Layer) -> None:
    """Reject a program that the .env of the current folder names, itself or in a settings file: it may be an unpacked archive."""
    part = given.get(PROGRAM)
    if part is None:
        return
    chosen_there = CONFIG_VARIABLE in _dotenv_lines() and not os.environ.get(CONFIG_VARIABLE)
    if part.origin.startswith(f"{DOTENV}:") or (
        chosen_there and part.origin.startswith(display(os.fsencode(user_file()[0])))
    ):
        raise ConfigError(
            f"{PROGRAM} ({part.origin}) names a program to run, which the {DOTENV} of a folder may not do; set it in your "
            f"own config.toml or in the environment, as {variable_of(PROGRAM)}"
        )


def _near(name: str, known: Iterable[str]) -> str:
    import difflib

    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3) or [full for full in names if full.endswith(f".{name}")]
    return f"; did you mean {' or '.join(near)}?" if near else "; `photoindex config show` lists all settings"


def _sentences(error: ValidationError, given: _Layer, known: Mapping[str, FieldInfo]) -> str:
    found: dict[str, str] = {}
    for detail in error.errors():
        name = ".".join(str(part) for part in detail["loc"])
        while name not in given and "." in name:
            name = name.rpartition(".")[0]
        part = given[name]
        found[name] = f"{name} = {_shown(part.value)} ({part.origin}): expected {allowed(known[name])}"
    return "\n".join(list(found.values())[:_MESSAGES_MAX])


def _shown(value: object) -> str:
    text = without_secrets(value) if isinstance(value, str) else repr(value)
    shown = display(text.encode("utf-8", "surrogateescape"))
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _refuse_unavailable(config: Config, given: _Layer) -> None:
    """Reject a deployment that this version does not support, saying what is missing."""
    if config.deploy_profile in ("P3", "P4"):
        origin = given["deploy_profile"].origin
        raise ConfigError(
            f"profile {config.deploy_profile} ({origin}) needs PostgreSQL and Qdrant, which this version does not support: "
            "use P1 (to 200,000 photos) or P2 (to 1,000,000)"
        )
    if config.vector_backend == "qdrant":
        raise ConfigError(
            f"vector_backend = qdrant ({given['vector_backend'].origin}): Qdrant is not supported in this version; use faiss"
        )
    url = config.database_url
    if url is None:
        return
    said = f"database_url = {_shown(url)} ({given['database_url'].origin})"
    if url.startswith("postgres"):
        raise ConfigError(
            f"{said}: PostgreSQL is not supported in this version; use {SQLITE_PREFIX}FILE or leave it out"
        )
    file = url.removeprefix(SQLITE_PREFIX)
    if file == url or not file or file.startswith(":") or "?" in file:
        raise ConfigError(f"{said}: expected {SQLITE_PREFIX}FILE")
