"""The word that was likely meant."""

from __future__ import annotations

from recaffe.nearest import by_likeness, did_you_mean, nearest


def test_the_nearest_word_ends_an_error() -> None:
    assert did_you_mean("fc66", ["fc6", "conv"]) == "; did you mean 'fc6'?"
    assert did_you_mean("zzz", ["fc6", "conv"]) == ""
    assert did_you_mean("verfy", (name for name in ("verify", "port"))) == "; did you mean 'verify'?"


def test_the_cutoff_says_how_near() -> None:
    assert nearest("weights", ["weight_filler"], 0.6) == ["weight_filler"]
    assert nearest("weights", ["weight_filler"], 0.8) == []


def test_case_counts_unless_it_is_folded() -> None:
    assert nearest("RELU", ["relu"], 0.7) == []
    assert nearest("RELU", ["ReLU", "relu"], 0.7, fold=True) == ["ReLU", "relu"]
    assert nearest("relu", ["ReLU", "PReLU", "Convolution"], 0.5, count=3, fold=True) == ["ReLU", "PReLU"]


def test_all_words_by_likeness() -> None:
    assert by_likeness("stoch", ["MAX", "AVE", "STOCHASTIC"])[0] == "STOCHASTIC"
    assert sorted(by_likeness("zzz", ["b", "a"])) == ["a", "b"]
    assert by_likeness("zzz", ["b", "a"]) == ["b", "a"]
