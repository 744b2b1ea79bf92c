"""The captioner that the settings choose: a model of this computer, or one of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photoindex.domain.words.language import ENGLISH, NAMES
from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.words.model_choice import model_to_caption
from photoindex.stages import caption as stage
from photoindex.stages.caption import ROUND, STAGE, EndpointOpening, Opening

if TYPE_CHECKING:
    from photoindex.models.captions.families import Family
    from photoindex.models.weights import InstalledModel


_SLACK_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class CaptionerChoice:
    """A captioner and how to open it.

    variant: see `stages.caption.variant`. untested: it runs code of its own. open, opening: of the stage. round_size: pictures that are read together. hang_seconds: see
    `ModelProcess`.
    """

    model: str
    language: str
    variant: Mapping[str, object]
    open: str
    opening: Any
    round_size: int
    hang_seconds: float | None = None
    untested: bool = False


def chosen_captioner(library: Library) -> CaptionerChoice:
    """Return the captioner of the settings. Raises ModelUnavailable, UsageError for a language that it does not know."""
    from photoindex.models.captions.families import family_named
    from photoindex.models.weights import ModelStore

    if library.config.caption.endpoint:
        return _of_server(library, library.config.caption.endpoint)
    installed = ModelStore(library.models_folder).get(model_to_caption(library))
    return _local(library, installed, family_named(installed.captioner.captioner))


def _local(library: Library, installed: InstalledModel, family: Family) -> CaptionerChoice:
    from photoindex.models.captions.own_code import code_of, require_consent

    config = library.config.caption
    code = code_of(installed)
    require_consent(installed.id, code, allowed=config.trust_remote_code)
    prompt = _prompt(library, installed.id, family)
    opening = Opening(
        models_folder=library.models_folder,
        model=installed.id,
        digest=installed.digest,
        device=config.device,
        gpu_free_share=config.gpu_free_share,
        prompt=prompt,
        language=config.language,
        max_tokens=config.max_tokens,
        batch_size=config.batch_size,
        run_code=config.trust_remote_code,
    )
    variant = stage.variant(model=installed.id, digest=installed.digest, prompt=prompt, language=config.language)
    round_size = config.batch_size * (ROUND if family.varies else 1)
    return CaptionerChoice(installed.id, config.language, variant, STAGE.open, opening, round_size, untested=bool(code))


def _of_server(library: Library, url: str) -> CaptionerChoice:
    from photoindex.models.captions.families import IN_A_SENTENCE
    from photoindex.providers.endpoint import TRIES, Service

    config = library.config.caption
    prompt = config.prompt or in_language(IN_A_SENTENCE, config.language)
    service = Service(
        url=url,
        model=config.model,
        prompt=prompt,
        max_tokens=config.max_tokens,
        seconds=config.endpoint_seconds,
        at_once=config.batch_size,
        allowed=config.allow_network,
    )
    return CaptionerChoice(
        model=config.model,
        language=config.language,
        variant=stage.variant(model=config.model, digest="", prompt=prompt, language=config.language),
        open="photoindex.stages.caption:open_endpoint",
        opening=EndpointOpening(service, config.language),
        round_size=config.batch_size,
        hang_seconds=2 * TRIES * config.endpoint_seconds + _SLACK_SECONDS,
    )


def _prompt(library: Library, model_id: str, family: Family) -> str:
    from photoindex.models.captions.families import Ask

    config = library.config.caption
    if family.ask is Ask.CHAT:
        return config.prompt or in_language(family.prompt, config.language)
    if config.language != ENGLISH:
        raise UsageError(
            f"the model '{model_id}' describes photos in English alone; omit the setting caption.language, or choose "
            f"another: photoindex models list"
        )
    if family.ask is Ask.NOTHING and config.prompt:
        raise UsageError(f"the model '{model_id}' takes no prompt; omit the setting caption.prompt")
    return family.prompt if config.prompt is None else config.prompt


def in_language(prompt: str, language: str) -> str:
    """Return a question that asks for an answer in a language."""
    name = NAMES.get(language, f"the language with the ISO 639-1 code {language}")
    return prompt if language == ENGLISH else f"{prompt} Answer in {name}."
