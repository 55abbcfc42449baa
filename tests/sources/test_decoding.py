"""Bytes become the text they were, or an error with a code; never another text."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ammon import sources
from ammon.errors import SourceError

TEXTS = {
    "zh": "我们今天讨论人工智能的发展。近年来，机器学习技术在许多领域取得了重要进展，例如图"
    "像识别、自然语言处理和语音识别。研究人员认为，未来十年这些技术将继续改变人们的生"
    "活方式。",
    "zh-tw": "我們今天討論人工智慧的發展。近年來，機器學習技術在許多領域取得了重要進展，例如圖"
    "像識別、自然語言處理和語音識別。研究人員認為，未來十年這些技術將繼續改變人們的生"
    "活方式。",
    "ja": "今日は人工知能の発展について話します。近年、機械学習の技術は画像認識や自然言語処"
    "理など多くの分野で大きな進歩を遂げました。研究者たちは、今後十年間でこれらの技術"
    "が人々の生活を変え続けると考えています。",
    "ko": "오늘 우리는 인공지능의 발전에 대해 이야기합니다. 최근 몇 년 동안 기계"
    " 학습 기술은 이미지 인식과 자연어 처리 등 많은 분야에서 중요한 발전을"
    " 이루었습니다.",
    "ru": "Сегодня мы обсуждаем развитие искусственного интеллекта. В последние годы технологии машин"
    "ного обучения достиг"
    "ли значительного прогресса во многих областях, таких как распознавание изображений и обраб"
    "отка естественного языка.",
    "fr": "Aujourd'hui, nous parlons du développement de l'intelligence artificielle. Ces dernières a"
    "nnées, l'apprentissa"
    "ge automatique a été utilisé dans de nombreux domaines où la reconnaissance d'images était"
    " très difficile. Ça va être étonnant, déjà.",
    "de": "Heute sprechen wir über die Entwicklung der künstlichen Intelligenz. In den letzten Jahren"
    " hat das maschinelle"
    " Lernen große Fortschritte gemacht, zum Beispiel für die Bilderkennung. Straßen, Häuser, V"
    "ögel und Äpfel werden erkannt.",
    "es": "Hoy hablamos del desarrollo de la inteligencia artificial. En los últimos años, el aprendi"
    "zaje automático ha l"
    "ogrado avances muy importantes en muchos ámbitos, como el reconocimiento de imágenes. ¿Qué"
    " pasará mañana? El niño lo verá.",
    "pl": "Dzisiaj rozmawiamy o rozwoju sztucznej inteligencji. W ostatnich latach uczenie maszynowe "
    "osiągnęło znaczący p"
    "ostęp w wielu dziedzinach, takich jak rozpoznawanie obrazów. Źródła są różne, a żółć gęśla jaźń.",
    "cs": "Dnes mluvíme o vývoji umělé inteligence. V posledních letech dosáhlo strojové učení význam"
    "ného pokroku v mnoha"
    " oblastech, například v rozpoznávání obrazu. Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "el": "Σήμερα συζητάμε για την ανάπτυξη της τεχνητής νοημοσύνης. Τα τελευταία χρόνια η μηχανική μ"
    "άθηση έχει σημειώσει"
    " σημαντική πρόοδο σε πολλούς τομείς.",
    "he": "היום אנחנו מדברים על התפתחות הבינה המלאכותית. בשנים האחרונות הלמידה החישובית השיגה התקדמות"
    " רבה בתחומים רבים.",
    "ar": "نتحدث اليوم عن تطور الذكاء الاصطناعي. في السنوات الأخيرة حقق التعلم الآلي تقدما كبيرا في ا"
    "لعديد من المجالات.",
    "th": "วันนี้เราพูดถึงการพัฒนาปัญญาประดิษฐ์ ในช่วงไม่กี่ปีที่ผ่านมา การเรียนรู้ของเครื่องมีความก้าวหน้าอย่างมากในหลายสาขา",
    "tr": "Bugün yapay zekânın gelişimini konuşuyoruz. Son yıllarda makine öğrenmesi birçok alanda ön"
    "emli ilerlemeler kay"
    "detti. Görüntü tanıma ve doğal dil işleme bunlardan bazılarıdır, değil mi? Şimdi ığdır.",
}
ENCODINGS = {
    "zh": "gbk gb2312 gb18030 hz utf-16-le utf-16-be utf-32-le",
    "zh-tw": "big5 cp950",
    "ja": "shift_jis cp932 euc_jp iso2022_jp utf-16-le",
    "ko": "euc_kr cp949 iso2022_kr utf-16-be",
    "ru": "cp1251 koi8-r iso8859-5 cp866 utf-16-le",
    "fr": "cp1252 latin-1 iso8859-15 utf-16-le",
    "de": "cp1252 latin-1 iso8859-15",
    "es": "cp1252 latin-1",
    "pl": "cp1250 iso8859-2",
    "cs": "cp1250 iso8859-2",
    "el": "cp1253 iso8859-7",
    "he": "cp1255",
    "ar": "cp1256",
    "th": "tis-620 cp874",
    "tr": "cp1254 iso8859-9",
}
SIZES = (20, 60, 120, 1000)
CASES = [(language, encoding) for language, encodings in ENCODINGS.items() for encoding in encodings.split()]

SURE_FROM = 60
"""Characters from which a text must be read; a shorter one may be refused, but never misread."""


@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_a_text_in_any_usual_encoding_is_read_as_it_was_written(language: str, encoding: str) -> None:
    for size in SIZES:
        data = (TEXTS[language] * 20)[:size].encode(encoding, "ignore")
        case = (language, encoding, size)
        try:
            text, _, confidence = sources.decode(data)
        except SourceError:
            assert size < SURE_FROM, case
        else:
            assert text == data.decode(encoding), case
            assert 0 < confidence <= 1


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_utf_8_is_always_read_and_always_sure(text: str) -> None:
    if "~{" in text:
        return
    decoded = sources.decode(text.encode())
    assert decoded[0] == text.removeprefix("\ufeff")
    assert decoded[2] == 1.0


@given(st.text(min_size=1), st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_a_byte_order_mark_decides(text: str, encoding: str) -> None:
    # UTF-16's mark and a NUL are UTF-32's mark: the two cannot be told apart, and no text begins with NUL.
    assume(not text.startswith("\0"))
    assert sources.decode(text.encode(encoding))[0] == text


@given(st.binary(max_size=400))
def test_any_bytes_give_a_text_or_an_error_with_a_known_code(data: bytes) -> None:
    try:
        text, encoding, _ = sources.decode(data)
    except SourceError as error:
        assert error.code in sources.SKIP_CODES
        assert error.hint
    else:
        assert text == data.decode(encoding)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"text with \0 a NUL byte in it", "binary"),
        (codecs.BOM_UTF8 + b"\xff broken after its mark", "undecodable"),
        (codecs.BOM_UTF16_LE + b"odd", "undecodable"),
        (bytes(range(128, 256)) * 20, "undecodable"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        sources.decode(data)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "data",
    [b"caf\xe9 \x81 text", b"plain text with one bad byte \xff in it", b"a \xfe b", b"hello \xe2\x82 world",
     "naïve café — ok".encode() + b"\xff", b"the entry \xa0\xbd\xff of the log", b"x\xff\xfey"],
)  # fmt: skip
def test_a_damaged_byte_is_refused_and_not_read_as_a_letter(data: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        sources.decode(data)
    assert caught.value.code == "undecodable"


@pytest.mark.parametrize(
    "text",
    ["café", "Müller", "École", "it’s the end", "name,city\nJosé,Málaga\n", "“quoted” words", "the naïve reader",
     "Café au lait in the garden"],
)  # fmt: skip
def test_a_short_latin_text_is_read_where_all_latin_sets_or_its_language_agree(text: str) -> None:
    assert sources.decode(text.encode("cp1252"))[0] == text


def test_a_declared_character_set_is_believed_if_the_bytes_fit() -> None:
    data = "Příliš žluťoučký kůň".encode("iso8859-2")
    assert sources.decode(data, declared="ISO-8859-2")[:2] == ("Příliš žluťoučký kůň", "iso8859-2")
    assert sources.decode("中文字".encode("gb18030"), declared="gb2312")[:2] == ("中文字", "gb18030")
    assert sources.decode("žluť".encode(), declared="iso-8859-2")[0] == "žluť"
