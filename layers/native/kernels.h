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
