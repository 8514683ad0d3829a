#include "activation_plan.hpp"

namespace xlrm {

Keep plan_activations(const std::string& recompute, const ModelConfig& config, at::ScalarType dtype, double tokens,
                      double available) {
    if (recompute == "none") return Keep::full;
    if (recompute == "cheap") return Keep::cheap;
    if (recompute == "blocks") return Keep::inputs;
    if (available <= 0.0) return Keep::full;
    for (const Keep keep : {Keep::full, Keep::cheap}) {
        const ActivationBytes bytes = activation_bytes(config, dtype, keep);
        if (tokens * (bytes.kept + bytes.beside) <= 0.8 * available) return keep;
    }
    return Keep::inputs;
}

}  // namespace xlrm
