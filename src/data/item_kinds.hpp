#pragma once

#include <filesystem>

#include "xlrm/data/prepare.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Throws Error unless the items of `path`, a prepared file, are of the kind that is asked for, by what the file says of itself
//! and by each item: answers, right ones among them, prompt, labels. A reader relies on these when it takes an answer by its
//! place.
void require_kind(const ItemSet& set, const PrepareOptions& options, const std::filesystem::path& path);

//! The kind of rows that a prepared file says it holds; preference where it says none. Throws Error for one that is not known.
RowKind prepared_kind(const std::filesystem::path& path);

}  // namespace xlrm
