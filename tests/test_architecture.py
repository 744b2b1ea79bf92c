"""Checks the architecture's rules on the syntax tree of every module."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "photoindex"

VALUES = frozenset(
    {
        "types", "errors", "paths", "mounts", "text", "progress", "durations", "atomic_files", "decoder_memory", "file_access",
        "permissions",
    }
)  # fmt: skip
"""The top-level modules that every room may import and that import only each other."""

BOTTOM = frozenset({"values"})
RULES = BOTTOM | {"query", "domain", "geo"}
ENGINES = RULES | {"media", "models", "providers", "vectors"}

ARROWS: Mapping[str, frozenset[str]] = {
    "values": BOTTOM,
    "config": BOTTOM,
    "query": BOTTOM,
    "domain": BOTTOM,
    "geo": BOTTOM | {"query", "domain"},
    "media": RULES,
    "models": RULES,
    "providers": RULES | {"models"},
    "vectors": RULES,
    "store": RULES,
    "stages": BOTTOM | {"domain", "media", "models", "providers"},
    "pipeline": ENGINES | {"store", "stages"},
    "library": ENGINES | {"store", "stages", "pipeline", "config"},
    "app": ENGINES | {"store", "stages", "pipeline", "config", "library"},
    "cli": BOTTOM | {"query", "config", "library", "app"},
    "__main__": BOTTOM | {"cli"},
}
"""Which rooms each room may import besides itself; arrows point one way, from the command line down to values."""

SQL_ROOMS = frozenset({"store", "geo"})
"""The store, and the read-only file of place names, which is not part of a library."""

HEAVY = frozenset(
    {
        "alembic", "av", "boto3", "botocore", "cv2", "faiss", "ftfy", "hdbscan", "huggingface_hub", "insightface", "jinja2", "onnx",
        "onnxruntime", "onnxscript", "open_clip", "rawpy", "safetensors", "scipy", "sklearn", "sqlite_utils", "tokenizers",
        "torch", "torchvision", "transformers",
    }
)  # fmt: skip
"""Libraries that are slow or large, so only the functions that need them import them."""

HEAVY_FOR_CLI = HEAVY | {
    "PIL", "blake3", "dotenv", "exifread", "filelock", "imagehash", "numpy", "pathspec", "pebble", "pillow_heif",
    "pillow_jxl", "platformdirs", "psutil", "pydantic", "pydantic_settings", "rich", "simplejpeg", "sqlalchemy",
    "sqlite3", "zstandard",
}  # fmt: skip
"""Libraries that modules of the command line import only inside functions, so that --help is fast."""

DATABASE_LIBRARIES = frozenset({"alembic", "sqlalchemy", "sqlite3", "sqlite_utils"})
DATABASE_TYPES = frozenset({"Connection"})
"""What other rooms may import from them: the type of the connection that they pass between store functions."""
DATABASE_CALLS = frozenset({"execute", "executemany", "executescript", "exec_driver_sql", "scalars"})

ONE_ENGINE = ("store.engine.", "store.schema.migrate", "store.schema.migrations.", "geo.database")
"""Where SQLite may be used directly: its engine, the migrations, and the file of place names."""
ENGINE_LIBRARIES = ("sqlite3", "sqlite_utils", "sqlalchemy.dialects")
ENGINE_WORDS = re.compile(
    r"\bhex\(|\b(PRAGMA|FTS5|MATCH|bm25|GLOB|rowid|sqlite_\w+|json_(extract|each|array_length|group_array)|typeof|strftime\('"
    r"|MATERIALIZED|INDEXED BY|AUTOINCREMENT|WITHOUT ROWID|INSERT OR|OR IGNORE|OR REPLACE|REPLACE INTO)\b"
)
ENGINE_FUNCTIONS = frozenset(
    {
        "bm25",
        "group_concat",
        "hex",
        "instr",
        "json_array_length",
        "json_each",
        "json_extract",
        "strftime",
        "typeof",
        "unixepoch",
    }
)
ENGINE_KEYWORDS = frozenset({"literal_execute", "sqlite_autoincrement", "sqlite_where"})

MODULE_LINES_MAX = 500
FOLDER_MODULES_MAX = 20
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 6

# All exceptions to the rules, with their reasons; one that is no longer needed fails its test.
MAY_IMPORT: Mapping[tuple[str, str], str] = {}
LONG_MODULES: Mapping[str, str] = {}
LONG_FUNCTIONS: Mapping[str, str] = {}
MANY_PARAMETERS: Mapping[str, str] = {}
LARGE_FOLDERS: Mapping[str, str] = {"cli/commands": "one module per command"}


@dataclass(frozen=True)
class Import:
    """An import: the dotted name and line, whether it runs when the importing module is imported, and the names it
    takes (none for a plain `import`)."""

    name: str
    line: int
    at_import: bool
    names: frozenset[str] = frozenset()


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name, e.g. `store.tables`; `__init__` files by their folder."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts) or "__init__"] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def file_of(module: str) -> Path:
    path = PACKAGE / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def room_of(module: str) -> str:
    """The room of a module, given its dotted name."""
    first = module.partition(".")[0]
    return "values" if first in VALUES or first == "__init__" else first


def imports(tree: ast.Module) -> list[Import]:
    """All imports of a module, including those inside functions."""
    return list(_imports(tree, at_import=True))


def _imports(node: ast.AST, *, at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, at_import) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = "." * child.level + (child.module or "")
            if base == "photoindex":
                yield from (Import(f"photoindex.{alias.name}", child.lineno, at_import) for alias in child.names)
            else:
                yield Import(base, child.lineno, at_import, frozenset(alias.name for alias in child.names))
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for part in child.body:
                yield from _imports(ast.Module([part], []), at_import=False)
            for part in child.orelse:
                yield from _imports(ast.Module([part], []), at_import=at_import)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, at_import=at_import and not inside)


def functions(tree: ast.Module, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """All functions of a module with their dotted names."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{prefix}.{child.name}", child
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            yield from walk(child, f"{prefix}.{child.name}" if named else prefix)

    return walk(tree, prefix)


