#include "analysis_units.hpp"

#include <algorithm>
#include <functional>

#include "state_parts.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"

namespace xlrm {

namespace {

//! Work for one rank: pieces of parts of one set.
struct Unit {
    std::vector<std::string> parts;  //!< a piece of each
    std::function<std::vector<ResultTable>(std::size_t part)> compute;
};

bool is_in(const std::vector<std::string>& list, const std::string& name) { return std::ranges::find(list, name) != list.end(); }

//! Scores: the parts that share a resampling in one unit, the others alone. Activations: one layer each.
std::vector<Unit> units_of(FolderAnalysis& analysis, const std::vector<std::string>& wanted) {
    std::vector<Unit> units;
    for (std::size_t set = 0; set < analysis.set_count(); ++set) {
        std::vector<const Part*> shared;
        for (const Part& part : parts()) {
            if (!is_in(wanted, part.name)) continue;
            if (part.needs_resampling)
                shared.push_back(&part);
            else
                units.push_back({{part.name}, [&analysis, set, &part](std::size_t) { return analysis.compute(set, part); }});
        }
        if (!shared.empty()) {
            Unit unit{{}, [&analysis, set, shared](std::size_t part) { return analysis.compute(set, *shared[part]); }};
            for (const Part* part : shared) unit.parts.push_back(part->name);
            units.push_back(std::move(unit));
        }
    }
    for (std::size_t set = 0; set < analysis.state_count(); ++set) {
        for (const StatePart& part : state_parts()) {
            if (!is_in(wanted, part.name)) continue;
            auto layers = analysis.states_of(set).layers;
            if (part.whole && !layers.empty()) layers = {{"", -1}};
            for (const auto& [capture, layer] : layers) {
                units.push_back({{part.name}, [&analysis, set, &part, capture = capture, layer = layer](std::size_t) {
                                     const OneThread one;
                                     std::vector<ResultTable> tables = part.tables();
                                     part.add({analysis.states_of(set), capture, layer}, tables);
                                     return tables;
                                 }});
            }
        }
    }
    return units;
}

std::vector<ResultTable> empty_tables(const std::string& name) {
    for (const Part& part : parts())
        if (part.name == name) return part.tables();
    for (const StatePart& part : state_parts())
        if (part.name == name) return part.tables();
    return {};
}

}  // namespace

std::map<std::string, PartResult> compute_parts(const Communicator& world, FolderAnalysis& analysis,
                                                const std::vector<std::string>& wanted) {
    Json mine = Json::array();
    together(world, [&] {
        const std::vector<Unit> units = units_of(analysis, wanted);
        for (std::size_t u = 0; u < units.size(); ++u) {
            if (static_cast<int>(u % static_cast<std::size_t>(world.size())) != world.rank()) continue;
            for (std::size_t part = 0; part < units[u].parts.size(); ++part) {
                require_not_stopped("the tables were computed");
                Json tables = Json::array();
                for (const ResultTable& table : units[u].compute(part)) tables.push_back(to_json(table));
                mine.push_back({{"part", units[u].parts[part]}, {"unit", u}, {"tables", std::move(tables)}});
            }
        }
    });
    std::map<std::pair<std::string, std::size_t>, Json> pieces;
    for (const std::string& text : world.gather_text(mine.dump())) {
        if (!world.root()) break;
        for (const Json& piece : parse_json(text, "tables of a rank"))
            pieces[{piece.at("part"), piece.at("unit")}] = piece.at("tables");
    }
    std::map<std::string, PartResult> results;
    for (const std::string& name : wanted)
        if (name != kTransfer) results[name].tables = empty_tables(name);
    for (const auto& [key, tables] : pieces) {
        PartResult& result = results.at(key.first);
        for (std::size_t t = 0; t < result.tables.size(); ++t)
            for (auto& row : table_from_json(tables.at(t)).rows) result.tables[t].add(std::move(row));
    }
    return results;
}

}  // namespace xlrm
