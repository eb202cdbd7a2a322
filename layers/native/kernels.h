// What the kernels share. Each is one C function named recaffe_*: pointers to dense arrays, int64 counts, double reals.
#pragma once

#include <algorithm>
#include <cstdint>
#include <system_error>
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

// Calls work(first, last) on slices of 0..count, whose inner borders are multiples of `grain`.
template <typename Work>
void in_threads(int64_t count, int64_t threads, int64_t grain, const Work& work) {
    const int64_t grains = (count + grain - 1) / grain;
    threads = std::max<int64_t>(1, std::min(threads, grains));
    const auto border = [&](int64_t t) { return std::min(count, grains * t / threads * grain); };
    std::vector<std::thread> others;
    int64_t t = 1;
    try {
        for (; t < threads; ++t) others.emplace_back(work, border(t), border(t + 1));
    } catch (const std::system_error&) {  // no more threads to be had: the rest is done here
        work(border(t), count);
    }
    work(0, border(1));
    for (auto& other : others) other.join();
}