def check_rule(found: Mapping[str, str], exceptions: Mapping[str, str], rule: str) -> None:
    """Fail for breaches that are not listed as exceptions, and for exceptions that are no longer needed."""
    breaches = [text for name, text in found.items() if name not in exceptions]
    assert not breaches, f"{rule}:\n  " + "\n  ".join(breaches)
    assert not set(exceptions) - set(found), f"no longer needed: {sorted(set(exceptions) - set(found))}"
    assert all(reason.strip() for reason in exceptions.values())


def test_imports_follow_the_arrows_between_rooms() -> None:
    breaches = {}
    for module, tree in modules().items():
        room = room_of(module)
        for found in imports(tree):
            if not found.name.startswith("photoindex"):
                continue
            target = room_of(found.name.removeprefix("photoindex").lstrip(".") or "__init__")
            # A name taken from the package itself, such as __version__, is a value.
            target = "values" if target not in ARROWS else target
            if target != room and target not in ARROWS[room] and (module, found.name) not in MAY_IMPORT:
                breaches[f"{module}:{found.line}"] = f"{module}:{found.line} ({room}) imports {found.name} ({target})"
    check_rule(breaches, {}, "an import against the arrows")


def test_every_room_is_known() -> None:
    assert {room_of(module) for module in modules()} <= set(ARROWS)


def test_imports_are_absolute_and_click_is_never_imported() -> None:
    breaches = {
        f"{module}:{found.line}": f"{module}:{found.line} imports {found.name}"
        for module, tree in modules().items()
        for found in imports(tree)
        if found.name.startswith(".") or found.name.partition(".")[0] == "click"
    }
    check_rule(breaches, {}, "a relative import, or Click, which Typer brings with it under its own name")


def test_heavy_libraries_are_imported_inside_the_functions_that_need_them() -> None:
    breaches = {}
    for module, tree in modules().items():
        if module.startswith("store.schema.migrations."):
            continue  # only Alembic imports these, when there is something to migrate
        heavy = HEAVY_FOR_CLI if room_of(module) in ("cli", "__main__") else HEAVY
        for found in imports(tree):
            if found.at_import and found.name.partition(".")[0] in heavy and (module, found.name) not in MAY_IMPORT:
                breaches[f"{module}:{found.line}"] = f"{module}:{found.line} imports {found.name} at its top"
    check_rule(breaches, {}, "a heavy import at the top of a module")


