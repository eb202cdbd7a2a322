"""Alternating training: its plans, the files that they go by, and their course."""
