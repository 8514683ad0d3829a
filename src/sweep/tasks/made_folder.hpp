#pragma once

#include <filesystem>
#include <functional>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

//! A folder with its recipe in it, whole or not at all: `make` fills one beside `target`, which is then renamed.
inline void make_folder(const std::filesystem::path& target, const Json& recipe,
                        const std::function<void(const std::filesystem::path&)>& make) {
    const std::filesystem::path beside = target.string() + ".partial";
    std::filesystem::remove_all(beside);
    std::filesystem::create_directories(beside);
    make(beside);
    write_file_atomic(beside / "recipe.json", recipe.dump(2) + "\n");
    std::filesystem::rename(beside, target);
}

inline Json recorded_in_folder(const std::filesystem::path& folder) {
    const std::filesystem::path recipe = folder / "recipe.json";
    return std::filesystem::exists(recipe) ? read_json(recipe) : Json();
}

}  // namespace xlrm
