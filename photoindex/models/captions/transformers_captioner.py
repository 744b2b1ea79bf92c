"""Describing pictures with a model of transformers, in half precision on a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photoindex.models.base import Said
from photoindex.models.captions.families import Ask, Family
from photoindex.models.torch_device import device_errors

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

_SHRINK_KEEPS = 1.5
"""As in the embed stage: how much larger than its input a picture stays where it is decoded at reduced size."""
_PADDED_WITH_ZEROS = ("attention_mask", "token_type_ids", "mm_token_type_ids")


@dataclass(frozen=True, slots=True)
class Question:
    """What a captioner is asked. prompt: see `Ask`. max_tokens: maximum length of an answer."""

    prompt: str
    max_tokens: int


class TransformersCaptioner:
    """A captioner of one of the families, deterministic: the most probable word follows, without sampling."""

    def __init__(
        self, model: Any, processor: Processor, family: Family, question: Question, device: torch.device
    ) -> None:
        import torch

        self._dtype = _dtype(family, device)
        self._family = family
        self._question = question
        self._device = device
        self._processor = processor
        self.least_px = processor.least_px
        self.runs_on = f"{device} ({str(self._dtype).removeprefix('torch.')}, transformers)"
        with device_errors(device), torch.inference_mode():
            self._model = model.eval().to(device=device, dtype=self._dtype)
        self._ends = _end_tokens(model, processor.tokenizer)

    def prepare(self, pixels: NDArray[np.uint8]) -> dict[str, Any]:
        """Return the model's inputs for one picture; see `Captioner`."""
        return self._processor.inputs(pixels)

    def likely_length(self, prepared: Mapping[str, Any]) -> int:
        """Return the number of tokens of the picture and the question."""
        return int(prepared["input_ids"].shape[1]) if "input_ids" in prepared else 0

    def caption(self, prepared: Sequence[Mapping[str, Any]]) -> list[Said]:
        """Return what is in each picture; see `Captioner`."""
        import torch

        batch = collated(prepared, pad_id=self._processor.pad_id)
        with device_errors(self._device), torch.inference_mode():
            inputs = {name: self._on_device(value) for name, value in batch.items()}
            tokens = self._model.generate(
                **inputs, max_new_tokens=self._question.max_tokens, do_sample=False, num_beams=1, use_cache=True,
                temperature=None, top_p=None, top_k=None,
            )  # fmt: skip
            tokens = tokens.cpu()
        if self._repeats():
            tokens = tokens[:, batch["input_ids"].shape[1] :]
        texts = self._processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [Said(text, whole=self._is_whole(row)) for text, row in zip(texts, tokens.tolist(), strict=True)]

    def _repeats(self) -> bool:
        return self._family.repeats and not getattr(self._model.config, "is_encoder_decoder", False)

    def _is_whole(self, tokens: Sequence[int]) -> bool:
        """Tell whether an answer ended by itself."""
        return len(tokens) < self._question.max_tokens or any(token in self._ends for token in tokens[1:])

    def _on_device(self, value: torch.Tensor) -> torch.Tensor:
        dtype = self._dtype if value.is_floating_point() else None
        return value.to(device=self._device, dtype=dtype)


class Processor:
    """Turns a picture and the question into a model's inputs: by the model's processor, or by its parts where it has none.

    processor: transformers' processor, or its image processor alone. tokenizer: of the model.
    """

    def __init__(self, processor: Any, tokenizer: Any, family: Family, prompt: str) -> None:
        self._processor = processor
        self._family = family
        self._text = self._question(prompt)
        self.tokenizer = tokenizer
        self.pad_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        self.least_px = None if family.varies else _least_px(getattr(processor, "image_processor", processor))

    def inputs(self, pixels: NDArray[np.uint8]) -> dict[str, Any]:
        """Return the inputs for one picture, uint8 RGB [height, width, 3], as tensors with a first axis of length 1."""
        from PIL import Image

        picture = Image.fromarray(pixels)
        if self._family.ask is Ask.CHAT:
            made = self._processor(images=[[picture]], text=[self._text], return_tensors="pt")
        elif self._text or self._family.repeats:  # an answer that begins with the question must be told from it
            made = self._processor(images=[picture], text=[self._text], return_tensors="pt")
        else:
            made = self._processor(images=[picture], return_tensors="pt")
        return dict(made)

    def _question(self, prompt: str) -> str:
        if self._family.ask is not Ask.CHAT:
            return prompt
        content = [{"type": "image"}, {"type": "text", "text": prompt}]
        asked: str = self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        return asked


def collated(prepared: Sequence[Mapping[str, Any]], *, pad_id: int) -> dict[str, Any]:
    """Return the inputs of several pictures as one batch: shorter questions are padded on the left, fewer tiles at the end."""
    import torch

    batch: dict[str, Any] = {}
    for name, first in prepared[0].items():
        values = [one[name] for one in prepared]
        longest = max(value.shape[1] for value in values) if first.ndim > 1 else 0
        if name == "input_ids" or name in _PADDED_WITH_ZEROS:
            filling = pad_id if name == "input_ids" else 0
            values = [torch.nn.functional.pad(one, (longest - one.shape[1], 0), value=filling) for one in values]
        elif first.ndim > 2 and first.shape[0] == 1:
            values = [_with_more_tiles(one, longest) for one in values]
        batch[name] = torch.cat(values)
    return batch


def _with_more_tiles(value: torch.Tensor, count: int) -> torch.Tensor:
    import torch

    missing = count - value.shape[1]
    if not missing:
        return value
    return torch.cat([value, value.new_zeros((value.shape[0], missing, *value.shape[2:]))], dim=1)


def _least_px(image_processor: Any) -> int | None:
    """Return the shorter side that a picture must keep so that the model sees no difference, None if that is not known."""
    size = getattr(image_processor, "size", None)
    sides = [value for value in dict(size).values() if isinstance(value, int)] if size else []
    return round(_SHRINK_KEEPS * max(sides)) if sides else None


def _end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """Return the tokens that end an answer."""
    config = getattr(model, "generation_config", None)
    ends = getattr(config, "eos_token_id", None)
    found = set(ends if isinstance(ends, list) else [ends])
    text = getattr(model.config, "text_config", None)
    found |= {getattr(text, "sep_token_id", None), getattr(text, "eos_token_id", None)}
    found |= {tokenizer.eos_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id}
    return {token for token in found if isinstance(token, int)}


def _dtype(family: Family, device: torch.device) -> torch.dtype:
    import torch

    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if family.wide and torch.cuda.is_bf16_supported() else torch.float16
