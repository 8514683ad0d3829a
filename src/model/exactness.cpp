#include "xlrm/model/exactness.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <cstring>

#include "block.hpp"
#include "block_views.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/model/lm_head.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

//! Around the sizes at which libraries change their kernel.
constexpr std::int64_t kCounts[] = {1, 7, 16, 33, 64, 130};

at::Tensor random_rows(std::int64_t rows, std::int64_t columns, const at::TensorOptions& options) {
    const at::Tensor x = at::empty({rows, columns}, at::TensorOptions().dtype(at::kFloat));
    Random random(1);
    // Sums of four numbers, of many sizes: equal sums in another order would hide it.
    for (std::int64_t i = 0; i < x.numel(); ++i)
        x.data_ptr<float>()[i] = static_cast<float>(random.uniform() * random.uniform() * 4.0 - random.uniform());
    return x.to(options.device(), c10::typeMetaToScalarType(options.dtype()));
}

bool same_bits(const at::Tensor& x, const at::Tensor& y) {
    const at::Tensor a = to_host(x), b = to_host(y);
    return std::memcmp(a.const_data_ptr(), b.const_data_ptr(), static_cast<std::size_t>(a.nbytes())) == 0;
}

class Check {
public:
    Check(std::int64_t most_rows, std::int64_t widest, const at::TensorOptions& options)
        : rows_(most_rows), x_(random_rows(most_rows, widest, options)) {}

    //! `split`: columns in front of which the model divides the product in its last block; 0: it does not.
    void product(const char* name, const at::Tensor& weight, const at::Tensor& bias, std::int64_t split) {
        const at::Tensor x = x_.flatten().narrow(0, 0, rows_ * weight.size(1)).view({rows_, weight.size(1)});
        const at::Tensor all = linear(x, weight, bias);
        const at::Tensor seen = to_host(all);
        const std::string_view bytes(static_cast<const char*>(seen.const_data_ptr()), static_cast<std::size_t>(seen.nbytes()));
        found_.fingerprint = found_.fingerprint * 31 + stable_hash(bytes);
        for (const std::int64_t count : kCounts) {
            for (const std::int64_t first : {std::int64_t{0}, rows_ / 2 + 1}) {
                if (first + count > rows_) continue;
                if (!same_bits(linear(x.narrow(0, first, count), weight, bias), all.narrow(0, first, count)))
                    report(name, std::to_string(count) + " rows from " + std::to_string(first) +
                                     " on have other bits than among " + std::to_string(rows_));
            }
        }
        if (split == 0) return;
        const std::int64_t few = std::min<std::int64_t>(rows_, 33), rest = weight.size(0) - split;
        if (!at::equal(linear(x.narrow(0, 0, few), part(weight, 0, split), part(bias, 0, split)),
                       all.narrow(0, 0, few).narrow(1, 0, split)) ||
            !at::equal(linear(x, part(weight, split, rest), part(bias, split, rest)), all.narrow(1, split, rest)))
            report(name, "some of its columns have other bits than all together");
    }

    ExactnessCheck take() { return std::move(found_); }

private:
    void report(const char* name, const std::string& what) {
        if (found_.problem.empty()) found_.problem = "in the product " + std::string(name) + " " + what;
    }

    std::int64_t rows_;
    at::Tensor x_;
    ExactnessCheck found_;
};

}  // namespace

ExactnessCheck check_exactness(const Decoder& decoder, std::int64_t most_rows) {
    const ModelConfig& config = decoder.config();
    const Parameters& parameters = decoder.parameters();
    const BlockTensors weights = block_tensors(parameters, config, parameters.flat, 0);
    const std::int64_t q_size = config.heads * config.head_dim;
    Check check(std::clamp<std::int64_t>(most_rows, 64, 4096), std::max({config.hidden, q_size, config.intermediate}),
                parameters.flat.options());
    check.product("q/k/v", weights.qkv, weights.qkv_bias, q_size);
    check.product("of attention's output", weights.o, weights.o_bias, 0);
    check.product("gate/up", weights.gate_up, weights.gate_up_bias, 0);
    check.product("down", weights.down, weights.down_bias, 0);
    // A part of the LM head, which may have many rows.
    const at::Tensor lm = parameters.layout.contains("score.weight") ? at::Tensor() : lm_weight(decoder);
    if (lm.defined()) check.product("of the LM head", lm.narrow(0, 0, std::min<std::int64_t>(lm.size(0), 4096)), {}, 0);
    return check.take();
}

}  // namespace xlrm
