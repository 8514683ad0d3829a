#include <ATen/Parallel.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "cases.hpp"
#include "xlrm/ops/linear.hpp"

namespace xlrm {
namespace {

constexpr double kLeastSeconds = 0.05;  // of one sample: small products are repeated

struct Shape {
    const char* name;
    std::int64_t rows, columns, depth;
    double flops() const { return 2.0 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(depth); }
};

// Zeros draw less power and run faster, so the values are random.
at::Tensor random(std::int64_t rows, std::int64_t columns, const at::TensorOptions& kind) {
    return at::rand({rows, columns}).sub_(0.5).to(kind.device(), c10::typeMetaToScalarType(kind.dtype()));
}

// Collective. FLOP/s of all ranks in each of `runs` samples.
std::vector<double> rates(const Communicator& world, double flops, std::int64_t runs, const std::function<void()>& product) {
    product();
    const double once = timed(world, product);
    const auto times = static_cast<std::int64_t>(std::clamp(kLeastSeconds / std::max(once, 1e-7), 1.0, 1e5));
    std::vector<double> out;
    for (std::int64_t run = 0; run < runs; ++run) {
        const double seconds = timed(world, [&] {
            for (std::int64_t i = 0; i < times; ++i) product();
        });
        out.push_back(static_cast<double>(times * world.size()) * flops / seconds);
    }
    return out;
}

std::vector<double> library_rates(const Communicator& world, const Shape& shape, const at::TensorOptions& kind,
                                  std::int64_t runs) {
    const at::Tensor x = random(shape.rows, shape.depth, kind), w = random(shape.columns, shape.depth, kind);
    return rates(world, shape.flops(), runs, [&] { at::mm(x, w.t()); });
}

std::vector<double> linear_rates(const Communicator& world, const Shape& shape, const at::TensorOptions& kind,
                                 std::int64_t runs) {
    const at::Tensor x = random(shape.rows, shape.depth, kind), w = random(shape.columns, shape.depth, kind);
    return rates(world, shape.flops(), runs, [&] { linear(x, w); });
}

std::vector<double> weight_rates(const Communicator& world, const Shape& shape, const at::TensorOptions& kind,
                                 std::int64_t runs) {
    const at::Tensor x = random(shape.rows, shape.depth, kind), dy = random(shape.rows, shape.columns, kind);
    const at::Tensor dw = at::zeros({shape.columns, shape.depth}, kind.dtype(at::kFloat));
    return rates(world, shape.flops(), runs, [&] { linear_backward_weight(dy, x, dw); });
}

at::TensorOptions kind_of(const Bench& bench, const std::string& dtype) {
    return at::TensorOptions(bench.options.device).dtype(scalar_of(dtype));
}

std::vector<Shape> model_shapes(const Bench& bench) {
    const ModelConfig& c = bench.config;
    const std::int64_t rows = bench.options.token_budget, q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
    return {{"qkv", rows, q + 2 * kv, c.hidden},
            {"output", rows, c.hidden, q},
            {"gate+up", rows, 2 * c.intermediate, c.hidden},
            {"down", rows, c.hidden, c.intermediate}};
}

void measure(Bench& bench, const std::string& dtype) {
    const std::int64_t n = bench.options.square, runs = bench.options.repeat;
    const Shape square{"square", n, n, n};
    BenchRow row{"roof", "n=" + std::to_string(n), dtype};
    const auto add = [&](BenchRow& to, const std::string& name, const std::vector<double>& values) {
        for (const double value : values) to.figure(name, "GFLOP/s").samples.push_back(1e-9 * value);
    };
    const std::vector<double> library = library_rates(bench.world, square, kind_of(bench, dtype), runs),
                              own = linear_rates(bench.world, square, kind_of(bench, dtype), runs);
    bench.roofs[dtype] = {median(library), std::max(median(library), median(own))};
    add(row, "library", library);
    add(row, "linear", own);
    bench.rows.push_back(row);
    for (const Shape& shape : model_shapes(bench)) {
        BenchRow shaped{"roof",
                        shape.name + (" " + std::to_string(shape.rows)) + "x" + std::to_string(shape.columns) + "x" +
                            std::to_string(shape.depth),
                        dtype};
        add(shaped, "library", library_rates(bench.world, shape, kind_of(bench, dtype), runs));
        add(shaped, "linear", linear_rates(bench.world, shape, kind_of(bench, dtype), runs));
        add(shaped, "weight gradient", weight_rates(bench.world, shape, kind_of(bench, dtype), runs));
        bench.rows.push_back(shaped);
    }
}

}  // namespace

Roof roof(Bench& bench, const std::string& dtype) {
    if (const auto known = bench.roofs.find(dtype); known != bench.roofs.end()) return known->second;
    const std::int64_t n = bench.options.square;
    const Shape square{"square", n, n, n};
    const double library = median(library_rates(bench.world, square, kind_of(bench, dtype), 3)),
                 own = median(linear_rates(bench.world, square, kind_of(bench, dtype), 3));
    return bench.roofs[dtype] = {library, std::max(library, own)};
}

void add_roof_shares(BenchRow& row, const Roof& roof, double flops) {
    row.figure("share of roof", "%").samples.push_back(100.0 * flops / roof.best);
    row.figure("of the library's", "%").samples.push_back(100.0 * flops / roof.library);
}

double quick_product(const Bench& bench, std::int64_t n, const std::string& dtype) {
    return median(linear_rates(bench.world, {"square", n, n, n}, kind_of(bench, dtype), 3));
}

void add_roof(const Bench& bench, BenchCases& cases) {
    for (const std::string& dtype : dtypes_of(bench.options)) {
        const double samples = 14.0 * static_cast<double>(bench.options.repeat + 2);
        double flops = 2.0 * Shape{"square", bench.options.square, bench.options.square, bench.options.square}.flops();
        for (const Shape& shape : model_shapes(bench)) flops += 3.0 * shape.flops();
        cases.push_back({"roof", "products", dtype, flops * static_cast<double>((bench.options.repeat + 2) * bench.world.size()),
                         samples * kLeastSeconds, [dtype](Bench& b) { measure(b, dtype); }});
    }
}

}  // namespace xlrm
