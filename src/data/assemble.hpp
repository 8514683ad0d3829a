#pragma once

#include <vector>

#include "encoded_item.hpp"
#include "xlrm/data/prepare.hpp"

namespace xlrm {

//! Tokenised items as a set, in their order, and what became of each language's: texts above options.max_length are treated as
//! options.over_length says, then pairs whose texts are the same tokens are left out unless options.keep_tied. Empties `items` as
//! it goes. Throws Error naming the row of a text that is too long where that is an error, and of a text without any token.
Prepared assemble(std::vector<EncodedItem>&& items, const PrepareOptions& options);

//! Adds LanguageReport::repeated of the items.
void count_repeated(const ItemSet& set, std::map<std::string, LanguageReport>& report);

const char* name_of(OverLength policy);

}  // namespace xlrm
