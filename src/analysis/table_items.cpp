#include "table_items.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {

namespace {

template <class T>
void keep_rows(std::vector<T>& values, const std::vector<std::size_t>& rows, std::size_t width = 1) {
    if (values.empty()) return;
    std::vector<T> kept;
    for (const std::size_t row : rows) {
        for (std::size_t k = 0; k < width; ++k) kept.push_back(values[row * width + k]);
    }
    values = std::move(kept);
}

}  // namespace

FloorMap read_floor(const std::filesystem::path& path) {
    FloorMap floor;
    if (!std::filesystem::exists(path)) return floor;
    const Json json = read_json(path);
    for (const auto& [target, entry] : json.at("targets").items()) {
        const std::vector<std::string> ids = entry.at("id");
        const std::vector<double> right = entry.at("right");
        require(ids.size() == right.size(),
                path.string() + ": target " + target + " has other numbers of ids and verdicts; remove the file and run again");
        const std::vector<std::int32_t> occurrences = entry.value("occurrence", std::vector<std::int32_t>());
        Occurrences counted;  // for files from before they were kept, which have every row
        for (std::size_t i = 0; i < ids.size(); ++i) {
            floor[target][{ids[i], i < occurrences.size() ? occurrences[i] : counted.next(target, ids[i])}] = right[i];
        }
    }
    return floor;
}

std::set<ItemKey> keys_of(const CellScores& cell) {
    std::set<ItemKey> keys;
    for (std::size_t i = 0; i < cell.id.size(); ++i) keys.insert({cell.id[i], cell.occurrence[i]});
    return keys;
}

void keep_common(CellScores& cell, const std::set<ItemKey>& common) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < cell.id.size(); ++i) {
        if (common.contains({cell.id[i], cell.occurrence[i]})) rows.push_back(i);
    }
    if (rows.size() == cell.id.size()) return;
    keep_rows(cell.id, rows);
    keep_rows(cell.subset, rows);
    keep_rows(cell.lang, rows);
    keep_rows(cell.occurrence, rows);
    keep_rows(cell.chosen_tokens, rows);
    keep_rows(cell.rejected_tokens, rows);
    keep_rows(cell.chosen, rows);
    keep_rows(cell.rejected, rows);
    keep_rows(cell.num_correct, rows);
    keep_rows(cell.response, rows, static_cast<std::size_t>(cell.max_answers));
}

}  // namespace xlrm
