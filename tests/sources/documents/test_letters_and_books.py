"""Mail, messages, books, archives and old Office files: what they say, where, and what is in them."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from ammon.errors import SourceError
from ammon.sources.reading import Account, Found, Reading
from ammon.types import Document
from document_files import epub, mail, packed, pdf
from ole_files import compound, doc, message, ppt

PDF = pdf([[(72, 700, 11, "A report.")]])


def found(name: str, data: bytes) -> list[Found]:
    return Reading(name, Account(len(data))).run(data)


def read(name: str, data: bytes) -> Document:
    """The document of a file that can be read."""
    first = found(name, data)[0]
    assert first.document is not None, first.error
    return first.document


def code_of(name: str, data: bytes) -> str:
    error = found(name, data)[0].error
    assert isinstance(error, SourceError)
    return error.code


def texts(document: Document, page: int) -> str:
    """What stands on a page, slide or chapter."""
    return "".join(document.text[part.start : part.end] for part in document.parts if part.page == page)


# --- mail ------------------------------------------------------------------------------------------------------------


def test_a_mail_has_its_head_and_its_body() -> None:
    document = read("a.eml", mail("Spare key", "It hangs behind the clock.\n"))
    assert document.title == "Spare key"
    assert document.metadata["from"] == "Ada <ada@example.org>"
    assert document.metadata["date"] == "2026-03-02T10:11:12+01:00"
    assert document.text.endswith("\n\nIt hangs behind the clock.")


@pytest.mark.parametrize(
    ("head", "subject"),
    [
        (b"Subject: =?gb2312?B?uszEubei0LDA?=\n".replace(b"uszEubei0LDA", b"yNWxvg=="), "日本"),
        (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?q?_Wien?=\n", "Grüße aus Wien"),
        ("Subject: Grüße aus Wien\n".encode(), "Grüße aus Wien"),
        (b"Subject: =?x-unknown?B?SGVsbG8=?=\n", "Hello"),
    ],
)
def test_subjects_are_read_however_they_are_written(head: bytes, subject: str) -> None:
    assert read("a.eml", head + b"From: a@example.org\nMIME-Version: 1.0\n\nbody\n").title == subject


def test_a_body_is_in_the_character_set_that_it_names() -> None:
    head = b"From: a@example.org\nMIME-Version: 1.0\nContent-Type: text/plain; charset=gb2312\n\n"
    assert "钥匙挂在钟的后面" in read("a.eml", head + "钥匙挂在钟的后面。".encode("gb18030")).text


def test_a_page_stands_in_for_a_body_that_is_not_there() -> None:
    head = b"From: a@example.org\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
    assert "# Offer\n\nCheap lamps." in read("a.eml", head + b"<h1>Offer</h1><p>Cheap lamps.</p>").text
    assert "Cheap" not in read("b.eml", mail("Offer", "As text.", html="<p>Cheap lamps.</p>")).text


def test_what_is_attached_is_read_mails_within_mails_too() -> None:
    inner = mail("Inner", "An inner letter.", {"deep.pdf": PDF})
    names = [each.name for each in found("a.eml", mail("Outer", "See below.", {"in.eml": inner, "a.pdf": PDF}))]
    assert names == ["", "in.eml", "in.eml!/deep.pdf", "a.pdf"]


def test_each_message_of_a_mailbox_is_a_document() -> None:
    box = b"".join(b"From ada Mon Mar  2 10:11:12 2026\n" + mail(name, f"About {name}.") for name in ("one", "two"))
    first, *messages = found("a.mbox", box)
    assert first.document is not None
    assert first.document.text == "one\ntwo"
    assert [each.document.title for each in messages if each.document] == ["one", "two"]


def test_a_saved_page_is_the_page() -> None:
    head = b'From: <Saved>\nSubject: A page\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary="x"\n\n'
    page = b"--x\nContent-Type: text/html; charset=utf-8\n\n<h1>Herons</h1><p>They stand still.</p>\n--x--\n"
    assert read("a.mhtml", head + page).text == "# Herons\n\nThey stand still."


def test_an_outlook_message_is_a_mail() -> None:
    first, *within = found("a.msg", message("钥匙", "Behind the clock.", {"report.pdf": PDF}, within="Older"))
    assert first.document is not None
    assert first.document.title == "钥匙"
    assert first.document.metadata["from"] == "Ada <ada@example.org>"
    assert first.document.metadata["date"].startswith("2022-")
    assert first.document.text.endswith("Behind the clock.")
    assert within[0].name == "report.pdf"
    assert [each.document.title for each in within[1:] if each.document] == ["Older"]


# --- books and archives ----------------------------------------------------------------------------------------------


def test_chapters_come_in_the_order_in_which_they_are_read() -> None:
    book = read("a.epub", epub([("Dawn", "The keeper slept."), ("Dusk", "The lamp was lit.")], "The lighthouse"))
    assert (book.title, book.language, book.metadata["author"]) == ("The lighthouse", "en", "Ada Lovelace")
    assert "keeper slept" in texts(book, 1)
    assert "lamp was lit" in texts(book, 2)
    assert book.parts[-1].heading == ("Dusk",)


def test_a_protected_book_is_named() -> None:
    with zipfile.ZipFile(io.BytesIO(epub([("Dawn", "x")]))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rights = '<encryption><EncryptedData><EncryptionMethod Algorithm="urn:aes"/></EncryptedData></encryption>'
    assert code_of("a.epub", packed({**members, "META-INF/encryption.xml": rights})) == "encrypted"


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_members_of_an_archive_are_documents(mode: str) -> None:
    first, *members = found("a.tar", tarred({"notes/a.md": b"# A heron", "../../etc/b.txt": b"A crane."}, mode))
    assert first.document is not None
    assert first.document.text == "notes/a.md\n../../etc/b.txt"
    assert [each.document.text for each in members if each.document] == ["# A heron", "A crane."]


def test_a_packed_file_is_what_is_in_it() -> None:
    members = found("notes.txt.gz", gzip.compress(b"A heron."))
    assert [each.name for each in members] == ["", "notes.txt"]


def test_names_in_a_zip_are_read_in_the_set_they_are_written_in() -> None:
    # As Windows in China writes them: GBK, and no word of it.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("PLACEHOLDER1", "鲸鱼用歌声说话。")
    data = buffer.getvalue().replace(b"PLACEHOLDER1", "关于鲸鱼.txt".encode("gbk").ljust(12, b" ")[:12])
    assert found("a.zip", data)[1].name.strip() == "关于鲸鱼.txt"


def test_archives_are_entered_three_deep() -> None:
    data = packed({"a.txt": "A heron."})
    for _ in range(4):
        data = packed({"in.zip": data})
    assert [each.error.code for each in found("a.zip", data) if each.error] == ["too-deep"]


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    assert code_of("a.zip", packed({"zeros.txt": bytes(30_000_000)})) == "bomb"
    assert code_of("a.gz", gzip.compress(bytes(30_000_000))) == "bomb"


# --- old Office ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("narrow", [False, True])
def test_a_word_97_document_has_its_text(*, narrow: bool) -> None:
    text = "Caf\xe9 rules\rUse \x13 HYPERLINK x \x14the door\x15.\ra\x07b\x07\x07c\x07d\x07\x07"
    document = read("a.doc", doc(text, narrow=narrow, footnotes="\x02 A footnote.\r"))
    assert document.text == "Café rules\n\nUse the door.\n\na | b\nc | d\n\nA footnote."


def test_chinese_in_a_word_97_document_is_read() -> None:
    assert read("a.doc", doc("钥匙挂在钟的后面。\r")).text == "钥匙挂在钟的后面。"


def test_slides_of_powerpoint_97_are_numbered_and_titled() -> None:
    slides = read("a.ppt", ppt([("Herons", "They stand still.", "A box."), ("Cranes", "They dance.", "钥匙")]))
    assert texts(slides, 1) == "# Herons\n\nThey stand still.\n\nA box."
    assert texts(slides, 2) == "# Cranes\n\nThey dance.\n\n钥匙"
    assert slides.metadata["pages"] == 2


@pytest.mark.parametrize("name", ["a.doc", "a.ppt", "a.msg", "a.xls"])
def test_an_old_file_of_nothing_known_is_refused(name: str) -> None:
    assert code_of(name, compound({"Something": b"else"})) == "binary"


def test_rtf_is_read_in_the_code_page_that_it_names() -> None:
    chinese = "".join(f"\\'{byte:02x}" for byte in "钥匙".encode("gbk"))
    data = rf"{{\rtf1\ansi\ansicpg936{{\info{{\title Keys}}}}\pard {chinese} \u38047?\'d6\'d3\par second}}".encode()
    document = read("a.rtf", data)
    assert document.title == "Keys"
    assert document.text.startswith("钥匙 钟")
    assert document.text.endswith("\nsecond")


def test_a_member_of_a_zip_without_a_name_is_read() -> None:
    # What follows a NUL is cut off.
    data = packed({"a.txt": "A heron waits.", "b.txt": "A coot swims."}).replace(b"a.txt", b"\0.txt")
    found = Reading("a.zip", Account(1000)).run(data)
    assert [each.document.text for each in found[1:] if each.document] == ["A heron waits.", "A coot swims."]
