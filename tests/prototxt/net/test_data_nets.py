"""Nets whose data come from files: where these are looked for, and whose random numbers decide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.layers.base.draws import Draws
from recaffe.prototxt.net.build import NetError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FOLDER = Path(__file__).parents[3] / "golden" / "fixtures" / "data_layers"


def images(name: str, transform: str = "", more: str = "") -> str:
    """An ImageData layer with tops of its own names."""
    return f"""layer {{ name: "{name}" type: "ImageData" top: "{name}_data" top: "{name}_label"
      image_data_param {{ source: "inputs/list.txt" root_folder: "inputs/images/" batch_size: 3
        new_height: 20 new_width: 24 {more} }} transform_param {{ {transform} }} }}\n"""


def test_files_are_looked_for_from_the_current_folder_or_another(monkeypatch: pytest.MonkeyPatch) -> None:
    text = images("a", 'mean_file: "inputs/mean_24x20.binaryproto"')
    there = Net(read_net(text), folder=FOLDER)()
    with pytest.raises(NetError, match=r"layer 'a' \(ImageData\): .*mean_24x20\.binaryproto: cannot be read"):
        Net.from_prototxt(text)
    monkeypatch.chdir(FOLDER)
    here = Net.from_prototxt(text)()
    assert all(torch.equal(here[name], there[name]) for name in ("a_data", "a_label"))


def test_layers_draw_in_their_order() -> None:
    seeds = Draws(7)
    for _ in range(5):  # two for a's transformer, one for its shuffling, one for its thread, b's transformer's first
        seeds.number()
    shuffled = Draws(seeds.number())
    order = [3, 0, 7, 1, -2, 12, 5]
    shuffled.shuffle(order)
    text = images("a", "mirror: true", "shuffle: true") + images("b", "mirror: true", "shuffle: true")
    outputs = Net(read_net(text), seed=7, folder=FOLDER)()
    assert outputs["b_label"].tolist() == order[:3]
    assert outputs["a_label"].tolist() != order[:3]


def test_the_seed_decides() -> None:
    text = images("a", "mirror: true crop_size: 13", "shuffle: true")
    one, two, other = (Net(read_net(text), "TRAIN", seed=seed, folder=FOLDER)()["a_data"] for seed in (7, 7, 8))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_data_handed_in_are_not_read() -> None:
    net = Net(read_net(images("a")), folder=FOLDER)
    handed = np.zeros((2, 3, 5, 7), np.float32)
    assert net(a_data=handed, a_label=np.float32([1, 2]))["a_data"].shape == (2, 3, 5, 7)
    assert net()["a_label"].tolist() == [3, 0, 7]


def test_a_field_of_another_fork_is_refused() -> None:
    with pytest.raises(NetError, match=r"layer 'a' \(ImageData\): does not know resize_param; it takes scale, mirror"):
        Net(read_net(images("a", "resize_param { height: 30 width: 30 }")), folder=FOLDER)
