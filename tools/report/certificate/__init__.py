"""A certificate: what many runs of a net say together."""

from .certificate import Certificate
from .certification import Certification, certificate_texts

__all__ = ["Certificate", "Certification", "certificate_texts"]
