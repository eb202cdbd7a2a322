"""Fixtures that Caffe wrote, and the comparison of our blobs with theirs."""
