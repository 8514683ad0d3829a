#include "parallel_ratios.hpp"

#include <optional>
#include <span>

#include "xlrm/stats/singular_ratio.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {
namespace {

//! The last layer's states of one model in each language, rows of one item at one place.
struct AlignedStates {
    std::vector<std::vector<float>> values;  //!< by language: (item, feature)
    std::int64_t items = 0, features = 0;
};

std::optional<AlignedStates> align(const Grid& grid, const std::vector<const GridCell*>& cells) {
    AlignedStates out;
    std::map<std::pair<std::string, std::int32_t>, std::vector<std::size_t>>
        rows;  // id and occurrence → its row in each language
    std::vector<std::vector<float>> values;
    for (const GridCell* place : cells) {
        const CellScores cell = read_cell_scores(place->file, grid.hashes);
        const std::map<std::string, std::vector<int>> layers = cell_layers(place->file);
        const auto last = layers.find("last");
        if (last == layers.end() || last->second.empty()) return {};
        values.push_back(read_cell_activations(place->file, "last", last->second.back(), "chosen", &out.features));
        for (std::size_t i = 0; i < cell.id.size(); ++i) {
            std::vector<std::size_t>& places = rows[{cell.id[i], cell.occurrence[i]}];
            if (places.size() + 1 == values.size()) places.push_back(i);
        }
    }
    const auto width = static_cast<std::size_t>(out.features);
    out.values.resize(values.size());
    for (const auto& [item, places] : rows) {
        if (places.size() != values.size()) continue;
        ++out.items;
        for (std::size_t l = 0; l < values.size(); ++l) {
            const auto begin = values[l].begin() + static_cast<std::ptrdiff_t>(places[l] * width);
            out.values[l].insert(out.values[l].end(), begin, begin + static_cast<std::ptrdiff_t>(width));
        }
    }
    return out;
}

}  // namespace

std::vector<RatioEntry> parallel_ratios(const Grid& grid) {
    std::map<std::pair<std::string, std::string>, std::vector<const GridCell*>> cells;
    for (const GridCell& cell : grid.cells) {
        if (cell_verifies(cell.file, grid.hashes)) cells[{cell.model, cell.benchmark}].push_back(&cell);
    }
    std::vector<RatioEntry> ratios;
    for (const auto& [key, column] : cells) {
        if (column.size() != grid.targets.size() || column.size() < 2) continue;
        const auto states = align(grid, column);
        if (!states || states->items == 0) continue;
        RatioEntry entry{key.first, key.second, states->items, {}};
        const std::vector<std::span<const float>> views(states->values.begin(), states->values.end());
        for (const RatioVariant variant : {RatioVariant::raw, RatioVariant::centred}) {
            const auto of_items = singular_ratios(views, states->items, states->features, variant);
            entry.mean.insert_or_assign(name_of(variant), mean_ratio(of_items));
        }
        ratios.push_back(std::move(entry));
    }
    return ratios;
}

}  // namespace xlrm
