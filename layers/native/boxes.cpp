#include "kernels.h"

namespace {

struct Box {
    double x1, y1, x2, y2;
};

INLINE double area(const Box& box, double plus) { return (box.x2 - box.x1 + plus) * (box.y2 - box.y1 + plus); }

// The order of the operations is that of Caffe's bbox_overlaps, so the result is the same to the last bit.
FOR_EACH_CPU void overlaps(const Box* boxes, int64_t count, const Box* query, int64_t queries, double plus,
                           double* out) {
    for (int64_t k = 0; k < queries; ++k) {
        const Box q = query[k];
        const double q_area = area(q, plus);
        for (int64_t n = 0; n < count; ++n) {
            const Box b = boxes[n];
            const double w = (b.x2 < q.x2 ? b.x2 : q.x2) - (b.x1 > q.x1 ? b.x1 : q.x1) + plus;
            const double h = (b.y2 < q.y2 ? b.y2 : q.y2) - (b.y1 > q.y1 ? b.y1 : q.y1) + plus;
            const double overlap = w * h / (area(b, plus) + q_area - w * h);
            out[n * queries + k] = (w > 0) & (h > 0) & (overlap > 0) ? overlap : 0.0;  // NaN becomes 0
        }
    }
}

struct Kept {
    float *x1, *y1, *x2, *y2, *area;
};

// Whether one of kept boxes 0..count overlaps (x1, y1, x2, y2) by `bound` or more; NaN overlaps nothing.
FOR_EACH_CPU bool suppressed(const Kept& kept, int64_t count, const float* box, float area, float plus, float bound) {
    constexpr int64_t kBlock = 128;  // looked at together, so that the compiler can use vectors
    const float x1 = box[0], y1 = box[1], x2 = box[2], y2 = box[3];
    for (int64_t start = 0; start < count; start += kBlock) {
        const int64_t end = std::min(count, start + kBlock);
        int32_t hit = 0;
        for (int64_t i = start; i < end; ++i) {
            float w = (kept.x2[i] < x2 ? kept.x2[i] : x2) - (kept.x1[i] > x1 ? kept.x1[i] : x1) + plus;
            float h = (kept.y2[i] < y2 ? kept.y2[i] : y2) - (kept.y1[i] > y1 ? kept.y1[i] : y1) + plus;
            w = w > 0 ? w : 0;
            h = h > 0 ? h : 0;
            const float inter = w * h;
            hit |= inter / (kept.area[i] + area - inter) >= bound;
        }
        if (hit) return true;
    }
    return false;
}

}  // namespace

// boxes (n, 4), query (k, 4) -> out (n, k)
KERNEL recaffe_iou(const double* boxes, int64_t n, const double* query, int64_t k, double plus, double* out) {
    overlaps(reinterpret_cast<const Box*>(boxes), n, reinterpret_cast<const Box*>(query), k, plus, out);
    return 0;
}

// boxes (n, 4) by descending score, scratch (5, limit) -> the rows kept, at most `limit`, and their count.
// Each box is held against those kept before it, so nothing after the last one needed is looked at.
KERNEL recaffe_nms(const float* boxes, int64_t n, double bound, double plus, int64_t limit, float* scratch,
                   int64_t* rows) {
    const Kept kept{scratch, scratch + limit, scratch + 2 * limit, scratch + 3 * limit, scratch + 4 * limit};
    const float one = static_cast<float>(plus);
    int64_t count = 0;
    for (int64_t i = 0; i < n && count < limit; ++i) {
        const float* box = boxes + 4 * i;
        const float area = (box[2] - box[0] + one) * (box[3] - box[1] + one);
        if (suppressed(kept, count, box, area, one, static_cast<float>(bound))) continue;
        kept.x1[count] = box[0];
        kept.y1[count] = box[1];
        kept.x2[count] = box[2];
        kept.y2[count] = box[3];
        kept.area[count] = area;
        rows[count++] = i;
    }
    return count;
}
