#include "xlrm/infer/cache_plan.hpp"

#include <algorithm>
#include <limits>

namespace xlrm {
namespace {

std::int64_t pages_of(const KvPages::Page& page, std::int64_t tokens) { return (tokens + page.keys - 1) / page.keys; }

// Rows that are not paged keep extra capacity, up to as much again.
std::int64_t factor(const KvPages::Page& page) { return page.shared ? 1 : 2; }

}  // namespace

CachePlan::CachePlan(const ModelConfig& config, at::ScalarType dtype, std::int64_t piece) {
    KvCache cache(config, dtype);
    for (std::int64_t l = 0; l < config.layers; ++l) {
        const KvPages::Page page = cache.layer(l).page();
        const std::int64_t window = config.windows[static_cast<std::size_t>(l)];
        const bool bounded = window > 0 && page.shared;
        layers_.push_back({page, bounded ? (window + piece) / page.keys + 2 : std::numeric_limits<std::int64_t>::max()});
    }
}

std::int64_t CachePlan::prompt_bytes(std::int64_t tokens) const {
    std::int64_t sum = 0;
    for (const Layer& layer : layers_)
        sum += factor(layer.page) * layer.page.bytes * std::min(pages_of(layer.page, tokens), layer.most_pages);
    return sum;
}

std::int64_t CachePlan::shared_bytes(std::int64_t tokens) const {
    std::int64_t sum = 0;
    for (const Layer& layer : layers_)
        sum += layer.page.shared ? layer.page.bytes * std::min(tokens / layer.page.keys, layer.most_pages) : 0;
    return sum;
}

std::int64_t CachePlan::text_bytes(std::int64_t prompt, std::int64_t length) const {
    std::int64_t sum = 0;
    for (const Layer& layer : layers_) {
        const std::int64_t shared = layer.page.shared ? prompt / layer.page.keys : 0;
        sum += factor(layer.page) * layer.page.bytes * std::min(pages_of(layer.page, length) - shared, layer.most_pages);
    }
    return sum;
}

}  // namespace xlrm
