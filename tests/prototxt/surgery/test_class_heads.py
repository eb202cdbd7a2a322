from __future__ import annotations

import pytest

from recaffe.prototxt.surgery.class_heads import class_heads
from recaffe.prototxt.surgery.operation import SurgeryError
from recaffe.prototxt.text.read import read_net
from recaffe.prototxt.zoo.catalog import MODELS, make_net

WITH_ATTRIBUTES = """name: "attributes"
layer { name: "fc" type: "Input" top: "fc" input_param { shape { dim: 2 dim: 7 } } }
layer { name: "what" type: "InnerProduct" bottom: "fc" top: "what" inner_product_param { num_output: 6 } }
layer { name: "where" type: "InnerProduct" bottom: "fc" top: "where" inner_product_param { num_output: 24 } }
layer { name: "prob" type: "Softmax" bottom: "what" top: "prob" }
layer { name: "how" type: "InnerProduct" bottom: "fc" top: "how" inner_product_param { num_output: 5 } }
layer { name: "how_prob" type: "Softmax" bottom: "how" top: "how_prob" }
"""


@pytest.mark.parametrize("model", ["vgg16", "resnet101"])
def test_the_nets_of_the_zoo(model: str) -> None:
    seen = set()
    for scheme, phases in MODELS[model].items():
        for phase in phases:
            net = make_net(model, scheme, phase)
            if scheme.endswith("rpn") and phase == "TEST":
                with pytest.raises(SurgeryError, match="has no classes: looked for InnerProduct and Convolution"):
                    class_heads(net, agnostic=False)
                continue
            found = class_heads(net, agnostic=False)
            heads = tuple((head.layer.name, numbers) for head, numbers in found.heads)
            assert found.classes == (21 if heads else 0)
            seen.add(heads)
            names = {layer.name for layer in net.layer}
            counters = names & ({"data", "input-data", "roi-data"} if len(heads) > 1 else {"data", "input-data"})
            assert {layer.name for layer in found.counters} == (counters if phase == "TRAIN" else set())
    aware = (("rfcn_cls", 1), ("rfcn_bbox", 4)) if model == "resnet101" else (("cls_score", 1), ("bbox_pred", 4))
    assert seen == {(), aware} | ({(("rfcn_cls", 1),)} if model == "resnet101" else set())


def test_boxes_or_num_classes_tell_which_scores_are_the_classes() -> None:
    found = class_heads(read_net(WITH_ATTRIBUTES).net, agnostic=False)
    assert [head.layer.name for head, _ in found.heads] == ["what", "where"]
    assert [head.layer.name for head in found.others] == ["how"]
    assert found.classes == 6
    counter = 'layer { type: "Python" top: "d" python_param { module: "m" layer: "L" param_str: "num_classes: 5" } }'
    counted = WITH_ATTRIBUTES.replace("24", "8") + counter
    assert class_heads(read_net(counted).net, agnostic=False).classes == 5


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(SurgeryError) as refused:
        class_heads(read_net(WITH_ATTRIBUTES.replace("24", "23")).net, agnostic=False)
    line = "net 'attributes': which head tells the classes? 'how' has 5, 'what' has 6; no num_classes or boxes say it"
    assert str(refused.value) == line
