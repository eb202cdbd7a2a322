"""The usual suspects: one small rule for each mistake that is made again and again, tried by computing it."""

from .rule import Case, Rule, Suspect, rules, with_params

__all__ = ["Case", "Rule", "Suspect", "rules", "with_params"]
