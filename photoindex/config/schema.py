"""The settings: code defaults < profile < config.toml < environment (and .env) < flags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from photoindex.decoder_memory import worker_memory_mb
from photoindex.permissions import Permissions
from photoindex.types import DerivedParams, Limits

if TYPE_CHECKING:
    from typing import Any


def _folder(value: Any) -> Any:
    """Return an absolute path with `~` expanded; text bypasses pydantic's own check, which rejects bytes that are not UTF-8."""
    if not isinstance(value, str | Path):
        return value
    text = str(value)
    if not text or "\0" in text:
        raise ValueError("a path must not be empty or contain NUL")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def _patterns(value: Any) -> Any:
    """Split comma-separated text, as given in the environment; lists stay as they are."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Folder = Annotated[Path, BeforeValidator(_folder)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_patterns)]


def _device(description: str) -> Any:
    return Field(
        pattern=r"^(auto|cpu|cuda(:\d+)?)$", examples=["auto", "cpu", "cuda", "cuda:N"], description=description
    )


Device = Annotated[str, _device("device the model runs on; auto uses a GPU if there is one")]
OnnxDevice = Annotated[str, _device("device the models run on; auto uses a GPU if ONNX Runtime can")]
DecodeThreads = Annotated[int | None, Field(ge=1, description="threads that decode previews; default: one per core")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _in_turn(description: str) -> Any:
    return Field(default=("local",), min_length=1, description=description)


class ScanConfig(_Section):
    """How `scan` reads originals."""

    jobs: int | None = Field(default=None, ge=1, description="worker processes; default: from cores_share")
    cores_share: float = Field(default=0.8, gt=0, le=1, description="share of the cores that workers and models use")
    batch_size: int = Field(default=64, ge=1, description="files per transaction")
    walk_threads: int = Field(default=4, ge=1, description="directories listed in parallel")
    exclude: Patterns = Field(default=(), description="gitignore patterns to exclude from every root")
    max_megapixels: float = Field(default=250.0, gt=0, description="larger pictures are rejected before decoding")
    worker_memory_mb: int | None = Field(
        default=None, ge=128, description="memory limit of one worker in MiB; default: enough for max_megapixels"
    )
    file_seconds: float = Field(
        default=120.0, gt=0, description="time limit for one file; its worker is killed after it"
    )

    @property
    def limits(self) -> Limits:
        """What one file may cost a worker."""
        memory_mb = self.worker_memory_mb or worker_memory_mb(self.max_megapixels * 1e6)
        return Limits(self.max_megapixels, memory_mb, self.file_seconds)


class DerivedConfig(_Section):
    """How previews and thumbnails are made."""

    preview_px: int = Field(default=1024, ge=256, le=4096, description="longest side of a preview")
    preview_quality: int = Field(default=82, ge=1, le=100, description="JPEG quality of a preview")
    thumbnail_px: int = Field(default=256, ge=64, le=512, description="longest side of a thumbnail")
    thumbnail_quality: int = Field(default=78, ge=1, le=100, description="JPEG quality of a thumbnail")

    @property
    def params(self) -> DerivedParams:
        """The same as a value for the rooms that know no settings."""
        return DerivedParams(**self.model_dump())


class DatabaseConfig(_Section):
    """How much memory SQLite may use."""

    cache_mb: int = Field(default=64, ge=1, description="page cache per connection in MiB")
    mmap_mb: int = Field(default=256, ge=0, description="memory map per connection in MiB")
    busy_seconds: float = Field(default=30.0, ge=0, description="how long to wait for another writer")


class EmbedConfig(_Section):
    """How `embed` computes vectors."""

    model: str = Field(
        default="clip-vit-b-32", min_length=1, description="model that `embed` uses; see: photoindex models list"
    )
    batch_size: int = Field(default=128, ge=1, le=4096, description="pictures per batch")
    device: Device = "auto"
    decode_threads: DecodeThreads = None
    gpu_free_share: float = Field(default=0.25, ge=0, lt=1, description="share of the GPU's memory to leave free")


class FacesConfig(_Section):
    """How `faces` looks for faces."""

    model: str = Field(
        default="yunet-sface", min_length=1, description="face pack that `faces` uses; see: photoindex models list"
    )
    batch_size: int = Field(default=32, ge=1, le=4096, description="pictures per batch")
    device: OnnxDevice = "auto"
    decode_threads: DecodeThreads = None
    small_face_px: int = Field(
        default=40, ge=8, le=400, description="faces --from originals reads photos whose preview shows smaller faces"
    )


class OcrConfig(_Section):
    """How `ocr` reads the text in pictures."""

    language: str = Field(
        default="auto",
        pattern=r"^[A-Za-z]\w*(/\w+)*(\+[A-Za-z]\w*(/\w+)*)*$",
        examples=["auto", "CODE", "CODE+CODE"],
        description="auto (the models of the extra `ocr`), or languages that Tesseract reads, in its names: rus, rus+eng",
    )
    batch_size: int = Field(default=8, ge=1, le=4096, description="pictures per batch")
    device: OnnxDevice = "auto"
    decode_threads: DecodeThreads = None
    providers: Patterns = _in_turn(
        "what reads, in turn; the next one is asked where one before it fails, see docs/providers.md"
    )


class TagsConfig(_Section):
    """How `tag auto` finds tags, objects and sensitive pictures."""

    vocabulary: Folder | None = Field(
        default=None, description="your own file of tags to look for; default: photoindex's, about 1,500"
    )
    language: Literal["en", "de", "fr", "es"] = Field(
        default="en", description="language of the names of photoindex's tags, where they have one"
    )
    models: Patterns = Field(
        default=(), description="descriptions (TOML files) of your own ONNX models that label pictures or find objects"
    )
    batch_size: int = Field(default=32, ge=1, le=4096, description="pictures per batch, where pictures are looked at")
    device: OnnxDevice = "auto"
    decode_threads: DecodeThreads = None
    providers: Patterns = _in_turn("what finds tags, in turn; the next one is asked where one before it fails")
    sensitive_providers: Patterns = _in_turn("what tells sensitive pictures, in turn, as providers")


class CaptionConfig(_Section):
    """How `caption` describes photos in words."""

    model: str = Field(
        default="blip-image-captioning-base",
        min_length=1,
        description="model that `caption` uses; see: photoindex models list. With an endpoint, the name that its server knows",
    )
    batch_size: int = Field(
        default=8, ge=1, le=1024, description="pictures per batch; with an endpoint, requests at a time"
    )
    device: Device = "auto"
    decode_threads: DecodeThreads = None
    gpu_free_share: float = Field(default=0.25, ge=0, lt=1, description="share of the GPU's memory to leave free")
    prompt: str | None = Field(
        default=None, max_length=4000, description="what the model is asked; default: what suits its family"
    )
    language: str = Field(
        default="en",
        pattern=r"^[a-z]{2}$",
        examples=["en", "de"],
        description="language of captions, as a code of two letters",
    )
    max_tokens: int = Field(
        default=120, ge=8, le=2000, description="maximum length of an answer; longer ones are refused"
    )
    trust_remote_code: bool = Field(
        default=False,
        description="run the Python code that a model brings along, such as that of moondream2; read it before",
    )
    endpoint: str | None = Field(
        default=None, description="an OpenAI-compatible server that describes photos: http://127.0.0.1:11434/v1"
    )
    endpoint_seconds: float = Field(
        default=120.0, gt=0, le=86_400, description="how long to wait for one answer of the endpoint"
    )
    allow_network: Patterns = Field(
        default=(), description="hosts other than this computer that previews may be sent to by caption.endpoint"
    )
    providers: Patterns = _in_turn(
        "what describes, in turn: local (a model, or caption.endpoint) and services; the next one is asked where one before it fails"
    )


class ProvidersConfig(_Section):
    """Which services may be asked, and how; each service has a section of its own."""

    allowed: Patterns = Field(
        default=(),
        description="services that previews may be sent to, with allow_network: google_vision, aws_rekognition",
    )
    never_send: str | None = Field(
        default=None,
        max_length=4000,
        description="a query for photos that no service may see, such as person:* or tag:private",
    )
    concurrency: int = Field(default=2, ge=1, le=64, description="calls of a service at a time")
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=3600, description="how long to wait for one answer of a service"
    )
    other_budget: float = Field(
        default=0.0,
        ge=0,
        le=1_000_000_000,
        description="what each service of another package may cost in a month, in its currency",
    )


class _ServiceConfig(_Section):
    """What a service costs, and where it is."""

    price_per_1000: float = Field(default=0.0, ge=0, le=1_000_000, description="price of 1,000 units")
    free_per_month: int = Field(default=0, ge=0, description="units of each feature a month that cost nothing")
    monthly_budget: float = Field(
        default=0.0, ge=0, le=1_000_000_000, description="what may be spent in a month (UTC); 0: free units alone"
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="currency of the prices: USD")
    url: str | None = Field(default=None, description="another server that answers like the service")


class GoogleVisionConfig(_ServiceConfig):
    """Google Cloud Vision; its unit is one feature of one picture."""

    price_per_1000: float = Field(default=1.5, ge=0, le=1_000_000, description="price of 1,000 units")
    free_per_month: int = Field(default=1000, ge=0, description="units of each feature a month that cost nothing")


class AwsRekognitionConfig(_ServiceConfig):
    """AWS Rekognition; its unit is one call for one picture."""

    price_per_1000: float = Field(default=1.0, ge=0, le=1_000_000, description="price of 1,000 units")
    region: str | None = Field(
        default=None, pattern=r"^[a-z0-9-]+$", description="region of the service: eu-west-1; default: AWS_REGION"
    )


class ClusterConfig(_Section):
    """When `cluster` groups all faces again, instead of only the new ones."""

    full_after_days: float = Field(default=7.0, gt=0, description="days after which all faces are grouped again")
    full_after_faces: int = Field(default=50_000, ge=1, description="new faces after which all are grouped again")


class RunConfig(_Section):
    """When `run` works: it waits while somebody else needs the computer."""

    scan: bool = Field(default=False, description="begin with a scan of all known folders")
    nice: int = Field(default=10, ge=0, le=19, description="niceness of the run; 19 is the lowest priority")
    max_cpu_util: int = Field(
        default=50, ge=1, le=100, description="wait while other programs use more of the processor, in percent"
    )
    max_gpu_util: int = Field(
        default=85, ge=1, le=100, description="wait while other programs use more of the GPU, in percent"
    )
    max_celsius: int = Field(default=90, ge=30, le=120, description="wait while processor or GPU are hotter")
    max_watts: int | None = Field(
        default=None,
        ge=1,
        description="wait while processor and GPU draw more, where the driver tells; default: no limit",
    )
    on_battery: bool = Field(default=False, description="work on battery power, too")


class BackupConfig(_Section):
    """How snapshots are kept."""

    keep: int = Field(default=14, ge=1, description="snapshots to keep in a destination")


class OpenConfig(_Section):
    """What `open` opens photos with."""

    command: str = Field(
        default="",
        description="program, with its options, that gets the paths of all photos; empty: the desktop's, for each photo",
    )


class TimeConfig(_Section):
    """How times are interpreted."""

    home_zone: str | None = Field(
        default=None, description="zone of times without one, such as Europe/Lisbon; default: unknown"
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
            message = f"'{value}' is not a time zone; write one like Europe/Lisbon"
            raise ValueError(message) from error
        return value


class SearchConfig(_Section):
    """How queries are understood."""

    sentences: bool = Field(
        default=True,
        description="in `search`, dates, places, cameras and kinds in bare words become fields, as --literal prevents",
    )
    hemisphere: Literal["north", "south"] = Field(
        default="north", description="where summer is: from June to August, or from December to February"
    )
    first_weekday: Literal["monday", "sunday"] = Field(
        default="monday", description="the day on which last-week begins"
    )


class LogConfig(_Section):
    """The rotating log in the library."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="minimum level to log")
    max_mb: int = Field(default=10, ge=1, description="size at which the log is rotated, in MiB")
    keep: int = Field(default=5, ge=0, description="rotated logs to keep")


