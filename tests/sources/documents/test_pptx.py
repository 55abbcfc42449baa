"""PowerPoint: slides in their order, what stands on them in the order of reading."""

from __future__ import annotations

from document_files import docx, pptx, relations
from office_files import Reader, picture, read, under, with_members

NAMES = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def tree(name: str, shapes: str) -> str:
    return f"<p:{name} {NAMES}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:{name}>"


def shape(text: str, place: tuple[int, int] | None = None, holder: str = "", level: int = 0) -> str:
    """A shape with a text; ``place`` is its distance from the left and from the top."""
    off = f'<a:xfrm><a:off x="{place[0]}" y="{place[1]}"/></a:xfrm>' if place else ""
    inner = f'<a:p><a:pPr lvl="{level}"/><a:r><a:t>{text}</a:t></a:r></a:p>' if text else ""
    return (
        f"<p:sp><p:nvSpPr><p:nvPr>{holder and f'<p:ph {holder}/>'}</p:nvPr></p:nvSpPr><p:spPr>{off}</p:spPr>"
        f"<p:txBody>{inner}</p:txBody></p:sp>"
    )


def slide(shapes: str, related: dict[str, tuple[str, str]] | None = None, **members: str | bytes) -> bytes:
    """A presentation of one slide; ``members`` are named by their place under ppt, with ``__`` for a slash."""
    parts = {f"ppt/{name.replace('__', '/')}.xml": content for name, content in members.items()}
    rels = {"ppt/slides/_rels/slide1.xml.rels": relations(related or {})}
    return with_members(pptx([("", "")]), {"ppt/slides/slide1.xml": tree("sld", shapes), **rels, **parts})


def test_slides_are_numbered_as_they_are_shown() -> None:
    document = read("a.pptx", pptx([("Second", "Bread."), ("First", "Flour.")], "Ask Ada."))
    assert document.metadata["pages"] == 2
    assert document.metadata["author"] == "Ada Lovelace"
    assert under(document, "Flour.") == (1, ("First",), "markdown")
    assert under(document, "Bread.") == (2, ("Second",), "markdown")
    assert under(document, "Notes: Ask Ada.")[0] == 2


def test_shapes_are_read_from_the_top_and_from_the_left_after_the_title() -> None:
    shapes = (
        shape("low", (0, 5_000_000))
        + shape("right", (4_000_000, 1_000_100))
        + shape("left", (0, 1_000_000))
        + shape("Title", (0, 6_000_000), 'type="title"')
    )
    assert read("a.pptx", slide(shapes)).text.split("\n\n") == ["# Title", "left", "right", "low"]


def test_a_shape_stands_where_its_layout_or_master_puts_it() -> None:
    layout = tree("sldLayout", shape("", (0, 1_000_000), 'idx="1"') + shape("", None, 'type="body" idx="7"'))
    master = tree("sldMaster", shape("", (0, 3_000_000), 'type="body" idx="1"'))
    data = slide(
        shape("bottom", (0, 5_000_000))
        + shape("by master", None, 'type="body" idx="7"')
        + shape("by layout", None, 'idx="1"')
        + shape("middle", (0, 2_000_000)),
        {"l": ("slideLayout", "../slideLayouts/one.xml")},
        slideLayouts__one=layout,
        slideMasters__one=master,
    )
    rels = relations({"m": ("slideMaster", "../slideMasters/one.xml")})
    data = with_members(data, {"ppt/slideLayouts/_rels/one.xml.rels": rels})
    assert read("a.pptx", data).text.split("\n\n") == ["by layout", "middle", "by master", "bottom"]


def test_a_group_stays_together() -> None:
    place = '<p:grpSpPr><a:xfrm><a:off x="0" y="2000000"/></a:xfrm></p:grpSpPr>'
    group = f"<p:grpSp>{place}{shape('two', (0, 9_000_000))}{shape('one', (0, 10))}</p:grpSp>"
    data = slide(shape("after", (0, 4_000_000)) + group + shape("before", (0, 1_000_000)))
    assert read("a.pptx", data).text.split("\n\n") == ["before", "one", "two", "after"]


def test_tables_charts_and_diagrams_are_read() -> None:
    cells = "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{each}</a:t></a:r></a:p></a:txBody></a:tc>" for each in "ab")
    table = f"<p:graphicFrame><a:tbl><a:tr>{cells}</a:tr><a:tr>{cells}</a:tr></a:tbl></p:graphicFrame>"
    chart = '<p:graphicFrame><c:chart xmlns:c="c" r:id="c1"/></p:graphicFrame>'
    diagram = '<p:graphicFrame><d:relIds xmlns:d="d" r:dm="d1"/></p:graphicFrame>'
    data = slide(
        table + chart + diagram,
        {"c1": ("chart", "../charts/one.xml"), "d1": ("diagramData", "../diagrams/one.xml")},
        charts__one=f"<c {NAMES}><a:t>Sales</a:t><v>North</v></c>",
        diagrams__one=f"<d {NAMES}><a:t>Plan</a:t><a:t>Do</a:t></d>",
    )
    assert read("a.pptx", data).text.split("\n\n") == ["| a | b |\n| --- | --- |\n| a | b |", "Sales North", "Plan Do"]


def test_a_chart_that_is_not_there_and_properties_of_no_valid_name_do_no_harm() -> None:
    chart = '<p:graphicFrame><c:chart xmlns:c="c" r:id="c1"/></p:graphicFrame>'
    data = slide(chart + shape("Words", (0, 0)), {"c1": ("chart", "../charts/none.xml")})
    core = '<cp:coreProperties><dc:0title>No</dc:0title><cp:creator xmlns:cp="c">Ada</cp:creator></cp:coreProperties>'
    document = read("a.pptx", with_members(data, {"docProps/core.xml": core}))
    assert document.text == "Words"
    assert document.metadata["author"] == "Ada"


def test_numbers_dates_and_footers_stand_in_the_margin() -> None:
    document = read("a.pptx", slide(shape("7", None, 'type="sldNum"') + shape("Body", (0, 0))))
    assert {under(document, words)[2] for words in ("7",)} == {"margin"}
    assert under(document, "Body")[2] == "markdown"


def test_comments_and_indented_lines_are_read() -> None:
    data = slide(
        shape("deep", (0, 0), level=2) + shape("endless", (0, 900_000), level=999_999_999),
        {"c": ("comments", "../comments/one.xml")},
        comments__one=f"<p:cmLst {NAMES}><p:cm><p:text>Too long.</p:text></p:cm></p:cmLst>",
    )
    said = read("a.pptx", data).text
    assert said.startswith("  - deep\n\n")
    assert said.endswith("Comment: Too long.")
    assert len(said) < 80


def test_a_picture_is_read_on_its_slide() -> None:
    pic = '<p:pic><p:nvPicPr><p:cNvPr descr="A map"/></p:nvPicPr><p:blipFill><a:blip r:embed="i"/></p:blipFill></p:pic>'
    data = with_members(slide(pic, {"i": ("image", "../media/a.png")}), {"ppt/media/a.png": picture(60, 20)})
    document = read("a.pptx", data, Reader())
    assert document.text == "[A map]\n\na picture of 60 by 20"
    assert under(document, "60 by 20")[0] == 1


def test_a_word_document_under_a_presentation_s_name_is_read_as_what_it_is() -> None:
    assert read("a.pptx", docx("<w:p><w:r><w:t>Words.</w:t></w:r></w:p>")).text == "Words."
