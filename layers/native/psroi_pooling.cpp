#include "kernels.h"

namespace {

// R RoIs of bins x bins: the image of each, and where its bins start and end, rows and columns (R, bins, 2).
// Bin (i, j) has channels of its own: one in bins², from i * bins + j on.
struct Grids {
    const int32_t *image, *rows, *columns;
    int64_t count, bins;
};

// The cells of bin (i, j) of a RoI.
struct Window {
    int64_t top, bottom, left, right;

    Window(const Grids& grids, int64_t roi, int64_t i, int64_t j)
        : top(grids.rows[2 * (roi * grids.bins + i)]),
          bottom(grids.rows[2 * (roi * grids.bins + i) + 1]),
          left(grids.columns[2 * (roi * grids.bins + j)]),
          right(grids.columns[2 * (roi * grids.bins + j) + 1]) {}

    int64_t area() const { return std::max<int64_t>(bottom - top, 0) * std::max<int64_t>(right - left, 0); }
};

// Calls work(roi, channel, window, pixels) for every bin of every RoI, pixels being the channel of `maps` in the RoI's
// image. Threads take channels, those of one row of bins together: what all RoIs read of them fits a core's cache.
template <typename Value, typename Work>
void for_each_bin(Value* values, const Maps& maps, const Grids& grids, int64_t threads, const Work& work) {
    const int64_t groups = maps.channels / grids.bins;
    in_threads(groups, threads, (groups + threads - 1) / threads, [&](int64_t first, int64_t last) {
        for (int64_t group = first; group < last; ++group) {
            for (int64_t roi = 0; roi < grids.count; ++roi) {
                for (int64_t j = 0; j < grids.bins; ++j) {
                    const int64_t channel = group * grids.bins + j;
                    const Window window(grids, roi, group % grids.bins, j);
                    work(roi * maps.channels + channel, window, values + maps.offset(grids.image[roi], channel));
                }
            }
        }
    });
}

}  // namespace

// features (images, c, h, w) and RoIs -> top (count, c / bins², bins, bins)
KERNEL recaffe_psroi_pool(const float* features, int64_t c, int64_t h, int64_t w, int64_t channels_last,
                          const int32_t* image, const int32_t* rows, const int32_t* columns, int64_t count,
                          int64_t bins, float* top, int64_t threads) {
    const Maps maps(c, h, w, channels_last);
    const Grids grids{image, rows, columns, count, bins};
    for_each_bin(features, maps, grids, threads, [&](int64_t at, const Window& window, const float* channel) {
        float sum = 0;
        for (int64_t y = window.top; y < window.bottom; ++y) {
            for (int64_t x = window.left; x < window.right; ++x) sum += channel[(y * w + x) * maps.pixel_stride];
        }
        top[at] = window.area() ? sum / static_cast<float>(window.area()) : 0.0f;
    });
    return 0;
}

// shares (count, c / bins², bins, bins), what each cell of a bin gets -> added to diff (images, c, h, w).
// RoI after RoI, so that the terms of a sum come in one order whatever the threads.
KERNEL recaffe_psroi_pool_backward(const float* shares, int64_t c, int64_t h, int64_t w, int64_t channels_last,
                                   const int32_t* image, const int32_t* rows, const int32_t* columns, int64_t count,
                                   int64_t bins, float* diff, int64_t threads) {
    const Maps maps(c, h, w, channels_last);
    const Grids grids{image, rows, columns, count, bins};
    for_each_bin(diff, maps, grids, threads, [&](int64_t at, const Window& window, float* channel) {
        for (int64_t y = window.top; y < window.bottom; ++y) {
            for (int64_t x = window.left; x < window.right; ++x) channel[(y * w + x) * maps.pixel_stride] += shares[at];
        }
    });
    return 0;
}
