"""The settings: code defaults < profile < config.toml < environment (and .env) < flags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from typing import Any


def _folder(value: Any) -> Any:
    """Return an absolute path with `~` expanded; text goes past pydantic's own check, which refuses bytes that are not UTF-8."""
    if not isinstance(value, str | Path):
        return value
    text = str(value)
    if not text or "\0" in text:
        raise ValueError("a path is neither empty nor holds a NUL")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def _patterns(value: Any) -> Any:
    """Return a comma-separated text, as it comes from the environment, as a list; lists stay as they are."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Folder = Annotated[Path, BeforeValidator(_folder)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_patterns)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScanConfig(_Section):
    """How `scan` reads originals."""

    jobs: int | None = Field(default=None, ge=1, description="worker processes; default: as cores_share says")
    cores_share: float = Field(default=0.8, gt=0, le=1, description="share of the cores that workers take by default")
    batch_size: int = Field(default=64, ge=1, description="files per transaction")
    walk_threads: int = Field(default=4, ge=1, description="directories listed at a time")
    exclude: Patterns = Field(default=(), description="gitignore patterns that hold for every root")
    max_megapixels: float = Field(default=250.0, gt=0, description="larger pictures are refused before decoding")
    worker_memory_mb: int = Field(default=1536, ge=128, description="memory of one worker in MiB")
    file_seconds: float = Field(default=120.0, gt=0, description="time for one file, after which its worker is killed")


class DerivedConfig(_Section):
    """How previews and thumbnails are made."""

    preview_px: int = Field(default=1024, ge=256, le=4096, description="longest side of a preview")
    preview_quality: int = Field(default=82, ge=1, le=100, description="JPEG quality of a preview")
    thumbnail_px: int = Field(default=256, ge=64, le=512, description="longest side of a thumbnail")
    thumbnail_quality: int = Field(default=78, ge=1, le=100, description="JPEG quality of a thumbnail")


class DatabaseConfig(_Section):
    """How much memory SQLite may use."""

    cache_mb: int = Field(default=64, ge=1, description="page cache of one connection in MiB")
    mmap_mb: int = Field(default=256, ge=0, description="memory map of one connection in MiB")
    busy_seconds: float = Field(default=30.0, ge=0, description="how long to wait for another writer")


class EmbedConfig(_Section):
    """How pictures become vectors."""

    model: str = Field(
        default="clip-vit-b-32", min_length=1, description="model that `embed` uses; see: photoindex models list"
    )
    batch_size: int = Field(default=128, ge=1, le=4096, description="pictures a batch")
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        examples=["auto", "cpu", "cuda", "cuda:N"],
        description="what the model runs on; auto takes a GPU if there is one",
    )
    decode_threads: int | None = Field(
        default=None, ge=1, description="threads that decode previews; default: one a core"
    )
    gpu_free_share: float = Field(default=0.25, ge=0, lt=1, description="share of the GPU's memory that is left free")


class BackupConfig(_Section):
    """How snapshots are kept."""

    keep: int = Field(default=14, ge=1, description="snapshots kept in a destination")


class TimeConfig(_Section):
    """How times are understood."""

    home_zone: str | None = Field(
        default=None, description="zone of times that state none, such as Europe/Lisbon; default: left unknown"
    )

    @field_validator("home_zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        if value is None or value == "":
            return None
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(value)
        except (OSError, ValueError) as error:
            message = f"'{value}' is no time zone; write one like Europe/Lisbon"
            raise ValueError(message) from error
        return value


class LogConfig(_Section):
    """The rotating log in the library."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level that is kept")
    max_mb: int = Field(default=10, ge=1, description="size at which the log is rotated, in MiB")
    keep: int = Field(default=5, ge=0, description="rotated logs kept")


class Config(_Section):
    """All settings, frozen; see `photoindex config show` for each value's origin.

    Making one by hand reads nothing: `load_config` alone looks at files and the environment.
    """

    deploy_profile: Literal["P1", "P2", "P3", "P4"] = Field(
        default="P1", description="size of the deployment: P1 to 200,000 photos, P2 to 1,000,000"
    )
    library: Folder | None = Field(default=None, description="the library folder; default: the user's data folder")
    database_url: str | None = Field(default=None, description="sqlite:///FILE; default: SQLite in the library")
    vector_backend: Literal["faiss", "qdrant"] = Field(default="faiss", description="vector engine")
    qdrant_url: str | None = Field(default=None, description="Qdrant server, with vector_backend qdrant")
    originals_path: Folder | None = Field(
        default=None, description="scanned where `scan` gets no PATH and knows no root"
    )
    derived_path: Folder | None = Field(default=None, description="previews and thumbnails; default: in the library")
    models_path: Folder | None = Field(default=None, description="models and their lock file; default: in the library")
    scan: ScanConfig = ScanConfig()
    derived: DerivedConfig = DerivedConfig()
    embed: EmbedConfig = EmbedConfig()
    database: DatabaseConfig = DatabaseConfig()
    backup: BackupConfig = BackupConfig()
    log: LogConfig = LogConfig()
    time: TimeConfig = TimeConfig()

    @property
    def database_file(self) -> Path | None:
        """The SQLite file that `database_url` names, None where the database has its usual place in the library."""
        if self.database_url is None:
            return None
        return Path(self.database_url.removeprefix(SQLITE_PREFIX)).expanduser().absolute()


SQLITE_PREFIX = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force and where it came from.

    `name` is dotted (`scan.jobs`), `origin` is `default`, `profile P1`, a file with its line, a variable of the
    environment, or `command line`. `value` is what the program uses: it can hold a secret, `shown()` never does.
    """

    name: str
    value: object
    origin: str

    def shown(self) -> object:
        """Return the value for a person or for JSON: None, bool, int, float, str or a list of str."""
        from photoindex.config.secrets import without_secrets

        if isinstance(self.value, Path):
            return str(self.value)
        if isinstance(self.value, tuple):
            return [str(part) for part in self.value]
        return without_secrets(self.value) if isinstance(self.value, str) else self.value
