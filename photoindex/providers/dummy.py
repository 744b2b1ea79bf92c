"""The provider `dummy`: answers from the pixels, sends nothing and costs nothing; for development and tests."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping

from photoindex.providers.base import Connection, Price
from photoindex.types import Label, Result, Text, TextLine

_CHANNELS = ("red", "green", "blue")
_WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class Dummy:
    """See `Provider`: the strongest of the three colours, as label, caption and text."""

    name = "dummy"
    sends = False
    code_version = 1
    features: Mapping[str, Collection[str]] = {
        "tags": ("COLOUR",),
        "caption": ("COLOUR",),
        "ocr": ("COLOUR",),
        "sensitive": ("COLOUR",),
    }
    price = Price()

    def open(self, _connection: Connection) -> OpenDummy:
        """Return it."""
        return OpenDummy()


class OpenDummy:
    """See `OpenProvider`."""

    runs_on = "this computer"

    def ask(self, jpeg: bytes, stage: str) -> tuple[Result, ...]:
        """Return the colour of a picture; none of them is sensitive."""
        import numpy as np
        from PIL import Image

        with Image.open(io.BytesIO(jpeg)) as picture:
            means = np.asarray(picture.convert("RGB"), np.float64).reshape(-1, 3).mean(axis=0)
        strongest = int(np.argmax(means))
        colour, share = _CHANNELS[strongest], float(means[strongest] / max(1.0, means.sum()))
        if stage == "tags":
            return (Label(f"colours/{colour}", 0.9, share),)
        if stage == "caption":
            said = f"A picture that is mostly {colour}."
            return (Text("caption", said, language="en", raw=said),)
        if stage == "ocr":
            return (Text("ocr", colour, lines=(TextLine(colour, _WHOLE, share),)),)
        return (Label("sensitive", 0.0, 0.0),)


DUMMY = Dummy()
