#include <ATen/ops/arange.h>

#include <algorithm>

#include "generation/running_prompt.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/infer/generation.hpp"

namespace xlrm {

std::int64_t step_of(const GenerationOptions& options) { return std::max<std::int64_t>(1, options.beams); }
std::int64_t most_texts(const GenerationOptions& options) { return std::max(step_of(options), options.token_budget / 2); }

void require_valid(const GenerationOptions& options) {
    require_valid(options.sampling);
    require_valid(options.stop);
    require(options.beams >= 0, "--beams must be 0 (none) or more", ExitCode::usage);
    require(options.token_budget > 0, "--token-budget must be above 0", ExitCode::usage);
    require(options.cache_bytes >= 0, "--cache-memory must not be negative", ExitCode::usage);
    if (options.beams == 0) return;
    require(options.stop.stop_strings.empty(), "--stop does not go with --beams (beams end with stop ids alone)",
            ExitCode::usage);
    require_valid(BeamOptions{options.beams, options.length_penalty, options.early_stopping, options.stop.max_new_tokens});
}

namespace {

// Whether a weight of this depth is packed again: of some depths the library's bits are not those of the packed form
// (pack_weight).
bool is_packed(std::int64_t depth, at::ScalarType dtype) {
    const at::Tensor varied = at::arange(64 * depth, at::TensorOptions().dtype(at::kFloat)).mul_(0.37).sin_();
    return pack_weight(varied.view({64, depth}).to(dtype)) != nullptr;
}

}  // namespace

std::int64_t weight_bytes_of(const ModelConfig& config, at::ScalarType dtype) {
    const std::int64_t q = config.heads * config.head_dim, kv = config.kv_heads * config.head_dim;
    const std::int64_t wide = config.layers * (q + 2 * kv + 2 * config.intermediate) + config.vocab_size;
    const std::int64_t again = (is_packed(config.hidden, dtype) ? wide * config.hidden : 0) +
                               (is_packed(q, dtype) ? config.layers * q * config.hidden : 0) +
                               (is_packed(config.intermediate, dtype) ? config.layers * config.intermediate * config.hidden : 0);
    return static_cast<std::int64_t>(c10::elementSize(dtype)) * (make_layout(config, HeadKind::lm).total + again);
}

std::int64_t pass_bytes_of(const ModelConfig& config, at::ScalarType dtype, const GenerationOptions& options,
                           std::int64_t prompt_tokens, std::int64_t texts) {
    const auto wide = [](std::int64_t count) { return static_cast<double>(count); };
    const double width = wide(static_cast<std::int64_t>(c10::elementSize(dtype)));
    const double d = wide(config.hidden), ff = wide(config.intermediate);
    const double q = wide(config.heads * config.head_dim), kv = wide(config.kv_heads * config.head_dim);
    // Live at once in a block: the residual and its norm with gate, up and the activation; or with q, k, v and what attention and
    // its output give.
    const double activations = width * std::max(2.0 * d + 3.0 * ff, 3.0 * d + 2.0 * q + 2.0 * kv);
    const std::int64_t in_pass = std::min(texts, most_texts(options));
    const double tokens = wide(std::min(options.token_budget, std::max(prompt_tokens, in_pass)));
    // Logits as the head gives them (and in fp32, where they are soft-capped), and the rows of beams.
    const bool again = dtype == at::kBFloat16 && config.logit_soft_cap > 0;
    const double rows = wide(std::min(kLogitRows, in_pass)) * (width + (again ? 4.0 : 0.0));
    const double beams = options.beams > 0 ? 4.0 * wide(in_pass) : 0.0;
    // Code and kernels that oneDNN brings into memory as bf16 products begin (measured).
    constexpr double kLibraryBytes = 40.0 * 1048576.0;
    const double library = dtype == at::kBFloat16 ? kLibraryBytes : 0.0;
    return static_cast<std::int64_t>(activations * tokens + (rows + beams) * wide(config.vocab_size) + library);
}

}  // namespace xlrm
