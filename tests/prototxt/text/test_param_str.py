from __future__ import annotations

import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.prototxt.caffe_pb2 import LayerParameter
from recaffe.prototxt.text.param_str import read_param_str, write_param_str


def layer(text: str) -> LayerParameter:
    return LayerParameter(type="Python", python_param={"param_str": text})


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("'feat_stride': 16", "'feat_stride': 16\n'scales': [4, 8]"),
        ("'feat_stride': 16 \n", "'feat_stride': 16\n'scales': [4, 8]"),
        ("  'feat_stride': 16", "  'feat_stride': 16\n  'scales': [4, 8]"),
        ("'scales': [8, 16, 32] \n'feat_stride': 16", "'scales': [4, 8] \n'feat_stride': 16"),
        ("'feat_stride': 16 \n'scales': !!python/tuple [8, 16]  # as is usual", None),
        ("{'feat_stride': 16, scales: [8]}", "{'feat_stride': 16, scales: [4, 8]}"),
        ("{feat_stride: 16}", "{feat_stride: 16, 'scales': [4, 8]}"),
        ("scales:\n- 8\n- 16\nfeat_stride: 16", None),
        ("", "'scales': [4, 8]"),
    ],
)
def test_one_keyword_is_set(text: str, want: str | None) -> None:
    message = layer(text)
    before = read_param_str(message)
    write_param_str(message, "scales", "[4, 8]")
    assert read_param_str(message) == {**before, "scales": [4, 8]}
    assert want is None or message.python_param.param_str == want


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(LayerError, match=r"param_str '\[8' is not YAML: "):
        read_param_str(layer("[8"))
    with pytest.raises(LayerError, match="param_str '16' is not a mapping such as \"'feat_stride': 16\""):
        read_param_str(layer("16"))


@pytest.mark.parametrize(
    "text",
    ["a: !!int", "a: !!int x", "a: 0x_", "a: 2001-99-99", "a: !!timestamp y", "a: !!bool z", "[" * 2000, "9" * 5000],
)
def test_values_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(LayerError, match="is not YAML: a value is faulty ") as error:
        read_param_str(layer(text))
    assert "\n" not in str(error.value)


def test_what_is_no_yaml_is_not_changed() -> None:
    with pytest.raises(LayerError, match=r"param_str '\[8' is not YAML: "):
        write_param_str(layer("[8"), "scales", "[4, 8]")
