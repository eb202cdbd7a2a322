"""The keys of the configuration's two sections, with the originals' defaults."""

from __future__ import annotations

from dataclasses import dataclass

Four = tuple[float, float, float, float]


@dataclass(frozen=True)
class Train:
    """Keys under TRAIN; the last four are py-R-FCN's."""

    SCALES: tuple[int, ...] = (600,)
    MAX_SIZE: int = 1000
    IMS_PER_BATCH: int = 2
    BATCH_SIZE: int = 128
    FG_FRACTION: float = 0.25
    FG_THRESH: float = 0.5
    BG_THRESH_HI: float = 0.5
    BG_THRESH_LO: float = 0.1
    USE_FLIPPED: bool = True
    BBOX_REG: bool = True
    BBOX_THRESH: float = 0.5
    SNAPSHOT_ITERS: int = 10000
    SNAPSHOT_INFIX: str = ""
    USE_PREFETCH: bool = False
    BBOX_NORMALIZE_TARGETS: bool = True
    BBOX_INSIDE_WEIGHTS: Four = (1.0, 1.0, 1.0, 1.0)
    BBOX_NORMALIZE_TARGETS_PRECOMPUTED: bool = False
    BBOX_NORMALIZE_MEANS: Four = (0.0, 0.0, 0.0, 0.0)
    BBOX_NORMALIZE_STDS: Four = (0.1, 0.1, 0.2, 0.2)
    PROPOSAL_METHOD: str = "selective_search"
    ASPECT_GROUPING: bool = True
    HAS_RPN: bool = False
    RPN_POSITIVE_OVERLAP: float = 0.7
    RPN_NEGATIVE_OVERLAP: float = 0.3
    RPN_CLOBBER_POSITIVES: bool = False
    RPN_FG_FRACTION: float = 0.5
    RPN_BATCHSIZE: int = 256
    RPN_NMS_THRESH: float = 0.7
    RPN_PRE_NMS_TOP_N: int = 12000
    RPN_POST_NMS_TOP_N: int = 2000
    RPN_MIN_SIZE: int = 16
    RPN_BBOX_INSIDE_WEIGHTS: Four = (1.0, 1.0, 1.0, 1.0)
    RPN_POSITIVE_WEIGHT: float = -1.0
    RPN_NORMALIZE_TARGETS: bool = False
    RPN_NORMALIZE_MEANS: Four = (0.0, 0.0, 0.0, 0.0)
    RPN_NORMALIZE_STDS: Four = (0.1, 0.1, 0.2, 0.2)
    AGNOSTIC: bool = False


@dataclass(frozen=True)
class Test:
    """Keys under TEST; the last is py-R-FCN's."""

    SCALES: tuple[int, ...] = (600,)
    MAX_SIZE: int = 1000
    NMS: float = 0.3
    SVM: bool = False
    BBOX_REG: bool = True
    HAS_RPN: bool = False
    PROPOSAL_METHOD: str = "selective_search"
    RPN_NMS_THRESH: float = 0.7
    RPN_PRE_NMS_TOP_N: int = 6000
    RPN_POST_NMS_TOP_N: int = 300
    RPN_MIN_SIZE: int = 16
    AGNOSTIC: bool = False
