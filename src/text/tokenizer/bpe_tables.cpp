#include <bit>
#include <cstring>

#include "bpe_model.hpp"

namespace xlrm {
namespace {

constexpr std::size_t kCacheSlots = std::size_t{1} << 17U;
constexpr std::size_t kCacheBytes = std::size_t{8} << 20U;

std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 32U;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32U;
    return x;
}

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U) | static_cast<std::uint32_t>(right);
}

}  // namespace

MergeTable::MergeTable(std::size_t count) : slots_(std::bit_ceil(2 * count + 1)) {}

std::size_t MergeTable::place(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = mix(key) & mask;
    while (slots_[at].key != key && slots_[at].key != ~std::uint64_t{0}) at = (at + 1) & mask;
    return at;
}

void MergeTable::set(std::int32_t left, std::int32_t right, Merge merge) {
    const std::uint64_t key = pair_key(left, right);
    slots_[place(key)] = {key, merge};
}

MergeTable::Merge MergeTable::find(std::int32_t left, std::int32_t right) const {
    return slots_[place(pair_key(left, right))].merge;
}

std::int32_t SubwordModel::find(const std::string& token) const {
    const auto found = vocab_.find(token);
    return found == vocab_.end() ? -1 : found->second;
}

WordCache::WordCache() : slots_(kCacheSlots) {}

std::uint64_t WordCache::hash(std::string_view word) {
    std::uint64_t value = word.size() * 0x9e3779b97f4a7c15ULL;
    const char* bytes = word.data();
    std::size_t left = word.size();
    for (; left >= 8; left -= 8, bytes += 8) {
        std::uint64_t chunk = 0;
        std::memcpy(&chunk, bytes, 8);
        value = mix(value ^ chunk) * 0x9e3779b97f4a7c15ULL;
    }
    std::uint64_t chunk = 0;
    std::memcpy(&chunk, bytes, left);
    return mix(mix(value ^ chunk));
}

const std::int32_t* WordCache::find(std::string_view word, std::uint64_t hash, std::uint32_t& count) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].length != 0; at = (at + 1) & mask) {
        const Slot& slot = slots_[at];
        if (slot.hash != hash || slot.length != word.size() ||
            std::memcmp(words_.data() + slot.word, word.data(), word.size()) != 0) {
            continue;
        }
        count = slot.count;
        return ids_.data() + slot.ids;
    }
    return nullptr;
}

void WordCache::insert(std::string_view word, std::uint64_t hash, const std::int32_t* ids, std::uint32_t count) {
    if (used_ > kCacheSlots / 2 || words_.size() > kCacheBytes) {
        slots_.assign(kCacheSlots, Slot{});
        words_.clear();
        ids_.clear();
        used_ = 0;
    }
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].length != 0) at = (at + 1) & mask;
    slots_[at] = {hash, static_cast<std::uint32_t>(words_.size()), static_cast<std::uint32_t>(word.size()),
                  static_cast<std::uint32_t>(ids_.size()), count};
    words_.append(word);
    ids_.insert(ids_.end(), ids, ids + count);
    ++used_;
}

}  // namespace xlrm
