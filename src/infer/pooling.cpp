#include "xlrm/infer/pooling.hpp"

#include <cassert>

#include "xlrm/core/error.hpp"

namespace xlrm {

Pooling parse_pooling(const std::string& name) {
    if (name == "last") return Pooling::last;
    if (name == "hf") return Pooling::hf;
    if (name == "first_pad") return Pooling::first_pad;
    fail("pooling '" + name + "' is not known (it says which token the reward head reads); use last, hf or first_pad",
         ExitCode::usage);
}

std::string pooling_name(Pooling pooling) {
    switch (pooling) {
        case Pooling::last:
            return "last";
        case Pooling::hf:
            return "hf";
        case Pooling::first_pad:
            return "first_pad";
    }
    assert(false);
    return {};
}

std::int64_t pooled_index(Pooling pooling, std::span<const std::int32_t> text, std::optional<std::int32_t> pad) {
    assert(!text.empty());
    const auto size = static_cast<std::int64_t>(text.size());
    if (pooling == Pooling::last || !pad) return size - 1;
    if (pooling == Pooling::hf) {
        for (std::int64_t i = size - 1; i > 0; --i) {
            if (text[static_cast<std::size_t>(i)] != *pad) return i;
        }
        return 0;
    }
    for (std::int64_t i = 0; i < size; ++i) {
        // Older transformers takes the index modulo the length: a pad at the front gives the last token.
        if (text[static_cast<std::size_t>(i)] == *pad) return i == 0 ? size - 1 : i - 1;
    }
    return size - 1;
}

}  // namespace xlrm