def test_the_command_line_imports_other_rooms_inside_its_functions() -> None:
    light = {
        "photoindex." + name
        for name in (
            "durations",
            "errors",
            "file_access",
            "paths",
            "permissions",
            "progress",
            "text",
            "types",
            "query.syntax",
            "query.vocabulary",
        )
    } | {"photoindex.__version__"}
    breaches = {
        f"{module}:{found.line}": f"{module}:{found.line} imports {found.name} at its top"
        for module, tree in modules().items()
        if room_of(module) == "cli"
        for found in imports(tree)
        if found.at_import
        and found.name.startswith("photoindex")
        and not found.name.startswith("photoindex.cli")
        and found.name not in light
        and (module, found.name) not in MAY_IMPORT
    }
    check_rule(breaches, {}, "a module of the command line that imports another room at its top")


def test_every_allowed_import_still_exists() -> None:
    there = {(module, found.name) for module, tree in modules().items() for found in imports(tree)}
    assert set(MAY_IMPORT) <= there
    assert all(MAY_IMPORT.values())


def test_only_the_store_uses_the_database() -> None:
    breaches = {}
    for module, tree in modules().items():
        if room_of(module) in SQL_ROOMS:
            continue
        for found in imports(tree):
            typed = found.names and found.names <= DATABASE_TYPES
            library = found.name.partition(".")[0]
            if library in DATABASE_LIBRARIES and not typed and (module, found.name) not in MAY_IMPORT:
                breaches[f"{module}:{found.line}"] = f"{module}:{found.line} imports {found.name}"
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in DATABASE_CALLS:
                breaches[f"{module}:{called.lineno}"] = f"{module}:{called.lineno} calls {called.attr}()"
    check_rule(breaches, {}, "SQL outside the store")


def test_a_stage_is_one_module_and_one_registration() -> None:
    from photoindex.stages import STAGES

    named = {name.removeprefix("stages.") for name in modules() if name.startswith("stages.")} - {"base"}
    assert {stage.name for stage in STAGES} == named
    opened = {stage.open.partition(":")[0] for stage in STAGES if stage.open}
    assert opened <= {f"photoindex.stages.{name}" for name in named}
    runner = [name for name in modules() if name.startswith("pipeline.run.")]
    known = {
        f"{name} imports {found.name}"
        for name in runner
        for found in imports(modules()[name])
        if found.name.startswith("photoindex.stages.") and not found.name.startswith("photoindex.stages.base")
    }
    assert not known, "the runner knows a stage"


def docstrings(tree: ast.Module) -> set[int]:
    """The ids of the nodes that are docstrings, including those of attributes."""
    blocks = [node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list)]
    return {id(one.value) for block in blocks for one in block if isinstance(one, ast.Expr)}


