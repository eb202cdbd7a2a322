from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.embed import EmbedLayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("embed", lambda: EmbedLayer(num_output=4, input_dim=7))


@pytest.mark.parametrize("bias_term", [False, True])
def test_gradients_of_words_that_repeat(check_gradients: CheckGradients, bias_term: bool) -> None:
    words = torch.tensor([[2.0, 0, 2], [4, 2, 0]])
    check_gradients(EmbedLayer(num_output=3, input_dim=5, bias_term=bias_term), words)


@pytest.mark.parametrize("word", [-1.0, 5.0])
def test_a_word_must_be_in_the_table(word: float) -> None:
    layer = EmbedLayer(num_output=3, input_dim=5)
    layer.setup((2,))
    with pytest.raises(LayerError, match=f"takes indices from 0 to 4, got {word:g}"):
        layer(torch.tensor([0.0, word]))


@pytest.mark.parametrize("keywords", [{}, {"num_output": 3}, {"input_dim": 5}, {"num_output": 0, "input_dim": 5}])
def test_the_table_must_have_a_size(keywords: dict[str, Any]) -> None:
    with pytest.raises(LayerError, match="needs num_output and input_dim of at least 1"):
        EmbedLayer(**keywords)
