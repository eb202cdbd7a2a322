#include <cfloat>

#include "kernels.h"

namespace {

constexpr int64_t kBlock = 64;  // channels taken together: one vector loop where they lie side by side

// R RoIs: the image of each; where its bins start and end, rows (R, bins_y, 2) and columns (R, bins_x, 2); and which
// cells a bin hands gradient to, (R, bins_y, height) and (R, bins_x, width).
struct Rois {
    const int32_t *image, *rows, *columns;
    const uint8_t *row_takes, *column_takes;
    int64_t bins_y, bins_x;
};

// The largest value in one bin of n channels from `values` on and, if asked for, its cell: the first one in reading
// order; -1 if there is none or it takes no gradient. NaN is never the largest, since it compares false.
template <bool kLast, bool kCells>
INLINE void largest(const float* values, const Maps& maps, const Rois& rois, int64_t roi, int64_t bin, int64_t n,
                    float* best, int32_t* cells) {
    const int64_t i = roi * rois.bins_y + bin / rois.bins_x, j = roi * rois.bins_x + bin % rois.bins_x;
    const int32_t *row = rois.rows + 2 * i, *column = rois.columns + 2 * j;
    const bool empty = row[1] <= row[0] || column[1] <= column[0];
    std::fill_n(best, n, empty ? 0.0f : -FLT_MAX);
    if (kCells) std::fill_n(cells, n, -1);
    for (int64_t y = row[0]; y < row[1]; ++y) {
        for (int64_t x = column[0]; x < column[1]; ++x) {
            const int64_t pixel = y * maps.width + x;
            const bool takes = kCells && rois.row_takes[i * maps.height + y] && rois.column_takes[j * maps.width + x];
            const int32_t cell = takes ? static_cast<int32_t>(pixel) : -1;
            const float* value = values + pixel * maps.pixel_stride;
            for (int64_t c = 0; c < n; ++c) {
                const float v = value[kLast ? c : c * maps.channel_stride];
                if (kCells) cells[c] = v > best[c] ? cell : cells[c];
                best[c] = v > best[c] ? v : best[c];
            }
        }
    }
}

// RoIs first..last -> top (R, channels, bins_y, bins_x)
template <bool kLast>
INLINE void forward(const float* features, const Maps& maps, const Rois& rois, int64_t first, int64_t last,
                    float* top) {
    const int64_t bins = rois.bins_y * rois.bins_x;
    float best[kBlock];
    for (int64_t roi = first; roi < last; ++roi) {
        for (int64_t c = 0; c < maps.channels; c += kBlock) {
            const int64_t n = std::min(kBlock, maps.channels - c);
            const float* values = features + maps.offset(rois.image[roi], c);
            float* out = top + (roi * maps.channels + c) * bins;
            for (int64_t bin = 0; bin < bins; ++bin) {
                largest<kLast, false>(values, maps, rois, roi, bin, n, best, nullptr);
                for (int64_t k = 0; k < n; ++k) out[k * bins + bin] = best[k];
            }
        }
    }
}

// Channels first..last; RoI after RoI, so that the terms of a sum come in one order whatever the threads.
template <bool kLast>
INLINE void backward(const float* features, const Maps& maps, const Rois& rois, int64_t count, int64_t first,
                     int64_t last, const float* top_diff, float* diff) {
    const int64_t bins = rois.bins_y * rois.bins_x;
    float best[kBlock];
    int32_t cells[kBlock];
    for (int64_t roi = 0; roi < count; ++roi) {
        for (int64_t c = first; c < last; c += kBlock) {
            const int64_t n = std::min(kBlock, last - c), offset = maps.offset(rois.image[roi], c);
            const float* given = top_diff + (roi * maps.channels + c) * bins;
            for (int64_t bin = 0; bin < bins; ++bin) {
                largest<kLast, true>(features + offset, maps, rois, roi, bin, n, best, cells);
                for (int64_t k = 0; k < n; ++k) {
                    const int64_t at = offset + k * maps.channel_stride + cells[k] * maps.pixel_stride;
                    if (cells[k] >= 0) diff[at] += given[k * bins + bin];
                }
            }
        }
    }
}

FOR_EACH_CPU void forward_slice(const float* features, const Maps& maps, const Rois& rois, int64_t first, int64_t last,
                                float* top) {
    maps.channel_stride == 1 ? forward<true>(features, maps, rois, first, last, top)
                             : forward<false>(features, maps, rois, first, last, top);
}

FOR_EACH_CPU void backward_slice(const float* features, const Maps& maps, const Rois& rois, int64_t count,
                                 int64_t first, int64_t last, const float* top_diff, float* diff) {
    maps.channel_stride == 1 ? backward<true>(features, maps, rois, count, first, last, top_diff, diff)
                             : backward<false>(features, maps, rois, count, first, last, top_diff, diff);
}

}  // namespace

// features (images, c, h, w) and RoIs -> top (count, c, bins_y, bins_x)
KERNEL recaffe_roi_pool(const float* features, int64_t c, int64_t h, int64_t w, int64_t channels_last,
                        const int32_t* image, const int32_t* rows, const int32_t* columns, int64_t count,
                        int64_t bins_y, int64_t bins_x, float* top, int64_t threads) {
    const Maps maps(c, h, w, channels_last);
    const Rois rois{image, rows, columns, nullptr, nullptr, bins_y, bins_x};
    in_threads(count, threads, 1, [&](int64_t first, int64_t last) {
        forward_slice(features, maps, rois, first, last, top);
    });
    return 0;
}

// top_diff (count, c, bins_y, bins_x) -> added to diff, which is laid out as features
KERNEL recaffe_roi_pool_backward(const float* features, int64_t c, int64_t h, int64_t w, int64_t channels_last,
                                 const int32_t* image, const int32_t* rows, const int32_t* columns, int64_t count,
                                 int64_t bins_y, int64_t bins_x, const uint8_t* row_takes, const uint8_t* column_takes,
                                 const float* top_diff, float* diff, int64_t threads) {
    const Maps maps(c, h, w, channels_last);
    const Rois rois{image, rows, columns, row_takes, column_takes, bins_y, bins_x};
    in_threads(c, threads, kBlock, [&](int64_t first, int64_t last) {
        backward_slice(features, maps, rois, count, first, last, top_diff, diff);
    });
    return 0;
}
