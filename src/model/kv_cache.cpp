#include "xlrm/model/kv_cache.hpp"

namespace xlrm {

KvCache::KvCache(const ModelConfig& config, at::ScalarType dtype, at::Device device) {
    for (std::int64_t l = 0; l < config.layers; ++l)
        layers_.emplace_back(dtype, config.kv_heads, config.head_dim, config.windows[static_cast<std::size_t>(l)], device);
}

// All layers give the same number.
std::int64_t KvCache::add() {
    std::int64_t number = -1;
    for (KvPages& layer : layers_) number = layer.add();
    return number;
}

std::int64_t KvCache::fork(std::int64_t sequence) {
    std::int64_t number = -1;
    for (KvPages& layer : layers_) number = layer.fork(sequence);
    return number;
}

void KvCache::remove(std::int64_t sequence) {
    for (KvPages& layer : layers_) layer.remove(sequence);
}

std::int64_t KvCache::bytes() const {
    std::int64_t sum = 0;
    for (const KvPages& layer : layers_) sum += layer.bytes();
    return sum;
}

}  // namespace xlrm
