#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "xlrm/store/items.hpp"

namespace xlrm {

//! pairs.h5 / items.h5, schema "XLRM-items-1":
//!     /            Conventions="XLRM-items-1", schema_version, attributes (JSON)
//!     /tokens      int32 (token)
//!     /answers/begin int64, length int32, prompt int32              (answer)
//!     /answers/completion int32 (answer)     where the completion begins (Answer::completion); only in a file
//!                                            where it is not `prompt` for any
//!     /items/id lang subset (UTF-8), first_answer int64, answers int32, num_correct int32, margin float32   (item)
//!     /items/occurrence int32 (item)         Item::occurrence; files from before it was kept lack it, and are read as if no
//!                                            item had been left out
//!     /items/labels int32 (item), /labels float32 (label)     how many labels an item has, and all of them; where any has some
//! Written atomically; equal content gives equal bytes.
void write_items(const std::filesystem::path& path, const ItemSet& set);
//! The same; `before` gets the file's bytes before it has its name.
void write_items(const std::filesystem::path& path, const ItemSet& set,
                 const std::function<void(const std::string& bytes)>& before);

//! The attributes alone (ItemSet::attributes), without the items. Throws Error like read_items.
Json read_item_attributes(const std::filesystem::path& path);

//! Reads and checks (version, lengths, offsets in range; margins are numbers or NaN = absent). Throws Error naming file and
//! dataset.
ItemSet read_items(const std::filesystem::path& path);

//! The items that `keep` wants by their language, in their order, as if the file had no others. Of the tokens theirs and a few
//! megabytes at a time are in memory.
ItemSet read_items(const std::filesystem::path& path, const std::function<bool(const std::string& lang)>& keep);

}  // namespace xlrm
