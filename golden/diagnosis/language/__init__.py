"""The words for places in a net's blobs and params: anchors, RoIs, classes, coordinates."""

from .blob_kinds import scores_of
from .vocabulary import Vocabulary

__all__ = ["Vocabulary", "scores_of"]
