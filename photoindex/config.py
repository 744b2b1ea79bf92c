"""The settings: code defaults < profile < config.toml < environment (and .env) < flags."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScanConfig(_Section):
    """How `scan` reads originals."""

    jobs: int | None = Field(default=None, ge=1, description="worker processes; default leaves 20 % of the cores")
    batch_size: int = Field(default=64, ge=1, description="files per transaction")
    walk_threads: int = Field(default=4, ge=1, description="directories listed at a time")
    exclude: tuple[str, ...] = Field(default=(), description="gitignore patterns that hold for every root")
    max_megapixels: float = Field(default=300.0, gt=0, description="larger pictures are refused before decoding")
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


class BackupConfig(_Section):
    """How snapshots are kept."""

    keep: int = Field(default=14, ge=1, description="snapshots kept in a destination")


class LogConfig(_Section):
    """The rotating log in the library."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level that is kept")
    max_mb: int = Field(default=10, ge=1, description="size at which the log is rotated, in MiB")
    keep: int = Field(default=5, ge=0, description="rotated logs kept")


class Config(_Section):
    """All settings, frozen; see `photoindex config show` for each value's origin."""

    deploy_profile: Literal["P1", "P2", "P3", "P4"] = Field(default="P1", description="size of the deployment")
    library: Path | None = Field(default=None, description="the library folder; default: the user's data folder")
    database_url: str | None = Field(default=None, description="default: SQLite in the library")
    vector_backend: str = Field(default="faiss", description="vector engine")
    qdrant_url: str | None = Field(default=None, description="Qdrant server, with vector_backend qdrant")
    originals_path: Path | None = Field(default=None, description="scanned where `scan` gets no PATH and knows no root")
    derived_path: Path | None = Field(default=None, description="previews and thumbnails; default: in the library")
    scan: ScanConfig = ScanConfig()
    derived: DerivedConfig = DerivedConfig()
    database: DatabaseConfig = DatabaseConfig()
    backup: BackupConfig = BackupConfig()
    log: LogConfig = LogConfig()


def load_config(flags: dict[str, object] | None = None) -> Config:
    """Return the settings in force; `flags` are those given on the command line, e.g. {"library": Path("x")}."""
    return Config.model_validate(flags or {})
