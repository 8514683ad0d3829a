#include <algorithm>

#include "cases.hpp"
#include "xlrm/comm/gradient_reducer.hpp"
#include "xlrm/model/parameters.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kBucket = 1 << 20;

// What a backward pass announces: the end, the layers from the last one on, the embedding.
std::vector<Range> pieces(const ModelConfig& config, const ParameterLayout& layout) {
    std::vector<Range> out;
    std::int64_t end = layout.total;
    for (std::int64_t layer = config.layers - 1; layer >= 0; --layer) {
        const Range range = layout.layer_range(layer);
        if (range.end < end) out.push_back({range.end, end});
        out.push_back(range);
        end = range.begin;
    }
    if (end > 0) out.push_back({0, end});
    return out;
}

void measure(Bench& bench) {
    const ParameterLayout layout = make_layout(bench.config, HeadKind::reward);
    std::vector<float> gradient(static_cast<std::size_t>(layout.total));
    GradientReducer reducer(bench.world, kBucket);
    const auto announced = pieces(bench.config, layout);
    const std::span<float> all(gradient);
    BenchRow row{"reduce", std::to_string(layout.total / 1000000) + "M elements", "fp32"};
    const double gigabytes = 4e-9 * static_cast<double>(layout.total);
    for (std::int64_t i = 0; i < bench.runs(); ++i) {
        std::ranges::fill(gradient, 0.5F);
        const double whole = timed(bench.world, [&] { bench.world.sum(all); });
        std::ranges::fill(gradient, 0.5F);
        const double buckets = timed(bench.world, [&] {
            for (std::int64_t end = layout.total; end > 0; end -= kBucket) {
                const std::int64_t begin = std::max<std::int64_t>(0, end - kBucket);
                bench.world.sum(all.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
            }
        });
        std::ranges::fill(gradient, 0.5F);
        const double reduced = timed(bench.world, [&] {
            reducer.begin(all);
            for (const Range& range : announced) reducer.ready(range.begin, range.size());
            reducer.finish();
        });
        if (!bench.counts(i)) continue;
        row.figure("all-reduce", "GB/s").samples.push_back(gigabytes / whole);
        row.figure("all-reduce in buckets", "GB/s").samples.push_back(gigabytes / buckets);
        row.figure("reducer", "GB/s").samples.push_back(gigabytes / reduced);
        row.figure("reducer / all-reduce", "x").samples.push_back(whole / reduced);
    }
    bench.rows.push_back(row);
}

}  // namespace

void add_reduction(const Bench& bench, BenchCases& cases) {
    const double bytes = 4.0 * static_cast<double>(make_layout(bench.config, HeadKind::reward).total);
    cases.push_back({"reduce", "gradient", "fp32", 0.0, 3.0 * bytes * static_cast<double>(bench.runs()) / 1e9, measure});
}

}  // namespace xlrm
