"""Two hundred different texts, half English and half Chinese, of one or two clauses."""

from __future__ import annotations

from random import Random

ENGLISH = (
    ("The hippocampus", "A river", "Our committee", "The compiler", "An elephant", "My grandmother", "This protein"),
    ("remembers", "rejects", "slowly erodes", "often mirrors", "cannot explain", "binds to", "was named after"),
    (
        "every place it has seen",
        "the oldest part of the city",
        "a change nobody asked for",
        "two kinds of memory",
        "the price of copper in 1987",
        "its neighbour's source code",
        "what we call a fact",
    ),
)
CHINESE = (
    ("海马体", "这条河", "委员会", "编译器", "一头大象", "我的祖母", "这种蛋白质"),
    ("记得", "拒绝了", "慢慢侵蚀", "常常反映出", "无法解释", "结合", "得名于"),
    (
        "它见过的每一个地方",
        "城市最古老的部分",
        "没有人要求的改变",
        "两种不同的记忆",
        "1987年的铜价",
        "邻居的源代码",
        "我们所说的事实",
    ),
)


def texts() -> list[str]:
    random = Random(7)
    found: dict[str, None] = {}
    for parts, comma, stop in ((ENGLISH, ", and ", "."), (CHINESE, "，", "。")):
        before = len(found)
        while len(found) < before + 100:
            joint = "" if stop == "。" else " "
            clauses = [joint.join(random.choice(part) for part in parts) for _ in range(random.randint(1, 2))]
            found[comma.join(clauses) + stop] = None
    return list(found)
