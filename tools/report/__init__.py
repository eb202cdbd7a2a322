"""Reports to look at: one HTML file with everything inside, and tables that are HTML or Markdown."""

from .blob_values import Statistics, statistics
from .certificate import Certificate
from .certificate_run import CertificateRun, certify_run, key_of, load_run, save_run
from .comparison import Document, page
from .comparison_text import as_text
from .environment import environment, golden_environment, sha256, sources_digest
from .markup import element
from .passages import Heading, Passage, as_html, as_markdown
from .port_report import PortReport, model_report, report_on
from .surgery_report import SurgeryReport, step_of
from .tables import aligned, bytes_text

__all__ = [
    "Certificate",
    "CertificateRun",
    "Document",
    "Heading",
    "Passage",
    "PortReport",
    "Statistics",
    "SurgeryReport",
    "aligned",
    "as_html",
    "as_markdown",
    "as_text",
    "bytes_text",
    "certify_run",
    "element",
    "environment",
    "golden_environment",
    "key_of",
    "load_run",
    "model_report",
    "page",
    "report_on",
    "save_run",
    "sha256",
    "sources_digest",
    "statistics",
    "step_of",
]
