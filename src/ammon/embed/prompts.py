"""What stands before a query and a passage: said by the model's own files, else looked up by its exact name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ammon.embed.specification import Prompts

# Each from the model's card on the hub, section "usage". Sizes of a family share their prompts; names are complete.
_E5 = Prompts(query="query: ", passage="passage: ")
_E5_INSTRUCT = Prompts(
    query="Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
    instructed="Instruct: {}\nQuery: ",
)
_BGE_EN = Prompts(query="Represent this sentence for searching relevant passages: ")
_BGE_ZH = Prompts(query="为这个句子生成表示以用于检索相关文章：")

KNOWN: Mapping[str, Prompts] = {
    **{f"intfloat/multilingual-e5-{size}": _E5 for size in ("small", "base", "large")},
    **{f"intfloat/e5-{size}{version}": _E5 for size in ("small", "base", "large") for version in ("", "-v2")},
    "intfloat/multilingual-e5-large-instruct": _E5_INSTRUCT,
    **{f"BAAI/bge-{size}-en-v1.5": _BGE_EN for size in ("small", "base", "large")},
    **{f"BAAI/bge-{size}-en": _BGE_EN for size in ("small", "base", "large")},
    **{f"BAAI/bge-{size}-zh-v1.5": _BGE_ZH for size in ("small", "base", "large")},
    **{f"BAAI/bge-{size}-zh": _BGE_ZH for size in ("small", "base", "large")},
}


def prompts_of(
    own: Mapping[str, Any], sentence_transformers: Mapping[str, Any], config: Mapping[str, Any], name: str
) -> Prompts:
    """Return a model's prompts: from ``ammon-model.json``, else ``config_sentence_transformers.json``, else by the
    exact name it was asked for or was saved under, else none.
    """
    if {"query", "passage", "instructed"} & set(own):
        return Prompts(own.get("query", ""), own.get("passage", ""), own.get("instructed", ""))
    said = sentence_transformers.get("prompts") or {}
    if any(said.values()):
        return Prompts(said.get("query", ""), said.get("passage", said.get("document", "")))
    return KNOWN.get(name) or KNOWN.get(str(config.get("_name_or_path", ""))) or Prompts()
