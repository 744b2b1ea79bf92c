"""The manifest of a generation, and the chain of checksums that verifies its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from photoindex.vectors.base import IndexDamaged

FORMAT = 1
CURRENT_NAME = "CURRENT"
MANIFEST_NAME = "manifest.json"
CODES_NAME = "codes.faiss"
VECTORS_NAME = "vectors.f16"
IDS_NAME = "ids.i64"
SAMPLE_NAME = "sample.f16"
GENERATION_PREFIX = "gen-"


@dataclass(frozen=True, slots=True)
class Piece:
    """Vectors written together: their number and the BLAKE3 digest of their bytes (hexadecimal)."""

    rows: int
    blake3: str


@dataclass(frozen=True, slots=True)
class GenerationManifest:
    """The content of one generation.

    rows: number of vectors. largest_id: their largest id. coded_from: number of vectors that the codes were trained on,
    0 if there are no codes. digests: BLAKE3 of the small files by name. pieces: of the vectors. made_at: seconds since
    1970. faiss: the version that made the codes.
    """

    dim: int
    rows: int
    largest_id: int
    coded_from: int
    made_at: float
    faiss: str
    digests: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[Piece, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the content of `manifest.json`."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> GenerationManifest:
        """Parse the output of `to_bytes`. Raises IndexDamaged for anything else."""
        try:
            value = json.loads(content)
            if value.pop("format") != FORMAT:
                raise IndexDamaged("the index has the format of another version")
            value["pieces"] = tuple(Piece(int(one["rows"]), str(one["blake3"])) for one in value["pieces"])
            found = cls(**value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IndexDamaged(f"{MANIFEST_NAME} cannot be read") from error
        if sum(one.rows for one in found.pieces) != found.rows:
            raise IndexDamaged(f"{MANIFEST_NAME} is inconsistent")
        return found


@dataclass(frozen=True, slots=True)
class Current:
    """The content of `CURRENT`: the folder of the current generation and the digest of its manifest."""

    name: str
    manifest_blake3: str

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        return f"{self.name} {self.manifest_blake3}\n".encode()


def read_current(folder: Path) -> Current | None:
    """Return the current generation of an index, None if there is none yet. Raises IndexDamaged."""
    try:
        words = (folder / CURRENT_NAME).read_bytes().decode("ascii", "replace").split()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IndexDamaged(f"{CURRENT_NAME} cannot be read ({error.strerror})") from error
    if len(words) != 2 or not words[0].startswith(GENERATION_PREFIX) or "/" in words[0] or len(words[1]) != 64:
        raise IndexDamaged(f"{CURRENT_NAME} is incomplete")
    return Current(*words)


def read_manifest(folder: Path, current: Current) -> GenerationManifest:
    """Return the manifest of the current generation. Raises IndexDamaged; FileNotFoundError if it is missing."""
    import blake3

    try:
        content = (folder / current.name / MANIFEST_NAME).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise IndexDamaged(f"{MANIFEST_NAME} cannot be read ({error.strerror})") from error
    if blake3.blake3(content).hexdigest() != current.manifest_blake3:
        raise IndexDamaged(f"{MANIFEST_NAME} has a wrong checksum")
    return GenerationManifest.from_bytes(content)
