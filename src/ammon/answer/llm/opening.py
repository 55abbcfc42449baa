"""The language model that the settings name."""

from __future__ import annotations

from ammon.errors import ModelNotFound
from ammon.ports import LLM
from ammon.settings import Settings


def open_llm(settings: Settings, named: str = "") -> LLM | None:
    """The model that is ``named``, else the one of the settings; ``None`` where there is neither. Close it.

    Raises: ModelNotFound where there is no server to ask, MissingExtra, InputError for an address that is none.
    """
    name = named or settings.llm
    if not name:
        return None
    if not settings.llm_url:
        raise ModelNotFound(
            f"There is no server to ask for the language model '{name}'.",
            hint="Set llm_url, or AMMON_LLM_URL, to an OpenAI-compatible one, such as http://localhost:11434/v1.",
        )
    from ammon.answer.llm.remote import Prices, RemoteLLM

    return RemoteLLM(
        name,
        settings.llm_url,
        key=settings.llm_key,
        window=settings.llm_window,
        timeout=settings.llm_timeout,
        prices=Prices(settings.llm_price_read, settings.llm_price_written),
    )
