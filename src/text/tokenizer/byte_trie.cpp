#include "byte_trie.hpp"

#include <algorithm>

namespace xlrm {
namespace {

constexpr std::int32_t kRoot = -2;  // as a parent: taken, and nobody's child
constexpr int kTries = 64;          // places that are tried for several children before the search goes on further behind

}  // namespace

//! Places nodes with their children, the free units being a list in order.
class ByteTrie::Builder {
public:
    Builder(const std::vector<Entry>& entries, std::vector<Unit>& units) : entries_(entries), units_(units) {
        grow(1024);
        units_.front().parent = kRoot;
    }

    //! Entries [begin, end) begin with the same `depth` bytes, which lead to `node`.
    void place(std::size_t begin, std::size_t end, std::size_t depth, std::int32_t node) {
        if (entries_[begin].first.size() == depth) units_[static_cast<std::size_t>(node)].value = entries_[begin++].second;
        if (begin == end) return;
        const auto byte = [&](std::size_t entry) { return static_cast<unsigned char>(entries_[entry].first[depth]); };
        std::vector<std::size_t> first;  // of each child
        for (std::size_t i = begin; i < end; ++i)
            if (first.empty() || byte(i) != byte(first.back())) first.push_back(i);
        const std::int32_t base = find_base(first, byte);
        units_[static_cast<std::size_t>(node)].base = base;
        for (const std::size_t i : first) take(base + byte(i), node);
        first.push_back(end);
        for (std::size_t c = 0; c + 1 < first.size(); ++c) place(first[c], first[c + 1], depth + 1, base + byte(first[c]));
    }

private:
    //! One child takes the first free unit, so that gaps are filled; several are sought from where the last ones found room.
    template <class Byte>
    std::int32_t find_base(const std::vector<std::size_t>& children, Byte byte) {
        if (children.size() > 1)
            while (!is_free(cursor_)) ++cursor_;
        std::int32_t free = children.size() > 1 ? cursor_ : next_.front();
        for (int tries = 1;; ++tries, free = next_[static_cast<std::size_t>(free)]) {
            if (free + 1024 > static_cast<std::int32_t>(units_.size())) grow(2 * units_.size());
            const std::int32_t base = free - byte(children.front());
            if (base >= 0 && std::ranges::all_of(children, [&](std::size_t i) { return is_free(base + byte(i)); })) return base;
            if (children.size() > 1 && tries % kTries == 0) cursor_ = free;
        }
    }
    bool is_free(std::int32_t unit) const { return units_[static_cast<std::size_t>(unit)].parent == kNone; }
    void take(std::int32_t unit, std::int32_t parent) {
        const auto u = static_cast<std::size_t>(unit);
        units_[u].parent = parent;
        next_[static_cast<std::size_t>(previous_[u])] = next_[u];
        previous_[static_cast<std::size_t>(next_[u])] = previous_[u];
    }
    //! The list is a ring in which the root's unit 0, which is never free, is the head.
    void grow(std::size_t size) {
        const std::size_t before = units_.size();
        units_.resize(size);
        next_.resize(size);
        previous_.resize(size);
        for (std::size_t u = std::max<std::size_t>(before, 1); u < size; ++u) {
            const std::int32_t last = previous_.front();
            next_[static_cast<std::size_t>(last)] = static_cast<std::int32_t>(u);
            previous_[u] = last;
            next_[u] = 0;
            previous_.front() = static_cast<std::int32_t>(u);
        }
    }

    const std::vector<Entry>& entries_;
    std::vector<Unit>& units_;
    std::vector<std::int32_t> next_, previous_;
    std::int32_t cursor_ = 1;
};

ByteTrie::ByteTrie(std::vector<Entry> entries) {
    std::ranges::stable_sort(entries, {}, &Entry::first);
    std::vector<Entry> last;  // of equal strings
    for (const Entry& entry : entries) {
        if (entry.first.empty()) continue;
        if (!last.empty() && last.back().first == entry.first)
            last.back() = entry;
        else
            last.push_back(entry);
    }
    Builder builder(last, units_);
    if (!last.empty()) builder.place(0, last.size(), 0, 0);
}

}  // namespace xlrm
