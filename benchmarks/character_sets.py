"""Text in every usual character set: how many files of how many characters are read right, refused or misread.

    python benchmarks/character_sets.py [--size 20 60 200 2000]

Each paragraph is written in each character set that can hold it, with and without a byte order mark where there is
one, cut to four sizes at five places. Right is the very text; refused is an error with a code; misread is anything else
and has to be zero.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence

from ammon.errors import SourceError
from ammon.sources.decoding import decode

PARAGRAPHS = {
    "zh": (
        "春天来了，院子里的桃花开得正好。奶奶坐在门口一边择菜，一边给邻居家的孩子讲过去的故事。她说，那时候村里没"
        "有电灯，晚上大家围着火炉唱歌，冬天的雪下得比现在大得多。孩子们听得入了神，连晚饭都忘了吃。"
    ),
    "zh-tw": (
        "春天來了，院子裡的桃花開得正好。奶奶坐在門口一邊挑菜，一邊給鄰居家的孩子講過去的故事。她說，那時候村裡沒"
        "有電燈，晚上大家圍著火爐唱歌，冬天的雪下得比現在大得多。孩子們聽得入了神，連晚飯都忘了吃。"
    ),
    "ja": (
        "春が来て、庭の桃の花がちょうど満開になりました。祖母は玄関に座って野菜の下ごしらえをしながら、近所の子ど"
        "もたちに昔話を聞かせています。そのころ村には電灯がなく、夜はみんなで囲炉裏を囲んで歌ったそうです。"
    ),
    "ko": (
        "봄이 와서 마당의 복숭아꽃이 한창 피었습니다. 할머니는 문 앞에 앉아 나물을 다듬으면서 이웃집 "
        "아이들에게 옛날이야기를 들려주십니다. 그때는 마을에 전등이 없어서 밤이면 모두 화로에 둘러앉아 "
        "노래를 불렀다고 합니다."
    ),
    "ru": (
        "Пришла весна, и персиковое дерево во дворе уже цветёт. Бабушка сидит у порога, перебирает "
        "овощи и рассказывает соседским детям истории о прошлом. Тогда в деревне не было электричества, "
        "и по вечерам все пели у печки."
    ),
    "uk": (
        "Прийшла весна, і персикове дерево на подвір’ї вже цвіте. Бабуся сидить біля порога, перебирає "
        "овочі та розповідає сусідським дітям історії про минуле. Тоді в селі ще не було світла, "
        "і вечорами всі співали біля печі."
    ),
    "fr": (
        "Le printemps est arrivé et le pêcher de la cour est en pleine floraison. Assise devant la "
        "porte, grand-mère épluche des légumes et raconte aux enfants du voisinage comment on vivait "
        "à l'époque où le village n'avait pas l'électricité."
    ),
    "de": (
        "Der Frühling ist da, und der Pfirsichbaum im Hof blüht schon. Großmutter sitzt vor der Tür, "
        "putzt das Gemüse und erzählt den Kindern der Nachbarn, wie früher alle abends um den Ofen "
        "saßen und Lieder über schöne Mädchen sangen."
    ),
    "es": (
        "Ha llegado la primavera y el melocotonero del patio está en flor. La abuela, sentada junto "
        "a la puerta, limpia las verduras y cuenta a los niños cómo era antes, cuando aún no había "
        "luz y todos cantaban según la estación del año."
    ),
    "pl": (
        "Przyszła wiosna i brzoskwinia na podwórzu już kwitnie. Babcia siedzi przed drzwiami, obiera "
        "warzywa i opowiada dzieciom sąsiadów, jak dawniej żyło się we wsi bez światła, gdy wieczorami "
        "wszyscy śpiewali przy piecu."
    ),
    "cs": (
        "Přišlo jaro a broskvoň na dvoře už kvete. Babička sedí přede dveřmi, čistí zeleninu a vypráví "
        "dětem sousedů, jak se dříve žilo ve vsi bez světla, když večer všichni seděli u pece a zpívali "
        "staré písně o lásce a štěstí."
    ),
    "hu": (
        "Megjött a tavasz, és az udvaron már virágzik az őszibarackfa. Nagymama az ajtó előtt ül, "
        "zöldséget tisztít, és a szomszéd gyerekeknek meséli, hogyan éltek régen a faluban, amikor "
        "még nem volt villany és esténként énekeltek."
    ),
    "tr": (
        "Bahar geldi ve avludaki şeftali ağacı çiçek açtı. Büyükanne kapının önünde oturmuş sebze "
        "ayıklıyor ve komşu çocuklara eskiden köyde ışık yokken akşamları herkesin sobanın başında "
        "şarkı söylediğini anlatıyor."
    ),
    "el": (
        "Ήρθε η άνοιξη και η ροδακινιά στην αυλή είναι ήδη ανθισμένη. Η γιαγιά κάθεται μπροστά στην "
        "πόρτα, καθαρίζει λαχανικά και διηγείται στα παιδιά των γειτόνων πώς ζούσαν παλιά στο χωριό "
        "χωρίς φως."
    ),
    "ar": (
        "جاء الربيع وأزهرت شجرة الخوخ في الفناء. تجلس الجدة أمام الباب تنظف الخضار وتحكي لأطفال الجيران "
        "كيف كانوا يعيشون في القرية قديما دون كهرباء، وكيف كان الجميع يغنون حول الموقد في المساء."
    ),
    "he": (
        "האביב הגיע ועץ האפרסק בחצר כבר פורח. סבתא יושבת ליד הדלת, מנקה ירקות ומספרת לילדי השכנים "
        "איך חיו פעם בכפר בלי חשמל, ואיך כולם היו שרים בערב ליד התנור."
    ),
    "th": (
        "ฤดูใบไม้ผลิมาถึงแล้ว ต้นท้อในสวนกำลังออกดอก คุณยายนั่งอยู่หน้าประตู เด็ดผักไปพลางเล่าเรื่องเก่าให้เด็กข้"
        "างบ้านฟังไปพลาง สมัยนั้นหมู่บ้านยังไม่มีไฟฟ้า ตอนเย็นทุกคนร้องเพลงรอบเตาไฟ"
    ),
}
_WESTERN = ("cp1252", "iso8859-1", "iso8859-15")
_CENTRAL = ("cp1250", "iso8859-2")
OWN = {
    "zh": ("gb18030", "gbk", "gb2312", "hz"),
    "zh-tw": ("big5", "cp950", "gb18030"),
    "ja": ("shift_jis", "cp932", "euc_jp", "iso2022_jp"),
    "ko": ("euc_kr", "cp949", "iso2022_kr"),
    "ru": ("cp1251", "koi8-r", "iso8859-5", "cp866"),
    "uk": ("cp1251", "koi8-u"),
    "tr": ("cp1254", "iso8859-9"),
    "el": ("cp1253", "iso8859-7"),
    "ar": ("cp1256",),
    "he": ("cp1255",),
    "th": ("cp874",),
    **dict.fromkeys(("fr", "de", "es"), _WESTERN),
    **dict.fromkeys(("pl", "cs", "hu"), _CENTRAL),
}
ANY = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
"""Those that hold every language; ``utf-16`` and ``utf-32`` begin with their mark."""

SIZES = (20, 60, 200, 2000)
PLACES = 5


def samples(language: str, encoding: str, size: int) -> Iterator[bytes]:
    """Yield the paragraph in the character set, ``size`` characters each time, from several places."""
    text = PARAGRAPHS[language]
    for place in range(PLACES):
        start = place * len(text) // PLACES
        data = (text * (size // len(text) + 2))[start : start + size].encode(encoding, "ignore")
        if not data.isascii() or encoding in ("hz", "iso2022_jp", "iso2022_kr"):
            yield data


def outcome(data: bytes, encoding: str) -> str:
    """Return ``right``, ``refused`` or ``misread``."""
    try:
        text, *_ = decode(data)
    except SourceError:
        return "refused"
    return "right" if text == data.decode(encoding) else "misread"


def measure(sizes: Sequence[int]) -> dict[tuple[str, str, int], Counter[str]]:
    """Return the counts of outcomes for each language, character set and size."""
    return {
        (language, encoding, size): Counter(outcome(data, encoding) for data in samples(language, encoding, size))
        for language in PARAGRAPHS
        for encoding in (*OWN[language], *ANY)
        for size in sizes
    }


def main() -> None:
    """Print the matrix."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, nargs="+", default=SIZES, help="characters of a file")
    sizes = parser.parse_args().size
    found = measure(sizes)
    print("language encoding   " + "".join(f"{size:>12}" for size in sizes) + "   right/refused/misread")
    for language in PARAGRAPHS:
        for encoding in (*OWN[language], *ANY):
            counts = (found[language, encoding, size] for size in sizes)
            cells = (f"{each['right']}/{each['refused']}/{each['misread']}" for each in counts)
            print(f"{language:<9}{encoding:<11}" + "".join(f"{cell:>12}" for cell in cells))
    total = sum(found.values(), Counter())
    print(f"{total['right']} right, {total['refused']} refused, {total['misread']} misread of {total.total()}")


if __name__ == "__main__":
    main()
