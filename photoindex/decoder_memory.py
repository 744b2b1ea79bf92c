"""How much memory decoders need, from which the memory limit of a worker follows: pixels and memory are bounded together.

Measured as the growth of a process's virtual size (which RLIMIT_DATA bounds), in bytes per pixel of the whole picture with
the file in memory, for a 1024 px preview of gradients of 60 to 240 megapixels; Linux x86-64, Pillow 13.0, pillow-heif 1.8
(libheif 1.23), libavif 1.4, libjxl 0.11, OpenJPEG 2.5, LibRaw 0.22:

JPEG, scaled while decoding: 0.3 baseline; progressive 4.1 (4:2:0), 6.2 (4:4:4), 8.2 (CMYK), of which 2 for each coefficient.
JPEG 2000, scaled while decoding: 1.6; 19.5 (RGB) and 24.6 (RGBA) where it cannot be scaled.
HEIC 12.3, also in 10 bits, 4:4:4 and with transparency. AVIF 9.1; 10.8 (4:4:4); 12.5 (RGBA). WebP 16.4. JPEG XL 16.1.
PNG 4.1 (RGB, also of 16 bits); 8.2 (RGBA); 5.1 (palette). GIF 5.7. BMP, PPM 4.1; BMP of bit fields 8.0.
TIFF 4.8 (RGB); 9.7 (RGBA); 8.7 (LAB); 6.1 (16-bit grey); 13.6 (big-endian BigTIFF); 36 for floating point.
Photoshop files of 16 bits 17.3 (CMYK, of which the file is 8). RAW 8.2, developed at half size.
"""

from __future__ import annotations

import math

HELD_FILE_BYTES = 512 << 20
"""The largest file that is kept in memory while it is read."""
_BASE_MB = (HELD_FILE_BYTES >> 20) + 256
"""The file itself and 256 MiB for libraries, stacks and the preview."""
_DEFAULT_PIXEL_BYTES = 10
_PIXEL_BYTES = {"heic": 13, "heif": 13, "avif": 13, "webp": 17, "jxl": 17}
LARGEST_PIXEL_BYTES = max(_PIXEL_BYTES.values())
"""The costliest common format. Rarer kinds that cost more, such as floating-point TIFF, are refused above their share."""


def pixel_bytes(format_name: str) -> int:
    """Return the bytes per pixel that decoding a picture of this format needs at most; for JPEG they depend on the picture."""
    return _PIXEL_BYTES.get(format_name, _DEFAULT_PIXEL_BYTES)


def worker_memory_mb(pixels: float, bytes_per_pixel: float = LARGEST_PIXEL_BYTES) -> int:
    """Return the memory limit in MiB under which a picture of so many pixels can be decoded."""
    return math.ceil(pixels * bytes_per_pixel / (1 << 20)) + _BASE_MB
