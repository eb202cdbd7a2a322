"""recaffe: Caffe's detection nets, layer by layer, in PyTorch."""
