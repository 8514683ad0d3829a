#include <ATen/ops/ones.h>

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

std::int64_t weight_bytes_of(const ModelConfig& config, at::ScalarType dtype) {
    const auto width = static_cast<std::int64_t>(c10::elementSize(dtype));
    const bool packed = pack_weight(at::ones({1, 1}, at::TensorOptions().dtype(dtype))) != nullptr;
    const std::int64_t again = config.body_parameters() + config.vocab_size * config.hidden;
    return width * (make_layout(config, HeadKind::lm).total + (packed ? again : 0));
}

std::int64_t pass_bytes_of(const ModelConfig& config, at::ScalarType dtype, const GenerationOptions& options) {
    const double activations = activation_bytes(config, dtype, Keep::inputs).beside * static_cast<double>(options.token_budget);
    // Logits in fp32 (and as the head gives them), one row for each prompt whose texts have not all begun, rows of the beams.
    const double rows = static_cast<double>(std::min(kLogitRows, most_texts(options))) * (dtype == at::kBFloat16 ? 6.0 : 4.0);
    const double beams = options.beams > 0 ? 4.0 * static_cast<double>(most_texts(options)) : 0.0;
    return static_cast<std::int64_t>(activations + (rows + beams) * static_cast<double>(config.vocab_size));
}

}  // namespace xlrm
