"""What self-contained HTML pages have in common: the template engine, and digests for their content security policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from photoindex import __version__

if TYPE_CHECKING:
    from markupsafe import Markup

_BUFFERED_PIECES = 200


def rendered(package: str, template: str, filters: Mapping[str, Callable[..., str]], **values: Any) -> Iterator[bytes]:
    """Yield a page of a package's template as UTF-8 HTML in chunks. All texts are escaped; `version` and `sha256` are known.

    The style and script of a template hold no values, so that their digests can stand in its policy.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update({"sha256": _sha256, **filters})
    stream = environment.from_string(files(package).joinpath(template).read_text("utf-8")).stream(
        version=__version__, **values
    )
    stream.enable_buffering(_BUFFERED_PIECES)
    return (piece.encode() for piece in stream)


def inline(package: str, name: str) -> Markup:
    """Return a package's style or script to write into a page as it is."""
    from markupsafe import Markup

    return Markup(files(package).joinpath(name).read_text("utf-8"))  # noqa: S704 -- a file of this program


def _sha256(text: str) -> str:
    """Return the digest of an inline block for the content security policy (CSP level 3, section 2.3.1)."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
