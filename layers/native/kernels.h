// What the kernels share. Each is one C function named recaffe_*: pointers to dense arrays, int64 counts, double reals.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#define KERNEL extern "C" __attribute__((visibility("default"))) int64_t

// Hot functions are compiled for several vector widths and the processor picks; results do not depend on the width.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_CPU
#endif
#define INLINE inline __attribute__((always_inline))

// Calls work(first, last) for every slice of `grain` of 0..count; the threads take slices as they become free.
template <typename Work>
void in_threads(int64_t count, int64_t threads, int64_t grain, const Work& work) {
    std::atomic<int64_t> next{0};
    const auto run = [&] {
        for (int64_t first; (first = next.fetch_add(grain)) < count;) work(first, std::min(count, first + grain));
    };
    std::vector<std::thread> others;
    try {
        for (int64_t t = 1; t < std::min(threads, (count + grain - 1) / grain); ++t) others.emplace_back(run);
    } catch (const std::exception&) {  // no more threads to be had: the ones there do all of it
    }
    run();
    for (auto& other : others) other.join();
}

// The shape of dense feature maps (images, channels, height, width) whose channels lie last or second in memory.
struct Maps {
    int64_t channels, height, width, channel_stride, pixel_stride;

    Maps(int64_t c, int64_t h, int64_t w, bool last)
        : channels(c), height(h), width(w), channel_stride(last ? 1 : h * w), pixel_stride(last ? c : 1) {}

    int64_t offset(int64_t image, int64_t channel) const {
        return image * channels * height * width + channel * channel_stride;
    }
};
