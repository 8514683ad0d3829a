#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace xlrm {

//! Hidden states of one model on items in one language that another tool stored, a row an item.
struct ForeignStates {
    std::vector<std::string> id;
    std::vector<std::string> subset;      //!< empty where the file has none
    std::vector<float> chosen, rejected;  //!< scores; both empty where the file has none
    std::vector<int> layers;              //!< ascending; 0 = embedding output
    std::int64_t features = 0;
    //! (item, feature) of a layer, "chosen" or "rejected"; read when it is asked for.
    std::function<std::vector<float>(int layer, const std::string& side)> read;
};

//! Reads one of these, told by its name:
//!     X.h5, X.hdf5       /id (item) texts; /layer_NN/chosen and /layer_NN/rejected (item, feature) floats, at least one layer;
//!                        optional /subset (item) texts, /chosen and /rejected (item) scores
//!     X.chosen.npy       (layer, item, feature) floats, layer 0 the embedding output; X.rejected.npy of the same shape; X.ids, a
//!                        text file with an id a line
//! Throws Error naming file and dataset (field): what is missing, of other sizes, not finite, an id that comes twice.
ForeignStates read_foreign_states(const std::filesystem::path& path);

//! Whether a name is that of such a file.
bool holds_states(const std::filesystem::path& path);

}  // namespace xlrm
