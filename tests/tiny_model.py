"""Installs the tiny model of tests/fixtures/tiny-clip into a test's library, and writes photos of scenes it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from tests.harness import LibraryRunner
from tests.tiny_clip.scenes import Scene, render

MODEL_ID = "tiny-clip"
FIXTURE = Path(__file__).parent / "fixtures" / "tiny-clip"
PHOTO_SIZE_PX = (480, 360)


def write_scene(
    path: Path,
    scene: Scene,
    seed: int,
    *,
    size_px: tuple[int, int] = PHOTO_SIZE_PX,
    taken_at: str | None = None,
    position: tuple[float, float] | None = None,
    quality: int = 88,
) -> Path:
    """Draw a scene into a JPEG file with EXIF.

    taken_at: local time as EXIF writes it, "2019:06:01 12:00:00". position: degrees north and east, both positive.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if taken_at is not None:
        exif.get_ifd(0x8769)[0x9003] = taken_at
    if position is not None:
        gps = exif.get_ifd(0x8825)
        gps[1], gps[2], gps[3], gps[4] = "N", _sexagesimal(position[0]), "E", _sexagesimal(position[1])
    render(scene, np.random.default_rng(seed), size_px).save(path, "JPEG", quality=quality, exif=exif)
    return path


def write_scenes(folder: Path, wanted: Iterable[Scene], *, seed: int = 0, **more: Any) -> dict[Scene, Path]:
    """Draw scenes into `folder`, with names that do not describe them; return the path of each."""
    paths = {}
    for number, scene in enumerate(wanted, start=seed):
        paths[scene] = write_scene(folder / f"IMG_{number:04d}.jpg", scene, number, **more)
    return paths


def install_tiny(library_folder: Path, *, model_id: str = MODEL_ID, fixture: Path = FIXTURE) -> None:
    """Install the tiny model into a library; create the library if necessary."""
    from photoindex.library.models.install import InstallRequest, install

    with LibraryRunner(library_folder).open() as library:
        install(library, InstallRequest(fixture, model_id))


@dataclass
class SemanticRunner(LibraryRunner):
    """Scans and embeds photos in a test's library with the tiny model.

    settings: `embed.model` is the tiny model unless a test overrides it.
    """

    events: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = {"embed.model": MODEL_ID, "embed.device": "cpu", "embed.decode_threads": 2, **self.settings}

    def install(self, *, model_id: str = MODEL_ID, fixture: Path = FIXTURE) -> None:
        """Install the tiny model."""
        install_tiny(self.folder, model_id=model_id, fixture=fixture)

    def embed(self, *, stop: Callable[[], bool] = lambda: False, **request: Any) -> Any:
        """Embed all photos not yet in the space; return the summary."""
        from photoindex.library.embed.embed import EmbedRequest, embed

        with self.open() as library:
            return embed(library, EmbedRequest(**request), self.events.append, stop)

    def scan_and_embed(self, *tops: Path) -> Any:
        """Scan and embed; return the summary of the embedding."""
        self.scan(*tops)
        return self.embed()


def _sexagesimal(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    minutes = degrees % 1 * 60
    parts = (int(degrees), int(minutes), minutes % 1 * 60)
    return tuple(IFDRational(Fraction(part).limit_denominator(10_000)) for part in parts)  # type: ignore[return-value]


def write_smaller_model(folder: Path, dim: int = 48) -> Path:
    """Write a model with fewer dimensions: the tiny one's vectors, rotated and truncated. Needs torch."""
    import json
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    folder.mkdir()
    shutil.copy(FIXTURE / "bpe_simple_vocab.txt.gz", folder)
    config = json.loads((FIXTURE / "open_clip_config.json").read_text())
    before = config["model_cfg"]["embed_dim"]
    config["model_cfg"]["embed_dim"] = dim
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    weights = load_file(FIXTURE / "open_clip_model.safetensors")
    noise = np.random.default_rng(5).normal(size=(before, before))
    turned = torch.from_numpy(np.linalg.qr(noise)[0][:, :dim].copy()).to(weights["text_projection"].dtype)
    weights["text_projection"] = weights["text_projection"] @ turned
    for name in ("visual.attnpool.c_proj.weight", "visual.attnpool.c_proj.bias"):
        weights[name] = (turned.T @ weights[name]).contiguous()
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder
