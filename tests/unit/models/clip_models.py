"""Folders of small open_clip models with random weights, like those of installed models."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from photoindex.models.lock import LockedModel
from photoindex.models.sources.install import found_in, lock_files
from photoindex.models.weights import InstalledModel

MERGES = ("s u", "su n", "n s", "sun s", "d o", "do g</w>", "t h", "th e</w>", "e n", "en d", "1 2", "! !", "è s")
VISION = {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16}
TEXT = {"context_length": 16, "width": 32, "heads": 2, "layers": 2}
PREPROCESSING = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def write_vocabulary(folder: Path, merges: tuple[str, ...] = MERGES) -> int:
    """Write a small BPE vocabulary and return its number of tokens."""
    from open_clip.tokenizer import SimpleTokenizer

    path = folder / "bpe_simple_vocab.txt.gz"
    path.write_bytes(gzip.compress("\n".join(["#version: 0.2", *merges]).encode(), mtime=0))
    return int(SimpleTokenizer(str(path)).vocab_size)


def write_model(
    folder: Path, *, text: Mapping[str, Any] | None = None, preprocessing: Mapping[str, Any] | None = None
) -> Path:
    """Write a model with its own small vocabulary; `text` and `preprocessing` override settings. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {**TEXT, "vocab_size": write_vocabulary(folder), **(text or {})}
    return write_weights(folder, settings, {**PREPROCESSING, **(preprocessing or {})})


def write_weights(folder: Path, text: Mapping[str, Any], preprocessing: Mapping[str, Any]) -> Path:
    """Write the configuration and matching random weights."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    custom = bool(text.get("no_causal_mask"))
    model = {"embed_dim": 24, "vision_cfg": dict(VISION), "text_cfg": dict(text), "custom_text": custom}
    config = {"model_cfg": model, "preprocess_cfg": dict(preprocessing)}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    made = {name: value for name, value in model.items() if name != "custom_text"}
    with torch.random.fork_rng():
        torch.manual_seed(7)
        tower = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**made)
        # Untrained towers give similar vectors for all texts: larger token weights make them differ.
        for name, parameter in tower.named_parameters():
            if "embedding" in name:
                torch.nn.init.normal_(parameter, std=0.5)
    save_file(
        {name: value.contiguous() for name, value in tower.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    return folder


def installed(folder: Path, *, dim: int | None = None) -> InstalledModel:
    """Return the model of a folder as if it had just been installed; dim: overrides the dimension in the lock."""
    found = found_in(folder)
    locked = LockedModel(
        title="small",
        task="image-text",
        source=str(folder),
        licence="CC0-1.0",
        terms="Free.",
        installed_at="2024-01-01T00:00:00Z",
        found=found if dim is None else found.model_copy(update={"dim": dim}),
        files=lock_files(folder, lambda _: None),
    )
    return InstalledModel("small", folder, locked)


def write_text_model(folder: Path) -> Path:
    """Write a model with a text tower and tokenizer of transformers, in `text_model`, and pickled weights."""
    import open_clip
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import XLMRobertaConfig

    described = folder / "text_model"
    described.mkdir(parents=True)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    texts = ["a photo of a dog on the beach", "пляж на закате", "海滩日落 it's the dog's ball 1 2 3 !?."] * 5
    trainer = trainers.UnigramTrainer(vocab_size=150, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(described / "tokenizer.json"))
    names = {"bos": "<s>", "eos": "</s>", "pad": "<pad>", "unk": "<unk>", "sep": "</s>", "cls": "<s>"}
    settings: dict[str, Any] = {f"{name}_token": token for name, token in names.items()}
    # The model's own code, which must never run.
    settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}}
    (described / "tokenizer_config.json").write_text(json.dumps(settings))
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=82,
        type_vocab_size=1,
    ).to_dict()
    (described / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "evil.Model"}}))
    text = {
        "hf_model_name": "xlm-roberta-base",
        "hf_tokenizer_name": "xlm-roberta-base",
        "hf_pooler_type": "mean_pooler",
    }
    model = {"embed_dim": 24, "vision_cfg": dict(VISION), "text_cfg": text}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": PREPROCESSING}))
    local = tempfile.mkdtemp(dir=folder.parent)
    (Path(local) / "config.json").write_text(json.dumps(config))
    with torch.random.fork_rng():
        torch.manual_seed(7)
        made = model | {"text_cfg": text | {"hf_model_name": local, "hf_model_pretrained": False}}
        tower = open_clip.CustomTextCLIP(**made)  # type: ignore[arg-type]
    torch.save(tower.state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def write_siglip2_model(folder: Path) -> Path:
    """Write a model like SigLIP 2: its text tower without causal mask, Gemma's tokenizer, and a large table of tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import GemmaTokenizerFast

    folder.mkdir(parents=True)
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    texts = [
        "a photo of a dog on the beach",
        "ein hund am strand",
        "пляж на закате",
        "海滩日落 its the dogs ball 1 2 3",
    ] * 5
    octets = [f"<0x{number:02X}>" for number in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=[*special, *octets], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(one, special=True) for one in special])
    wrapped = GemmaTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>",
        add_bos_token=False, add_eos_token=True, padding_side="right",
    )  # fmt: skip
    wrapped.save_pretrained(folder)
    text = {
        **TEXT, "vocab_size": tokenizer.get_vocab_size() + 40, "hf_tokenizer_name": "timm/ViT-B-32-SigLIP2-256",
        "tokenizer_kwargs": {"clean": "canonicalize"}, "no_causal_mask": True, "proj_bias": True, "pool_type": "last",
        "norm_kwargs": {"eps": 1e-6}, "act_kwargs": {"approximate": "tanh"},
    }  # fmt: skip
    inception = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    return write_weights(folder, text, inception)