def engine_specific_code(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The lines of a module that only one database engine supports."""
    for found in imports(tree):
        if found.name.startswith(ENGINE_LIBRARIES):
            yield found.line, f"imports {found.name}"
    documented = docstrings(tree)
    in_sql = room_of(module) in SQL_ROOMS
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            if in_sql and (match := ENGINE_WORDS.search(node.value)):
                yield node.lineno, f"contains {match[0]}"
        elif isinstance(node, ast.Call) and ast.unparse(node).endswith(", LargeBinary)"):
            yield node.lineno, "converts to bytes, which the engine stores in its own way"
        elif isinstance(node, ast.Call) and "substr" in ast.unparse(node.func) and ", -" in ast.unparse(node):
            yield node.lineno, "counts from the end of a text"
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("func", "sa.func"):
            if node.attr in ENGINE_FUNCTIONS:
                yield node.lineno, f"calls {node.attr}"
        elif isinstance(node, ast.keyword) and node.arg in ENGINE_KEYWORDS:
            yield node.value.lineno, f"passes {node.arg}"


def test_only_the_engine_depends_on_a_particular_database() -> None:
    breaches = {
        f"{module}:{line}": f"{module}:{line} {what}"
        for module, tree in modules().items()
        if not f"{module}.".startswith(ONE_ENGINE) and not module.startswith(ONE_ENGINE)
        for line, what in engine_specific_code(module, tree)
    }
    check_rule(breaches, {}, "engine-specific code outside store/engine/")


def test_engine_specific_code_is_detected() -> None:
    source = '''
"""A docstring may say PRAGMA."""
import sqlite3
from sqlalchemy.dialects.sqlite import insert
A = func.json_extract(column, "$.a")
B = text("PRAGMA foreign_keys")
C = bindparam(None, 1, literal_execute=True)
D = column.bool_op("GLOB")("*")
"""rowid"""
'''
    assert [what for _line, what in sorted(engine_specific_code("store.made_up", ast.parse(source)))] == [
        "imports sqlite3", "imports sqlalchemy.dialects.sqlite", "calls json_extract", "contains PRAGMA",
        "passes literal_execute", "contains GLOB",
    ]  # fmt: skip


ORIGINALS_ROOMS = (
    "media", "pipeline.ingest", "pipeline.scan", "library.scan",
    "library.originals", "library.photos", "library.duplicates",
)  # fmt: skip
DIRECT_FILE_CALLS = {
    "open", "os.open", "os.stat", "os.lstat", "os.access", "os.scandir", "os.listdir",
    "os.path.exists", "os.path.lexists", "os.path.isfile", "os.path.isdir", "os.path.islink", "os.path.getsize",
}  # fmt: skip
MAY_CALL = {
    ("pipeline.scan.walk", "os.stat"): "inside file_access.reached",
    ("pipeline.scan.walk", "os.scandir"): "inside file_access.reached",
    ("library.duplicates.plan", "os.path.lexists"): "the output file",
    ("library.duplicates.file_operations", "os.open"): "inside file_access.reached",
    ("pipeline.ingest.derived_check", "os.scandir"): "the derived folder, whose paths are short",
    ("pipeline.ingest.derived_check", "os.listdir"): "the derived folder, whose paths are short",
}


def direct_file_calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The calls of a module that take a path without file_access."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in DIRECT_FILE_CALLS:
            yield node.lineno, called


def test_originals_are_reached_through_file_access() -> None:
    """Direct calls fail beyond PATH_MAX, some without an error, and wait for ever at a FIFO."""
    calls = {
        (module, called): line
        for module, tree in modules().items()
        if module.startswith(ORIGINALS_ROOMS)
        for line, called in direct_file_calls(tree)
    }
    breaches = {
        f"{module}:{called}": f"{module}:{line} calls {called}"
        for (module, called), line in calls.items()
        if (module, called) not in MAY_CALL
    }
    check_rule(breaches, {}, "a direct call on a path of an original")
    assert set(MAY_CALL) <= set(calls)


WRITING_CALLS = {
    *(f"os.{name}" for name in (
        "rename", "renames", "replace", "link", "symlink", "unlink", "remove", "rmdir", "removedirs", "mkdir", "makedirs",
        "truncate", "chmod", "fchmod", "chown", "utime", "write",
    )),
    "rename_new", "exchange", "atomic_file", "publish", "shutil.move", "shutil.copyfile", "shutil.rmtree",
}  # fmt: skip
CHANGES_ORIGINALS = "library.duplicates.file_operations"
WRITES_ITS_OWN = ("pipeline.ingest.derived_",)
"""Modules of these rooms that write derived files."""


def test_originals_are_moved_and_linked_in_one_module_alone() -> None:
    """`duplicates apply` is the one command that touches originals, and `undo` puts them back."""
    calls = {
        (module, called)
        for module, tree in modules().items()
        if module.startswith(ORIGINALS_ROOMS) and not module.startswith(WRITES_ITS_OWN)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in WRITING_CALLS
    }
    assert {module for module, _ in calls} == {CHANGES_ORIGINALS}
    assert not {called for _, called in calls} & {"os.truncate", "shutil.move", "shutil.copyfile", "shutil.rmtree"}


def test_direct_file_calls_are_detected() -> None:
    source = "a = os.path.isdir(path)\nwith open(path) as file: pass\nb = file_access.open_file(path)"
    assert [called for _line, called in direct_file_calls(ast.parse(source))] == ["os.path.isdir", "open"]


def test_only_the_command_line_prints_or_exits() -> None:
    breaches = {}
    for module, tree in modules().items():
        if room_of(module) in ("cli", "__main__"):
            continue
        for node in ast.walk(tree):
            text = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
            called = isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "exit", "quit", "input")
            if called or text in ("sys.stdout", "sys.stderr", "sys.stdin", "sys.exit", "SystemExit"):
                breaches[f"{module}:{node.lineno}"] = f"{module}:{node.lineno}: {ast.unparse(node)[:60]}"  # type: ignore[attr-defined]
    check_rule(breaches, {}, "printing, reading standard input or ending the program below the command line")


def test_no_function_assigns_a_global_name() -> None:
    breaches = {
        f"{module}:{node.lineno}": f"{module}:{node.lineno}: {ast.unparse(node)}"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
    }
    check_rule(breaches, {}, "global state")


def test_modules_stay_short() -> None:
    found = {}
    for module in modules():
        lines = len(file_of(module).read_text(encoding="utf-8").splitlines())
        if lines > MODULE_LINES_MAX:
            found[module] = f"{module} has {lines} lines"
    check_rule(found, LONG_MODULES, f"a module of over {MODULE_LINES_MAX} lines")


def test_no_folder_is_crowded() -> None:
    counts = Counter(
        str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"
    )
    found = {folder: f"{folder}/ has {count} modules" for folder, count in counts.items() if count > FOLDER_MODULES_MAX}
    check_rule(found, LARGE_FOLDERS, f"a folder of over {FOLDER_MODULES_MAX} modules")


def test_functions_stay_short() -> None:
    found = {}
    for module, tree in modules().items():
        for name, function in functions(tree, module):
            # A command's parameters declare its options, so only its body is counted.
            first = function.body[0].lineno if room_of(module) == "cli" else function.lineno
            lines = (function.end_lineno or first) - first + 1
            if lines > FUNCTION_LINES_MAX:
                found[name] = f"{name} has {lines} lines"
    check_rule(found, LONG_FUNCTIONS, f"a function of over {FUNCTION_LINES_MAX} lines")


def test_functions_take_few_parameters_except_commands() -> None:
    found = {}
    for module, tree in modules().items():
        if room_of(module) == "cli":
            continue
        for name, function in functions(tree, module):
            taken = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            names = [part.arg for part in taken if part.arg not in ("self", "cls")]
            if len(names) > PARAMETERS_MAX:
                found[name] = f"{name} takes {len(names)} parameters"
    check_rule(found, MANY_PARAMETERS, f"a function of over {PARAMETERS_MAX} parameters")


def test_the_tuple_of_commands_lists_every_module_with_register() -> None:
    (listed,) = (
        node.value
        for node in modules()["cli.main"].body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "COMMANDS"
    )
    assert listed is not None
    commands = ast.literal_eval(listed)
    assert isinstance(commands, tuple)
    assert len(set(commands)) == len(commands)
    registering = {
        module.removeprefix("cli.commands.")
        for module, tree in modules().items()
        if module.startswith("cli.commands.")
        and any(isinstance(node, ast.FunctionDef) and node.name == "register" for node in tree.body)
    }
    assert set(commands) == registering


def imported_by(*arguments: str) -> set[str]:
    """The top-level modules that Python imports to run `photoindex` with `arguments`."""
    command = [sys.executable, "-X", "importtime", "-m", "photoindex", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    lines = (line for line in result.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    # Typer renders the help with Rich, so Rich is allowed.
    assert not imported_by(*arguments) & (HEAVY_FOR_CLI - {"rich"})


def test_imports_that_run_at_import_are_distinguished_from_the_others() -> None:
    source = """
import heavy.part
from photoindex import paths
if TYPE_CHECKING:
    from photoindex.store import tables
else:
    import other
class Thing:
    import inside_class
    def method(self):
        import inside_function
try:
    import tried
except ImportError:
    pass
"""
    assert {(found.name, found.at_import) for found in imports(ast.parse(source))} == {
        ("heavy.part", True),
        ("photoindex.paths", True),
        ("photoindex.store", False),
        ("other", True),
        ("inside_class", True),
        ("inside_function", False),
        ("tried", True),
    }
