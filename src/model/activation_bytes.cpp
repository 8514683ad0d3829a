#include "xlrm/model/decoder.hpp"

namespace xlrm {

ActivationBytes activation_bytes(const ModelConfig& config, at::ScalarType dtype, Keep keep) {
    const double d = static_cast<double>(config.hidden), ff = static_cast<double>(config.intermediate);
    const double q = static_cast<double>(config.heads * config.head_dim),
                 kv = static_cast<double>(config.kv_heads * config.head_dim);
    const double width = static_cast<double>(c10::elementSize(dtype));
    // Residuals before both norms, q, k, v, attention's output, gate and up; then norms' outputs and the activation.
    const double raw = config.qk_norm ? q + kv : 0.0, parts = config.post_norms ? 2.0 * d : 0.0;
    const double cheap = 2.0 * d + 2.0 * q + 2.0 * kv + 2.0 * ff + raw + parts;
    const double full = cheap + 2.0 * d + ff;
    const double layers = static_cast<double>(config.layers);
    const double kept = keep == Keep::full ? full : keep == Keep::cheap ? cheap : d;
    // Gradients of the widest tensors, and for `inputs` the block itself.
    const double beside = 4.0 * ff + 4.0 * d + 2.0 * q + (keep == Keep::inputs ? full : 0.0);
    return {width * layers * kept, width * beside};
}

}  // namespace xlrm
