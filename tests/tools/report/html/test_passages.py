"""A document's parts as Markdown and HTML."""

from __future__ import annotations

from recaffe.tools.report.html.passages import Heading, Paragraph, Table, as_html, as_markdown

PASSAGES = [Heading("A_b"), Paragraph("x < y\nand *z*"), Table("c", ("name", "is"), [("a|b", "1"), ("d", "2")])]


def test_markdown() -> None:
    assert as_markdown(PASSAGES).split("\n\n") == [
        "## A\\_b",
        "x \\< y and \\*z\\*",
        "**c**",
        "| name | is |\n| --- | --- |\n| a\\|b | 1 |\n| d | 2 |\n",
    ]


def test_html() -> None:
    heading, paragraph, table = as_html(PASSAGES).replace("\nand", " and").split("\n")
    assert (heading, paragraph) == ("<h2>A_b</h2>", "<p>x &lt; y and *z*</p>")
    assert '<caption>c</caption><thead><tr><th scope="col">name</th>' in table
    assert '<tr><th scope="row">a|b</th><td>1</td></tr>' in table
