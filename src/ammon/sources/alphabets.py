"""Which letters a language is written with: what tells a text from the same bytes read in another character set.

The letters beyond ASCII of forty alphabets, and the characters that make up most of any text in Chinese, Japanese and
Korean. Knows nothing of bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Final

_LATIN: Final = (
    "äöüß àâæçéèêëîïôœùûüÿ áéíñóúü áâãàçéêíóôõúü àèéìíîòóùú áéèëïíóöüú åäöé æøåéòóôü áðéíóúýþæö ąćęłńóśźż "
    "áčďéěíňóřšťúůýž áäčďéíĺľňóôŕšťúýž čćđšž áéíóöőúüű ăâîșțşţ çğıiöşüâîû\u0307 ąčęėįšųūž āčēģīķļņšūž äõöüšž ëç "
    "àçèéíïòóúü· ċġħż ŵŷâêîôûáéïö ĉĝĥĵŝŭ"
)
_CYRILLIC: Final = (
    "абвгдежзийклмнопрстуфхцчшщъыьэюяё абвгґдеєжзиіїйклмнопрстуфхцчшщьюя абвгдђежзијклљмнњопрстћуфхцчџш "
    "абвгдѓежзѕијклљмнњопрстќуфхцчџш абвгдеёжзійклмнопрстуўфхцчшыьэюя"
)
_GREEK: Final = "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"
ALPHABETS: Final = tuple(map(frozenset, (*_LATIN.split(), *_CYRILLIC.split(), _GREEK)))

_SIMPLIFIED: Final = (
    "的年一为是在中有于大国人以和后学时成地上个月会了日不与及部公名出之分生作其长他本行用主被西发斯而线由可区家到多位"
    "下第路来体海南方亚法尔至子道物前加并东自球所同现代最新这等小开站高北特三对经动要市台因称文间里内建任也得电种此车"
    "港世期场理色入马利当队员军通立教美过政外山合都度但或化能天德面全民业两目平数约定克设事式工将龙系二进香次号王原机"
    "使士水州制者们布重米英司性比巴广科类相十罗力正达语如院形常联从华关拉金战起明表尼条岛四基太城湾元该运头安无列包首"
    "属洲统总视品食务则然林共河计格心向保直就门口校传提界交阿组量近实音治型结始女非改受接处意程古影产演又已少单身铁较"
    "获点管具书花亦应说角些更带字只议指剧版取江县集选级它群省资社游展手连族石参万白活别居黄节权认各离专果标片史括还义"
    "气五画每往回命张据空领即持历师转风创今变神很京状奥光信支服官完帝夫先决造街收际举村纪局那放研死客反知商质观引未存"
    "情随打记亲见去深博域题九示段推复解园团卫置致早项她令另超许越哥争样环室速班规源易除半母份再问银办言例击强底馆索报"
    "网火图编显好八短象增调件老配兵爱才百土率细续投排围升田歌需含药独料我你想没吗什么让吃请谢呢吧妈爸找听候真快孩觉走"
    "跑笑谁几哪做给把喜欢曾著初兰流府导且维供根终助纳六故术卡职构清论波仍红均乐整威普周赛密陆究足边兴武侧落效朝欧律功"
    "止育双黑准干求印失座录响七模青划营低洋附济星便伦担留容积志季宣协消护己何简众阳背范般福境住端极修呈继派尾盟写着延"
    "停层富证考拥诺缘苏委儿叶占器看备息确注声冠杀圣虽退沙远岁汉塞精满奇像末希似吉氏限征伯依病步盖萨久晚父感突温森宗破"
    "澳男俗鱼菲艺皇伊必查播况负败岸景告移算登友伤鲁康案圆价绝适仅眼泰装断余采施封载甚却顿批莱评态降骨甲哈技洛织曲沿热"
    "毕素奖优湖拿授曼责费承换尺习识筑值尚预镇夏齿述木牙思胜左轻切席右蓝雷严验届典云念试佳守闻途望读须距塔草软序皮医夺"
    "宽译异攻照执副归树幼雄李植尽皆恩瓦钟祖亡千径毛旧杂射束房姆宁予桥丁旅楼嘉宾丽释逐渐难勒防托唯戏势佛春良央邻栖养巨"
    "堂散丹隆灵户赏顶略野临郡藏售若硬替弟跟绿乘话启永迁肉控纲练善蒙枚刻宫策测某飞督籍监夜压泛荣丰吸盛顺免轮油靠刘迪松"
    "抗鳍辐役贝埃签岩废血隔亿庭瑞追礼乎察陈阶秘乡宝牌川互鲜吴缩减署遗词训叫灭害库弗送腹差秀坦额伸充农裂兼杰庆返冲判媒"
    "杜泽核警休繁帮章培卷胸扩唐臣架谷够味厂假党讨灰贵购鳞横邦革缺婚财尤尖固献摩淡唱拍补遭混捕探臀斑纽描板黎益烈坡毒雅"
    "暗吻扁介爆误宋店孙朗牛否借彩截乱盘输妻梁穿厅讯誉旁遍劳票汇绩船聚按诸拔牠殖频鸟航棘绍笔莫疑迹廷迫旗择梅侵乌码辖救"
    "错辑颜材敦纹摄逃微昌阵竞惠危援乔峰胡险私轨申仔企麻址映烧刊酒秋弃杨赵徐朱郭郑韩冯董萧曹袁邓傅沈彭吕卢蒋蔡贾魏薛阎"
    "潘戴汪姜姚谭廖邹熊郝孔崔邱秦顾侯邵孟钱汤尹贺赖龚"
)
_TRADITIONAL: Final = (
    "的是一不我有大在人了中到資要以可這個你會好為上來就學交也用能如時沒說他看那問生提下過請們天所多麼小想得之還電出工對都機"
    "自後子而訊站去心只家知國很信成章何同道地發法無然但嗎當於本現年前真最和新因果定意情點題其事方清科樣些吧三此位理行作"
    "經者什謝名日正華話開實再城愛與二動比高面又車力或種像應女教分手打已次長太明己文起做加相主間月世公內網路業產管權政"
    "府黨民市場全部間體統系關係進步術技使將重要許例圖處語言識別認續改變活研究員討論近習器展取領域式影響區市性期從被由其市"
    "第十年四五六七八九兩種立法院議案社經濟公司企業投資金融銀行計劃設計服務系統軟硬標準平臺台灣北京美英歐洲南東西山水海"
    "河路線外建造物品質量數據庫書報記者新聞電視影片音樂藝術文化歷史傳統宗教神佛僧王帝皇將軍戰爭兵武器傷害死亡病醫療藥食"
    "環境氣候溫度風雨雪火災土石流動植物花草樹木林果園農田農村鄉鎮城鎮縣州省界線限制約束規則條件原因結果總統選舉"
)
_JAPANESE: Final = (
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立"
    "開手米力学問高代明実円関決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七"
    "成期公持野協取都和統以機平総加山思家話世受区領多県続進正安設保改数記院女初北午指権心界支第産結百派点教報済書府活原"
    "先共得解名交資予川向際査勝面委告軍文反元重近千考判認画海参売利組知案道信策集在件団別物側任引使求所次水半品昨論計死"
    "官増係感特情投示変打男基私各始島直両朝革価式確村提運終挙果西勢減台広容必応演電歳住争談能無再位置企真流格有疑口過局少"
    "放税検藤町常校料沢裁状工建語球営空職証土与急止送援供可役構木割聞身費付施切由説転食比難防補車優夫研収断井何南石足違識"
    "技術習処域歩画像機械然工知遂究考続活々々年"
)
_KOREAN: Final = (
    "이다는에의가고을하지로은도사한기리대어자시인서나정그들아일를수과부안있장보게주해으원전제라만스구상었동했오조신적것선우소"
    "마여방말실공성니생무문해연세비면진위경화회산관와내러트히저거야국중용계개습학술발인식입출력모든할될된되않없던때며또더본"
    "래년월명집법재체치물심행결민분양교현단미드르운타영간업위유천통표당번금감강강남북서울외직식음악영차후른려합니까요네처럼"
    "크레호크토론포최초추축출충취층달담답당대데돈돌두둘등디따땅떤떠똑뜻런록료률름립막많말맞매머먹면몇목몸못바반받밤밖방배"
)
_KANA: Final = "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30FB), 0x30FC)))
_EASTERN: Final = {
    "gb18030": _SIMPLIFIED + _TRADITIONAL,
    "cp950": _TRADITIONAL,
    "euc_jp": _JAPANESE + _KANA,
    "cp932": _JAPANESE + _KANA,
    "cp949": _KOREAN,
}
EASTERN: Final = tuple(_EASTERN)
"""Character sets of several bytes in which East Asian languages were written, by the names of Python."""

_LETTER: Final = re.compile(r"[^\W\d_\x00-\x7f]")
_EASTERN_LETTER: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f]")


def foreign(text: str) -> int:
    """Return how many letters beyond ASCII are outside the one alphabet that holds the most of them.

    Letters of scripts that have no alphabet here count for nothing.

    >>> foreign("Příliš žluťoučký"), foreign("Pøíliš žluśoučký")
    (0, 2)
    """
    letters = Counter(_LETTER.findall(text.lower()))
    known = {letter: count for letter, count in letters.items() if letter in _known_letters() or letter < "\u0530"}
    return min(sum(count for letter, count in known.items() if letter not in alphabet) for alphabet in ALPHABETS)


@cache
def _known_letters() -> frozenset[str]:
    return frozenset().union(*ALPHABETS)


@cache
def _common(encoding: str) -> frozenset[str]:
    return frozenset(_EASTERN[encoding])


def familiar(text: str, encoding: str) -> tuple[int, int]:
    """Return how many East Asian letters are among the usual ones of the languages of ``encoding``, and how many are.

    In running text of that language three of four are; in the same bytes read wrongly, hardly one in ten.

    >>> familiar("我们今天去北京", "gb18030")
    (7, 7)
    """
    letters = _EASTERN_LETTER.findall(text)
    return sum(letter in _common(encoding) for letter in letters), len(letters)
