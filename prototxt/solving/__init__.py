"""Caffe's solvers: steps, rates, snapshots, and many processes."""