class Config(_Section):
    """All settings, immutable; `photoindex config show` lists each value's origin.

    The constructor reads nothing: only `load_config` reads files and the environment.
    """

    deploy_profile: Literal["P1", "P2", "P3", "P4"] = Field(
        default="P1", description="size of the deployment: P1 to 200,000 photos, P2 to 1,000,000"
    )
    library: Folder | None = Field(default=None, description="the library folder; default: the user's data folder")
    database_url: str | None = Field(default=None, description="sqlite:///FILE; default: SQLite in the library")
    vector_backend: Literal["faiss", "qdrant"] = Field(default="faiss", description="vector engine")
    qdrant_url: str | None = Field(default=None, description="Qdrant server, with vector_backend qdrant")
    originals_path: Folder | None = Field(
        default=None, description="what `scan` scans without a PATH when the library has no root yet"
    )
    derived_path: Folder | None = Field(default=None, description="previews and thumbnails; default: in the library")
    models_path: Folder | None = Field(default=None, description="models and their lock file; default: in the library")
    ai_confidence_threshold: int = Field(
        default=70, ge=1, le=100, description="least confidence, in percent, of a tag by machine that is shown"
    )
    permissions: Permissions = Field(
        default="private", description="who may read what is made: private (you alone) or group (yours too)"
    )
    allow_network: bool = Field(
        default=False, description="whether previews may be sent to the services in providers.allowed"
    )
    scan: ScanConfig = ScanConfig()
    derived: DerivedConfig = DerivedConfig()
    embed: EmbedConfig = EmbedConfig()
    faces: FacesConfig = FacesConfig()
    ocr: OcrConfig = OcrConfig()
    tags: TagsConfig = TagsConfig()
    caption: CaptionConfig = CaptionConfig()
    providers: ProvidersConfig = ProvidersConfig()
    google_vision: GoogleVisionConfig = GoogleVisionConfig()
    aws_rekognition: AwsRekognitionConfig = AwsRekognitionConfig()
    cluster: ClusterConfig = ClusterConfig()
    run: RunConfig = RunConfig()
    database: DatabaseConfig = DatabaseConfig()
    backup: BackupConfig = BackupConfig()
    search: SearchConfig = SearchConfig()
    log: LogConfig = LogConfig()
    open: OpenConfig = OpenConfig()
    time: TimeConfig = TimeConfig()

    @property
    def database_file(self) -> Path | None:
        """The SQLite file that `database_url` names, None if the database is in the library folder."""
        if self.database_url is None:
            return None
        return Path(self.database_url.removeprefix(SQLITE_PREFIX)).expanduser().absolute()


SQLITE_PREFIX = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective value and its origin.

    `name` is dotted (`scan.jobs`), `origin` is `default`, `profile P1`, a file with a line number, an environment
    variable, or `command line`. `value` is what the program uses and may contain a secret; `shown()` never does.
    """

    name: str
    value: object
    origin: str

    def shown(self) -> object:
        """Return the value for display or JSON: None, bool, int, float, str or a list of str."""
        from photoindex.config.secrets import without_secrets

        if isinstance(self.value, Path):
            return str(self.value)
        if isinstance(self.value, tuple):
            return [str(part) for part in self.value]
        return without_secrets(self.value) if isinstance(self.value, str) else self.value
