"""VGG16 Faster R-CNN."""

from __future__ import annotations

_TRUNK = ((1, (64, 64)), (2, (128, 128)), (3, (256, 256, 256)), (4, (512, 512, 512)), (5, (512, 512, 512)))


def faster_rcnn_test(classes: int = 21, anchors: int = 9) -> str:
    """The TEST net, with py-faster-rcnn's layer, blob and param names."""
    lines = [
        'name: "VGG_ILSVRC_16_layers"',
        'input: "data" input_shape { dim: 1 dim: 3 dim: 224 dim: 224 }',
        'input: "im_info" input_shape { dim: 1 dim: 3 }',
    ]
    blob = "data"
    for stage, widths in _TRUNK:
        for step, width in enumerate(widths, 1):
            name = f"conv{stage}_{step}"
            lines += [_conv(name, blob, name, width, 3, 1), _relu(f"relu{stage}_{step}", name)]
            blob = name
        if stage < len(_TRUNK):
            pool = "pooling_param { pool: MAX kernel_size: 2 stride: 2 }"
            lines.append(_layer(f"pool{stage}", "Pooling", [blob], f"pool{stage}", pool))
            blob = f"pool{stage}"
    return "\n".join(lines + _rpn(blob, anchors) + _head(blob, classes)) + "\n"


def _rpn(blob: str, anchors: int) -> list[str]:
    two_way = "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 0 } }"
    back = f"reshape_param {{ shape {{ dim: 0 dim: {2 * anchors} dim: -1 dim: 0 }} }}"
    proposal = "python_param { module: 'rpn.proposal_layer' layer: 'ProposalLayer' param_str: \"'feat_stride': 16\" }"
    return [
        _conv("rpn_conv/3x3", blob, "rpn/output", 512, 3, 1),
        _relu("rpn_relu/3x3", "rpn/output"),
        _conv("rpn_cls_score", "rpn/output", "rpn_cls_score", 2 * anchors, 1, 0),
        _conv("rpn_bbox_pred", "rpn/output", "rpn_bbox_pred", 4 * anchors, 1, 0),
        _layer("rpn_cls_score_reshape", "Reshape", ["rpn_cls_score"], "rpn_cls_score_reshape", two_way),
        _layer("rpn_cls_prob", "Softmax", ["rpn_cls_score_reshape"], "rpn_cls_prob"),
        _layer("rpn_cls_prob_reshape", "Reshape", ["rpn_cls_prob"], "rpn_cls_prob_reshape", back),
        _layer("proposal", "Python", ["rpn_cls_prob_reshape", "rpn_bbox_pred", "im_info"], "rois", proposal),
    ]


def _head(blob: str, classes: int) -> list[str]:
    pool = "roi_pooling_param { pooled_w: 7 pooled_h: 7 spatial_scale: 0.0625 }"
    lines = [_layer("roi_pool5", "ROIPooling", [blob, "rois"], "pool5", pool)]
    for name, below, number in (("fc6", "pool5", 6), ("fc7", "fc6", 7)):
        dropout = _layer(f"drop{number}", "Dropout", [name], name, "dropout_param { dropout_ratio: 0.5 }")
        lines += [_inner_product(name, below, 4096), _relu(f"relu{number}", name), dropout]
    return [
        *lines,
        _inner_product("cls_score", "fc7", classes),
        _inner_product("bbox_pred", "fc7", 4 * classes),
        _layer("cls_prob", "Softmax", ["cls_score"], "cls_prob"),
    ]


def _conv(name: str, bottom: str, top: str, width: int, kernel: int, pad: int) -> str:
    filler = 'weight_filler { type: "gaussian" std: 0.01 }'
    body = f"convolution_param {{ num_output: {width} kernel_size: {kernel} pad: {pad} stride: 1 {filler} }}"
    return _layer(name, "Convolution", [bottom], top, body)


def _inner_product(name: str, bottom: str, width: int) -> str:
    filler = 'weight_filler { type: "gaussian" std: 0.01 }'
    return _layer(name, "InnerProduct", [bottom], name, f"inner_product_param {{ num_output: {width} {filler} }}")


def _relu(name: str, blob: str) -> str:
    return _layer(name, "ReLU", [blob], blob)


def _layer(name: str, type_: str, bottoms: list[str], top: str, body: str = "") -> str:
    blobs = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
    return f'layer {{ name: "{name}" type: "{type_}" {blobs} top: "{top}" {body} }}'
