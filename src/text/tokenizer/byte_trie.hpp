#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace xlrm {

//! Byte strings → values, as a double array: each byte of a search is one access.
class ByteTrie {
public:
    static constexpr std::int32_t kNone = -1;
    static constexpr std::size_t kMostBytes = 8192;  //!< of a string: it is built by recursion
    using Entry = std::pair<std::string_view, std::int32_t>;

    ByteTrie() : ByteTrie(std::vector<Entry>()) {}
    //! Of equal strings the last one counts; empty ones are left out. Values are not negative.
    explicit ByteTrie(std::vector<Entry> entries);

    //! The node behind `node` (0: the root), or kNone.
    std::int32_t child(std::int32_t node, unsigned char byte) const {
        const std::int32_t next = units_[static_cast<std::size_t>(node)].base + byte;
        return units_[static_cast<std::size_t>(next)].parent == node ? next : kNone;
    }
    //! Of the string that ends here, or kNone.
    std::int32_t value(std::int32_t node) const { return units_[static_cast<std::size_t>(node)].value; }

private:
    struct Unit {
        std::int32_t base = 0;  //!< children are at base + byte; base + 255 is inside
        std::int32_t parent = kNone;
        std::int32_t value = kNone;
    };
    class Builder;
    std::vector<Unit> units_;
};

}  // namespace xlrm
