"""Reports to look at: one HTML file with everything inside, and tables that are HTML or Markdown."""

from .certificate import Certificate, Certification, certificate_texts
from .comparison import Document
from .comparison_text import as_text
from .contract import contract_json, contract_text, find_type, types_text
from .environment import sha256
from .errors import ReportError
from .installation import examine, installation_text
from .listing_text import listing_json, listing_text
from .net_summary import layer_rows, param_bytes, summary_json, summary_text
from .port_report import PortReport, model_report, report_on
from .surgery_report import OperationReport, SurgeryReport, step_of
from .tables import aligned, bytes_text

__all__ = [
    "Certificate",
    "Certification",
    "Document",
    "OperationReport",
    "PortReport",
    "ReportError",
    "SurgeryReport",
    "aligned",
    "as_text",
    "bytes_text",
    "certificate_texts",
    "contract_json",
    "contract_text",
    "examine",
    "find_type",
    "installation_text",
    "layer_rows",
    "listing_json",
    "listing_text",
    "model_report",
    "param_bytes",
    "report_on",
    "sha256",
    "step_of",
    "summary_json",
    "summary_text",
    "types_text",
]
