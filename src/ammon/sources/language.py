"""The language of a text, by its script and by the small words that no sentence does without.

Twenty-odd languages, no model and no dependency; what it is not sure of it does not name.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_SAMPLE: Final = 4000
_LEAST_LETTERS: Final = 12
_LEAST_SHARE: Final = 0.08
"""Share of a text's words that must be among a language's small words. Running text has 0.25 to 0.5."""

_SCRIPTS: Final = (
    ("kana", re.compile(r"[\u3041-\u30ff\uff66-\uff9d]")),
    ("hangul", re.compile(r"[\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f]")),
    ("han", re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf]")),
    ("latin", re.compile(r"[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]")),
    ("cyrillic", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("ka", re.compile(r"[\u10a0-\u10ff]")),
    ("hy", re.compile(r"[\u0530-\u058f]")),
    ("ta", re.compile(r"[\u0b80-\u0bff]")),
    ("bn", re.compile(r"[\u0980-\u09ff]")),
)

_LATIN: Final = {
    "en": "the of and to in is that for it with as was on are be this by an not from or which you have were has at",
    "de": "der die und das ist nicht ein eine den von zu mit sich auf für dem des im wird auch als es an werden bei",
    "fr": "le la les et des est une du dans que qui pour pas sur au par plus ce il en avec sont ne se cette aux un de",
    "es": "el la los las de que y en un una es por con para del se no su al lo como más pero sus este son fue",
    "it": "il di che la e è un una per non in con del della sono si da le i gli dei alla nel anche più come questo",
    "pt": "o a os as de que e do da em um uma para com não por mais dos das no na se ao é são como foi pela pelo",
    "nl": "de het een en van is dat niet in op te zijn met voor aan er die ook als maar om bij uit door wordt naar",
    "sv": "och att det som en är av för på den med till inte har ett om var jag men från kan vid eller så ska",
    "da": "og at det som en er af for på den med til ikke har et om var jeg men fra kan ved eller så skal der blev",
    "fi": "ja on ei se että oli hän mutta ovat joka kun tai myös ole sen niin kuin voi mukaan jos vain",
    "pl": "i w na z nie się że do jest to o jak po co ale od za przez są dla oraz tym jego które który był",
    "cs": "a se na v je že to s z do i o k ve by pro za jako jsou ale po byl který tak co od jeho nebo",
    "hu": "a az és hogy nem is egy ez van volt meg de csak mint ha már még azt vagy ezt el aki amely",
    "ro": "și de la în a cu nu o pe că din un este care mai pentru sunt fi ce ca au fost sau după prin",
    "tr": "ve bir bu da de için ile olarak çok daha olan gibi kadar en sonra ne ama değil var ya",
    "vi": "và của là có được cho không các trong với một đã người những này từ khi để về như đến",
    "id": "yang dan di dengan untuk dari ini itu dalam tidak pada adalah akan ke oleh juga atau karena bisa",
}
_CYRILLIC: Final = {
    "ru": "и в не на что с по как это он но из для от так же к за было все его она быть или мы",
    "uk": "і в не на що з до як це та але від за був його також для яка який є або про у ми",
    "bg": "и на да се в за не от с че е по са като до това си към той или има който при ще",
    "sr": "и у да је на се за не од су са као који што то али из или био до",
}
_ARABIC: Final = {
    "ar": "في من على إلى أن التي هذا عن مع الذي هذه كان لا ما أو ذلك بين",
    "fa": "و در به از که این را با است برای آن یک خود تا شد می های بر",
    "ur": "کے میں کی ہے اور سے کا کو پر نے کہ یہ ہیں اس ایک نہیں تھا",
}
_SMALL_WORDS: Final = {
    script: {language: frozenset(words.split()) for language, words in table.items()}
    for script, table in (("latin", _LATIN), ("cyrillic", _CYRILLIC), ("arabic", _ARABIC))
}
_WORD: Final = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the text's language, from its first 4,000 characters; empty when unsure.

    >>> language_of("The cat sat on the mat and it was happy."), language_of("x = 1")
    ('en', '')
    """
    sample = text[:_SAMPLE]
    letters = Counter(sample)
    distinct = "".join(letters)
    counts = {name: sum(letters[each] for each in pattern.findall(distinct)) for name, pattern in _SCRIPTS}
    # A Han character says as much as several letters; an English name in Chinese text does not make it English.
    counts["han"] *= 3
    counts["kana"] *= 3
    counts["hangul"] *= 2
    if sum(counts.values()) < _LEAST_LETTERS:
        return ""
    if counts["kana"] * 8 > counts["han"] + counts["kana"] and counts["kana"] + counts["han"] > counts["latin"]:
        return "ja"
    script = max(counts, key=counts.__getitem__)
    if script in _SMALL_WORDS:
        return _by_small_words(sample, _SMALL_WORDS[script])
    return {"han": "zh", "hangul": "ko", "kana": "ja"}.get(script, script)


def _by_small_words(sample: str, table: dict[str, frozenset[str]]) -> str:
    words = Counter(word.lower() for word in _WORD.findall(sample))
    total = words.total()
    scores = sorted(
        (sum(words[word] for word in small & words.keys()) / max(total, 1), language)
        for language, small in table.items()
    )
    (second, _), (best, language) = scores[-2:]
    return language if best >= _LEAST_SHARE and best >= 1.1 * second else ""
