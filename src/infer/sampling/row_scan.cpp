#include "sampling/row_scan.hpp"

#include <algorithm>
#include <cstring>

namespace xlrm {
namespace {

constexpr std::int64_t kLanes = 8;
static_assert(kScanBlock % kLanes == 0);
// GCC's and Clang's vector types; a processor with narrower registers takes several.
using Floats = float __attribute__((vector_size(4 * kLanes)));
using Ints = std::int32_t __attribute__((vector_size(4 * kLanes)));
constexpr float kLowest = -std::numeric_limits<float>::infinity();

Floats all(float x) { return Floats{} + x; }

Floats load(const float* x) {
    Floats values;
    std::memcpy(&values, x, sizeof values);
    return values;
}

// exp(x) = 2^n · e^r with |r| <= ln 2 / 2; the polynomial is Cephes' expf. A float of 1.5 · 2^23 + n holds n in its low bits.
Floats exp_of(Floats x) {
    constexpr float kShift = 12582912.0F;
    const Floats shifted = x * 1.44269504088896341F + kShift;
    const Floats n = shifted - kShift;
    const Floats r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
    Floats p = all(1.9875691500e-4F);
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * (r * r) + r + 1.0F;
    const auto scaled = reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + (reinterpret_cast<Ints>(shifted) << 23));
    return x < -87.0F ? Floats{} : scaled;  // NaN stays
}

std::size_t blocks_of(std::span<const float> row) {
    return (row.size() + static_cast<std::size_t>(kScanBlock) - 1) / static_cast<std::size_t>(kScanBlock);
}

// Calls take(values, index of the first) for each group of lanes of a block; what is beyond the row is −inf.
template <class Take>
void for_each_group(std::span<const float> row, std::size_t block, Take&& take) {
    const std::int64_t begin = static_cast<std::int64_t>(block) * kScanBlock;
    const std::int64_t end = std::min(begin + kScanBlock, static_cast<std::int64_t>(row.size()));
    std::int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) take(load(row.data() + i), i);
    if (i == end) return;
    Floats rest = all(kLowest);
    std::memcpy(&rest, row.data() + i, static_cast<std::size_t>(end - i) * sizeof(float));
    take(rest, i);
}

}  // namespace

float exp_of(float x) { return exp_of(all(x))[0]; }

void block_maxima(std::span<const float> row, std::vector<float>& maxima) {
    maxima.resize(blocks_of(row));
    for (std::size_t block = 0; block < maxima.size(); ++block) {
        Floats most = all(kLowest);
        for_each_group(row, block, [&](Floats x, std::int64_t) { most = x > most ? x : most; });
        float max = kLowest;
        for (int lane = 0; lane < kLanes; ++lane) max = std::max(max, most[lane]);
        maxima[block] = max;
    }
}

void block_sums(std::span<const float> row, float max, const Cutoff& cutoff, std::vector<double>& sums) {
    sums.resize(blocks_of(row));
    Ints lane_ids{};
    for (int lane = 0; lane < kLanes; ++lane) lane_ids[lane] = lane;
    for (std::size_t block = 0; block < sums.size(); ++block) {
        Floats lanes{};
        for_each_group(row, block, [&](Floats x, std::int64_t first) {
            const Ints ids = lane_ids + static_cast<std::int32_t>(first);
            const Ints dropped = (x < cutoff.value) | ((x == cutoff.value) & (ids > cutoff.last_id));
            lanes += dropped ? Floats{} : exp_of(x - max);
        });
        double sum = 0.0;
        for (int lane = 0; lane < kLanes; ++lane) sum += static_cast<double>(lanes[lane]);
        sums[block] = sum;
    }
}

}  // namespace xlrm
