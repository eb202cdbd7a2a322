"""Markup: what is text is escaped, what is markup is not."""

from __future__ import annotations

from recaffe.tools.report.html.markup import Html, element


def test_texts_are_escaped_and_markup_is_not() -> None:
    made = element("p", "a < b & ", element("b", "c"), [" > ", Html("<br>")], None, 1.25)
    assert made == "<p>a &lt; b &amp; <b>c</b> &gt; <br>1.2</p>"


def test_attributes() -> None:
    made = element("a", "x", class_="q", data_find='"<', aria_label="", hidden=True, open=False, title=None, width=2.0)
    assert made == '<a class="q" data-find="&quot;&lt;" aria-label="" hidden width="2">x</a>'
    assert element("img", src="data:,", alt="") == '<img src="data:," alt="">'
