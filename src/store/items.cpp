#include "xlrm/store/items.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"

namespace xlrm {

void require_known_tokens(const ItemSet& set, std::int64_t vocab_size, const std::string& model) {
    const auto bad = std::ranges::find_if(set.tokens, [&](std::int32_t token) { return token < 0 || token >= vocab_size; });
    if (bad == set.tokens.end()) return;
    fail("token " + std::to_string(*bad) + " of the data is not one of the " + std::to_string(vocab_size) + " of " + model +
         " (the data were prepared with a tokenizer of another model, or the tokenizer does not fit); prepare them with this "
         "model's own");
}

}  // namespace xlrm
