#include <algorithm>
#include <cmath>
#include <memory>

#include "cases.hpp"
#include "xlrm/comm/gradient_reducer.hpp"
#include "xlrm/model/decoder.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kBucket = 1 << 20;

void measure_reduction(Bench& bench) {
    const ParameterLayout layout = make_layout(bench.config, HeadKind::reward);
    std::vector<float> gradient(static_cast<std::size_t>(layout.total));
    GradientReducer reducer(bench.world, kBucket);
    const auto announced = gradient_order(bench.config, layout);
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

struct Way {
    const char* name;
    ReductionOptions options;
};

// Nodes of one rank: what would travel between nodes, on one machine. With bf16 they and flat differ in who sums.
const Way kWays[] = {
    {"flat, fp32", {.reduction = Reduction::flat}},
    {"flat, bf16", {.wire = Wire::bf16, .reduction = Reduction::flat}},
    {"hierarchical", {.reduction = Reduction::hierarchical}},
    {"hierarchical, 1 rank a node, fp32", {.reduction = Reduction::hierarchical, .ranks_per_node = 1}},
    {"hierarchical, 1 rank a node, bf16", {.wire = Wire::bf16, .reduction = Reduction::hierarchical, .ranks_per_node = 1}}};

// MPI's own all-reduce of a buffer and every way to reduce it, in turn.
void measure_ways(Bench& bench, std::int64_t mebibytes) {
    std::vector<float> gradient(static_cast<std::size_t>(mebibytes) << 18U);
    const std::span<float> all(gradient);
    std::vector<std::unique_ptr<GradientReducer>> reducers;
    for (const Way& way : kWays) reducers.push_back(std::make_unique<GradientReducer>(bench.world, way.options));
    BenchRow row{"reduce", std::to_string(mebibytes) + " MiB", "fp32"};
    const double megabytes = 4e-6 * static_cast<double>(all.size());
    const auto measured = [&](std::int64_t run, const char* name, const std::function<void()>& work) {
        std::ranges::fill(gradient, 0.5F);
        const double seconds = timed(bench.world, work);
        if (bench.counts(run)) row.figure(name, "MB/s").samples.push_back(megabytes / seconds);
    };
    for (std::int64_t i = 0; i < bench.runs(); ++i) {
        measured(i, "MPI's all-reduce", [&] { bench.world.sum(all); });
        for (std::size_t way = 0; way < reducers.size(); ++way) {
            measured(i, kWays[way].name, [&] {
                reducers[way]->begin(all);
                reducers[way]->finish();
            });
        }
    }
    bench.rows.push_back(row);
}

constexpr std::int64_t kMebibytes[] = {1, 4, 16, 64};

}  // namespace

void add_reduction(const Bench& bench, BenchCases& cases) {
    const double bytes = 4.0 * static_cast<double>(make_layout(bench.config, HeadKind::reward).total);
    cases.push_back(
        {"reduce", "gradient", "fp32", 0.0, 3.0 * bytes * static_cast<double>(bench.runs()) / 1e9, measure_reduction});
    for (const std::int64_t size : kMebibytes) {
        const double passes = std::size(kWays) + 1.0;
        cases.push_back({"reduce", std::to_string(size) + " MiB", "fp32", 0.0,
                         passes * std::ldexp(static_cast<double>(size), 20) * static_cast<double>(bench.runs()) / 1e9,
                         [size](Bench& b) { measure_ways(b, size); }});
    }
}

}  // namespace xlrm
