#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "xlrm/analysis/analyze.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm::test {

//! A sweep folder without models: cells of given margins, without a plan unless one is written.
class PlantedFolder {
public:
    explicit PlantedFolder(std::filesystem::path root) : root_(std::move(root)) {}

    std::filesystem::path root() const { return root_; }
    std::filesystem::path cell(const std::string& source, std::int64_t seed, const std::string& target) const {
        const std::string model = source.empty() ? "b" : "b." + source + ".s" + std::to_string(seed);
        return root_ / "cells" / model / ("x." + target + ".h5");
    }

    //! A trained model's cell; ids "q-0" …, one subset, unless `change` says otherwise.
    void write(const std::string& source, std::int64_t seed, const std::string& target, const std::vector<float>& margins,
               const std::function<void(Cell&)>& change = {}) const {
        Cell cell;
        cell.model = "b." + source + ".s" + std::to_string(seed);
        cell.source_lang = source;
        cell.target_lang = target;
        cell.seed = seed;
        cell.pooling = "last";
        cell.head = "fp32";
        cell.dtype = "fp32";
        cell.provenance = Json::object();
        for (std::size_t i = 0; i < margins.size(); ++i) {
            cell.id.push_back("q-" + std::to_string(i));
            cell.subset.push_back("s");
            cell.lang.push_back(target);
            cell.occurrence.push_back(0);
            cell.chosen_tokens.push_back(static_cast<std::int32_t>(5 + i % 3));
            cell.rejected_tokens.push_back(6);
        }
        cell.chosen = margins;
        cell.rejected.assign(margins.size(), 0.0F);
        if (change) change(cell);
        write_cell(this->cell(source, seed, target), cell, Json::object());
    }

    //! Sources × targets × seeds with random margins of mean 0.5 (own language: 0.8).
    void write_grid(const std::vector<std::string>& sources, const std::vector<std::string>& targets,
                    const std::vector<std::int64_t>& seeds, std::size_t items,
                    const std::function<void(Cell&)>& change = {}) const {
        std::uint64_t stream = 0;
        for (const std::string& source : sources)
            for (const std::int64_t seed : seeds)
                for (const std::string& target : targets) {
                    Random random(11, ++stream);
                    std::vector<float> margins;
                    for (std::size_t i = 0; i < items; ++i)
                        margins.push_back(static_cast<float>(random.normal() + (source == target ? 0.8 : 0.5)));
                    write(source, seed, target, margins, change);
                }
    }

private:
    std::filesystem::path root_;
};

inline AnalyzeOptions options_for(const std::filesystem::path& root) {
    AnalyzeOptions options;
    options.words = {root.string()};
    options.resamples = 200;
    return options;
}

//! summary.json after an analysis.
inline Json analysed(const Communicator& world, const AnalyzeOptions& options) {
    run_analyze(world, options);
    return read_json(std::filesystem::path(options.words.front()) / "analysis" / "summary.json");
}

//! The rows of a table whose columns have these values.
inline std::vector<Json> rows(const Json& summary, const std::string& table, const std::map<std::string, std::string>& where) {
    std::vector<Json> found;
    for (const Json& row : summary.at("tables").at(table).at("rows")) {
        bool fits = true;
        for (const auto& [column, value] : where) fits = fits && row.at(column) == value;
        if (fits) found.push_back(row);
    }
    return found;
}

//! The one row; throws where there are others.
inline Json row(const Json& summary, const std::string& table, const std::map<std::string, std::string>& where) {
    const auto found = rows(summary, table, where);
    if (found.size() != 1) throw std::runtime_error(table + ": " + std::to_string(found.size()) + " rows instead of one");
    return found.front();
}

//! Texts of the statements with this code.
inline std::vector<std::string> statements(const Json& summary, const std::string& code) {
    std::vector<std::string> texts;
    for (const Json& statement : summary.at("statements"))
        if (statement.at("code") == code)
            texts.push_back(statement.at("place").get<std::string>() + ": " + statement.at("text").get<std::string>());
    return texts;
}

}  // namespace xlrm::test
