// The fingerprint of the sources that this library was built from; setup.py takes it, kernels.py compares it.
extern "C" __attribute__((visibility("default"))) const char* recaffe_sources() { return RECAFFE_SOURCES; }
