"""What documents are made of: HTML, SVG, Markdown, colours."""

from .charts import histogram, losses
from .markup import Html, element, joined
from .palette import DIVERGING, SEQUENTIAL, address, picture
from .passages import Heading, Paragraph, Passage, Table, as_html, as_markdown

__all__ = [
    "DIVERGING",
    "SEQUENTIAL",
    "Heading",
    "Html",
    "Paragraph",
    "Passage",
    "Table",
    "address",
    "as_html",
    "as_markdown",
    "element",
    "histogram",
    "joined",
    "losses",
    "picture",
]
