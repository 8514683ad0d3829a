#include "xlrm/bench/flops.hpp"

#include <algorithm>

namespace xlrm {

double seen_keys(const Segments& segments, std::int64_t window) {
    double keys = 0.0;
    for (const Segment& segment : segments) {
        for (const QueryRun& run : segment.queries) {
            if (window <= 0) {
                keys += static_cast<double>(run.length) * static_cast<double>(run.position) +
                        0.5 * static_cast<double>(run.length * (run.length + 1));
                continue;
            }
            for (std::int64_t i = 0; i < run.length; ++i) keys += static_cast<double>(std::min(window, run.position + i + 1));
        }
    }
    return keys;
}

double forward_flops(const ModelConfig& config, const Segments& segments) {
    double tokens = 0.0;
    for (const Segment& segment : segments) tokens += static_cast<double>(segment.query_count());
    const double d = static_cast<double>(config.hidden);
    const double q = static_cast<double>(config.heads * config.head_dim);
    const double kv = static_cast<double>(config.kv_heads * config.head_dim);
    const double ff = static_cast<double>(config.intermediate);
    double flops = 2.0 * tokens * static_cast<double>(config.layers) * (2.0 * d * q + 2.0 * d * kv + 3.0 * d * ff);
    for (const std::int64_t window : config.windows) flops += 4.0 * q * seen_keys(segments, window);
    return flops;
}

}  // namespace xlrm
