"""Small captioners of every family, with random weights and real classes of transformers; nothing is downloaded.

They say nonsense, but they take pictures, questions and tokens as the published models do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_SENTENCE = (
    "a photo of the red blue green circle square on grass sand describe this in one sentence what does image user"
)
WORDS = _SENTENCE.split()
SPECIAL = (
    "<pad>",
    "<unk>",
    "<s>",
    "</s>",
    "<image>",
    "<fake_token_around_image>",
    "<global-img>",
    "<end_of_utterance>",
)
PAD, UNKNOWN, BEGIN, END, IMAGE = range(5)
CHAT = (
    "{% for message in messages %}user {% for part in message['content'] %}{% if part['type'] == 'image' %}MARK"
    "{% else %} {{ part['text'] }}{% endif %}{% endfor %}</s>{% endfor %}"
)


def _tokenizer(*, marks: bool = True, **special: str) -> Any:
    """Return a tokenizer of the words. marks: it knows by itself which token stands for a picture."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    more = [token for token in special.values() if token not in SPECIAL]
    names = [*SPECIAL, *more, *WORDS]
    inner = Tokenizer(models.WordLevel({name: number for number, name in enumerate(names)}, unk_token="<unk>"))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        extra_special_tokens={"image_token": "<image>", **special} if marks else {}, padding_side="left", model_max_length=4096,
    )  # fmt: skip


_TEXT = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
_VISION = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
_ENDS = {"bos_token_id": BEGIN, "eos_token_id": END, "pad_token_id": PAD}


def blip(*, image_px: int = 32, **sizes: int) -> tuple[Any, Any]:
    """Return a configuration and a processor of BLIP. sizes: of both towers, where they are not those of a small model."""
    from transformers import BlipConfig, BlipImageProcessor, BlipProcessor

    text, vision = {**_TEXT, **sizes}, {**_VISION, **sizes}
    more = {"encoder_hidden_size": vision["hidden_size"], "sep_token_id": END, "max_position_embeddings": 64}
    config = BlipConfig(
        text_config={**text, **_ENDS, **more},
        vision_config={**vision, "image_size": image_px, "patch_size": 16},
        projection_dim=16,
    )
    return config, BlipProcessor(BlipImageProcessor(size={"height": image_px, "width": image_px}), _tokenizer())


def _blip2() -> tuple[Any, Any]:
    from transformers import Blip2Config, Blip2Processor, BlipImageProcessor

    language = {"model_type": "opt", "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                "ffn_dim": 32, "word_embed_proj_dim": 32, "max_position_embeddings": 128, **_ENDS}  # fmt: skip
    config = Blip2Config(
        vision_config={**_VISION, "image_size": 28, "patch_size": 14},
        qformer_config={**_VISION, "vocab_size": 64, "encoder_hidden_size": 32},
        text_config=language,
        num_query_tokens=4,
        image_token_index=IMAGE,
    )
    images = BlipImageProcessor(size={"height": 28, "width": 28})
    return config, Blip2Processor(images, _tokenizer(marks=False), num_query_tokens=4)


def _florence() -> tuple[Any, Any]:
    from transformers import CLIPImageProcessor, Florence2Config, Florence2Processor

    vision = {"embed_dim": [16, 16, 16, 32], "depths": [1, 1, 1, 1], "num_heads": [1, 1, 1, 2], "num_groups": [1, 1, 1, 2],
              "window_size": 2, "projection_dim": 32}  # fmt: skip
    language = {"model_type": "bart", "vocab_size": 64, "d_model": 32, "encoder_layers": 1, "decoder_layers": 1,
                "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
                "max_position_embeddings": 64, "decoder_start_token_id": END, **_ENDS}  # fmt: skip
    config = Florence2Config(vision_config=vision, text_config=language, image_token_id=IMAGE)
    images = CLIPImageProcessor(size={"height": 64, "width": 64}, do_center_crop=False)
    images.image_seq_length = 5
    return config, Florence2Processor(images, _tokenizer())


def _smolvlm() -> tuple[Any, Any]:
    from transformers import SmolVLMConfig, SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    config = SmolVLMConfig(
        vision_config={**_VISION, "image_size": 32, "patch_size": 8},
        text_config={
            "model_type": "llama",
            **_TEXT,
            **_ENDS,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
        },
        scale_factor=2,
        image_token_id=IMAGE,
        pad_token_id=PAD,
    )
    images = SmolVLMImageProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    processor = SmolVLMProcessor(
        images, _tokenizer(), SmolVLMVideoProcessor(), image_seq_len=4, chat_template=CHAT.replace("MARK", "<image>")
    )
    return config, processor


def _idefics3() -> tuple[Any, Any]:
    from transformers import Idefics3Config, Idefics3ImageProcessor, Idefics3Processor

    config = Idefics3Config(
        vision_config={**_VISION, "image_size": 32, "patch_size": 8},
        text_config={
            "model_type": "llama",
            **_TEXT,
            **_ENDS,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
        },
        scale_factor=2,
        image_token_id=IMAGE,
        pad_token_id=PAD,
    )
    images = Idefics3ImageProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    template = CHAT.replace("MARK", "<image>")
    return config, Idefics3Processor(images, _tokenizer(), image_seq_len=4, chat_template=template)


def _qwen3_vl() -> tuple[Any, Any]:
    from transformers import Qwen2VLImageProcessor, Qwen3VLConfig, Qwen3VLProcessor, Qwen3VLVideoProcessor

    special = {"video_token": "<video>", "vision_bos_token": "<vision>", "vision_eos_token": "</vision>"}
    tokens = _tokenizer(**special)
    numbers = {name: tokens.convert_tokens_to_ids(token) for name, token in special.items()}
    config = Qwen3VLConfig(
        vision_config={"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32,
                       "patch_size": 8, "spatial_merge_size": 2, "temporal_patch_size": 2, "num_position_embeddings": 64,
                       "deepstack_visual_indexes": [0]},
        text_config={**_TEXT, **_ENDS, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 2048,
                     "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2]}},
        image_token_id=IMAGE, video_token_id=numbers["video_token"],
        vision_start_token_id=numbers["vision_bos_token"], vision_end_token_id=numbers["vision_eos_token"],
    )  # fmt: skip
    images = Qwen2VLImageProcessor(
        patch_size=8, merge_size=2, temporal_patch_size=2, size={"shortest_edge": 1024, "longest_edge": 4096}
    )
    template = CHAT.replace("MARK", "<vision> <image> </vision>")
    videos = Qwen3VLVideoProcessor(patch_size=8, merge_size=2, temporal_patch_size=2)
    return config, Qwen3VLProcessor(images, tokens, videos, chat_template=template)


def _fast_vlm() -> tuple[Any, Any]:
    from tests.tiny_captioner.model import configuration, processor

    return configuration(text_width=32, text_layers=1), processor()


MAKERS: Mapping[str, Callable[[], tuple[Any, Any]]] = {
    "blip": blip,
    "blip-2": _blip2,
    "florence-2": _florence,
    "smolvlm": _smolvlm,
    "idefics3": _idefics3,
    "qwen3-vl": _qwen3_vl,
    "fast-vlm": _fast_vlm,
}
"""Name -> maker of a configuration and a processor."""


def write_small_captioner(folder: Path, name: str, *, seed: int = 0) -> Path:
    """Write a captioner with random weights; return its folder."""
    import torch
    from transformers import AutoModelForImageTextToText

    config, processor = MAKERS[name]()
    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_config(config)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
