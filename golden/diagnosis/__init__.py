"""Where a net first differs from golden blobs, whose doing it is, and why."""
