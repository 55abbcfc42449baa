"""A file is what its bytes say, whatever it is named."""

from __future__ import annotations

import pytest

from ammon.sources.telling import is_for_sandbox, tell

PAGE = b"<!DOCTYPE html><html><head><title>x</title></head><body><p>text</p></body></html>"
MAIL = b"Received: from x by y;\r\n\tMon\r\nFrom: a@b.c\r\nTo: d@e.f\r\nSubject: hi\r\nDate: Mon, 1 Jan 2024\r\n\r\nhello\r\n"
RTF = rb"{\rtf1\ansi Hello}"
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"
CSV = b"a,b,c\n1,2,3\n4,5,6\n"
TSV = b"a\tb\tc\n1\t2\t3\n"
XML = b'<?xml version="1.0"?><r>t</r>'

OFFICE = ("a.doc", "a.docx", "a.xls", "a.xlsx", "a.ppt", "a.pdf", "a.rtf", "a.msg")
TEXTS = ("a.txt", "a.csv", "a.json", "a.unknown", "README")


@pytest.mark.parametrize(
    ("data", "names", "loader"),
    [
        (PAGE, (*OFFICE, *TEXTS, "a.eml", "a.html"), "html"),
        (b"\xef\xbb\xbf<!-- saved -->\n" + PAGE, ("a.txt", "a.xls"), "html"),
        (MAIL, (*OFFICE, "a.txt", "a.unknown", "a.eml"), "documents.mail"),
        (RTF, (*OFFICE, *TEXTS, "a.html", "a.md"), "documents.rtf"),
        (PDF, (*OFFICE, *TEXTS, "a.html", "a.md"), "documents.pdf"),
        (b"\r\n\r\n" + PDF, ("a.pdf", "a.txt"), "documents.pdf"),
        (CSV, ("a.xls", "a.xlsx", "a.csv"), "table"),
        (TSV, ("a.xls", "a.ods", "a.tsv"), "table"),
        (XML, (*OFFICE, "a.xml"), "xml"),
        (b"plain words", (*OFFICE[:2], "a.txt", "a.pdf"), "plain"),
        (b"# Notes\n\n<html> is a tag", ("a.md",), "markdown"),
        (b"From: here\nit is far to the sea\n", ("a.txt",), "plain"),
        (b"Name: x\nColour: red\nSize: 4\n\nnotes", ("a.txt",), "plain"),
        (b"The tag <html> begins a page", ("a.txt", "a.csv"), "plain table"),
    ],
    ids=lambda value: value[:20].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_a_file_is_what_its_bytes_say(data: bytes, names: tuple[str, ...], loader: str) -> None:
    assert {tell(name, data).loader for name in names} == set(loader.split())


def test_what_only_the_sandbox_reads_goes_there_under_any_name() -> None:
    assert all(is_for_sandbox(name, data) for data in (MAIL, RTF, PDF) for name in ("a.txt", "a.unknown"))
    assert not any(is_for_sandbox(name, data) for data in (PAGE, CSV) for name in ("a.txt", "a.csv", "a.html"))
    assert tell("a.xls", TSV).media_type == "text/tab-separated-values"
