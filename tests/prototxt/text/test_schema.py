"""The schema: what it holds, and that the generated module is made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from recaffe.prototxt import caffe_pb2
from recaffe.prototxt.forks import FORKS, whose

ROOT = Path(__file__).parents[3]
PROTO = ROOT / "prototxt" / "caffe.proto"


def compiled(file: FileDescriptorProto) -> FileDescriptorProto:
    """The file as a pool of its own understands it, without what compilers add or leave out."""
    pool = DescriptorPool()
    pool.Add(file)
    out = FileDescriptorProto()
    pool.FindFileByName(file.name).CopyToProto(out)
    for message in out.message_type:
        for field in message.field:
            field.ClearField("json_name")
    return out


def fields() -> Iterator[tuple[Descriptor, FieldDescriptorProto]]:
    file = FileDescriptorProto.FromString(caffe_pb2.DESCRIPTOR.serialized_pb)
    for message in file.message_type:
        for field in message.field:
            yield caffe_pb2.DESCRIPTOR.message_types_by_name[message.name], field


def test_generated_module_is_made_from_the_schema(tmp_path: Path) -> None:
    protoc = pytest.importorskip("grpc_tools.protoc", reason="grpcio-tools, which has the compiler, is not installed")
    out = tmp_path / "caffe.bin"
    assert protoc.main(["protoc", f"-I{ROOT}", f"--descriptor_set_out={out}", "prototxt/caffe.proto"]) == 0
    (fresh,) = FileDescriptorSet.FromString(out.read_bytes()).file
    committed = FileDescriptorProto.FromString(caffe_pb2.DESCRIPTOR.serialized_pb)
    assert compiled(fresh) == compiled(committed)


def test_typing_stub_knows_every_field() -> None:
    stub = (ROOT / "prototxt" / "caffe_pb2.pyi").read_text()
    for message in caffe_pb2.DESCRIPTOR.message_types_by_name.values():
        body = stub.split(f"\nclass {message.name}(_message.Message):", 1)[1].split("\nclass ", 1)[0]
        assert re.findall(r"^    (\w+)_FIELD_NUMBER:", body, re.M) == [name.upper() for name in message.fields_by_name]


def test_nothing_is_required_and_the_package_is_ours() -> None:
    assert caffe_pb2.DESCRIPTOR.package == "recaffe"
    assert caffe_pb2.DESCRIPTOR.name == "prototxt/caffe.proto"
    found = list(fields())
    assert len(found) > 600
    assert [field.name for _, field in found if field.label == FieldDescriptorProto.LABEL_REQUIRED] == []


def test_presence_tells_singular_from_repeated() -> None:
    for message, field in fields():
        repeated = field.label == FieldDescriptorProto.LABEL_REPEATED
        assert message.fields_by_name[field.name].has_presence is not repeated


def test_defaults() -> None:
    layer = caffe_pb2.LayerParameter()
    assert layer.batch_norm_param.eps == pytest.approx(1e-5)
    assert layer.batch_norm_param.moving_average_fraction == pytest.approx(0.999)
    assert not layer.batch_norm_param.HasField("use_global_stats")
    assert layer.dropout_param.scale_train is True
    assert layer.loss_param.normalization == caffe_pb2.LossParameter.VALID
    assert (layer.lrn_param.local_size, layer.lrn_param.beta, layer.lrn_param.k) == (5, 0.75, 1)
    assert (layer.pooling_param.stride, layer.pooling_param.round_mode) == (1, caffe_pb2.PoolingParameter.CEIL)
    assert layer.reshape_param.num_axes == -1
    assert layer.roi_pooling_param.spatial_scale == 1
    assert layer.smooth_l1_loss_param.sigma == 1
    assert layer.box_annotator_ohem_param.ignore_label == -1
    assert caffe_pb2.FillerParameter().type == "constant"
    assert caffe_pb2.NetState().phase == caffe_pb2.TEST
    solver = caffe_pb2.SolverParameter()
    assert (solver.type, solver.solver_mode, solver.random_seed) == ("SGD", caffe_pb2.SolverParameter.GPU, -1)
    assert solver.snapshot_format == caffe_pb2.SolverParameter.BINARYPROTO
    assert solver.delta == pytest.approx(1e-8)


@pytest.mark.parametrize(
    ("message", "field", "number"),
    [
        ("LayerParameter", "swish_param", 147),
        ("LayerParameter", "clip_param", 148),
        ("LayerParameter", "psroi_pooling_param", 149),
        ("LayerParameter", "roi_pooling_param", 8266711),
        ("LossParameter", "pre_fixed_normalizer", 4),
        ("SolverParameter", "layer_wise_reduce", 41),
        ("SolverParameter", "weights", 42),
        ("NetParameter", "layers", 2),
        ("NetParameter", "layer", 100),
        ("LayerParameter", "blobs", 7),
        ("V1LayerParameter", "blobs", 6),
        ("V0LayerParameter", "blobs", 50),
        ("BlobProto", "double_data", 8),
    ],
)
def test_numbers(message: str, field: str, number: int) -> None:
    assert caffe_pb2.DESCRIPTOR.message_types_by_name[message].fields_by_name[field].number == number


def test_enum_numbers_that_forks_contradict() -> None:
    assert caffe_pb2.LossParameter.NONE == 3
    assert caffe_pb2.LossParameter.PRE_FIXED == 10003


def test_forks_and_schema_agree_on_whose_a_field_is() -> None:
    noted: dict[str, str] = {}
    message = ""
    for line in PROTO.read_text().splitlines():
        if started := re.match(r"message (\w+)", line):
            message = started[1]
        if field := re.match(r"  (?:optional|repeated) \S+ (\w+) = .*// (Fast R-CNN|Microsoft Caffe|SSD)\b", line):
            noted[f"{message}.{field[1]}"] = field[2]
    values = {"LossParameter.PRE_FIXED"}  # of an enum: not a field
    assert noted == {name: whose(name).split("'s")[0] for name in FORKS["bvlc"].lacks - values}
