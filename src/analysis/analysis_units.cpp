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
    std::vector<std::string> parts;                                                        //!< a piece of each
    std::function<Json(std::size_t part)> compute;                                         //!< its tables, or what finish() takes
    std::function<void(const std::vector<Json>&, std::vector<ResultTable>&)> finish = {};  //!< of a last piece: all of them
    bool whole = true;                                                                     //!< tables, and no piece
};

bool is_in(const std::vector<std::string>& list, const std::string& name) { return std::ranges::find(list, name) != list.end(); }

Json json_of(const std::vector<ResultTable>& tables) {
    Json out = Json::array();
    for (const ResultTable& table : tables) out.push_back(to_json(table));
    return out;
}

//! Scores: the parts that share a resampling in one unit, the others alone.
void add_score_units(FolderAnalysis& analysis, std::size_t set, const std::vector<std::string>& wanted,
                     std::vector<Unit>& units) {
    std::vector<const Part*> shared;
    for (const Part& part : parts()) {
        if (!is_in(wanted, part.name)) continue;
        if (part.needs_resampling)
            shared.push_back(&part);
        else
            units.push_back({{part.name}, [&analysis, set, &part](std::size_t) { return json_of(analysis.compute(set, part)); }});
    }
    if (shared.empty()) return;
    Unit unit{{}, [&analysis, set, shared](std::size_t part) { return json_of(analysis.compute(set, *shared[part])); }};
    for (const Part* part : shared) unit.parts.push_back(part->name);
    units.push_back(std::move(unit));
}

//! The pieces of a part over all layers of each capture.
void add_pieces(FolderAnalysis& analysis, std::size_t set, const StatePart& part, std::vector<Unit>& units) {
    const StateSet& states = analysis.states_of(set);
    std::vector<std::string> captures;
    for (const auto& [capture, layer] : states.layers)
        if (!is_in(captures, capture)) captures.push_back(capture);
    for (const std::string& capture : captures) {
        const std::int64_t count = part.pieces({states, capture, -1});
        for (std::int64_t piece = 0; piece < count; ++piece) {
            Unit unit{{part.name}, [&analysis, set, &part, capture, piece](std::size_t) {
                          const OneThread one;
                          return part.piece({analysis.states_of(set), capture, -1}, piece);
                      }};
            unit.whole = false;
            if (piece + 1 == count)
                unit.finish = [&analysis, set, &part, capture](const std::vector<Json>& all, std::vector<ResultTable>& tables) {
                    part.finish({analysis.states_of(set), capture, -1}, all, tables);
                };
            units.push_back(std::move(unit));
        }
    }
}

//! Activations: one layer each, or pieces over all of them.
void add_state_units(FolderAnalysis& analysis, std::size_t set, const std::vector<std::string>& wanted,
                     std::vector<Unit>& units) {
    for (const StatePart& part : state_parts()) {
        if (!is_in(wanted, part.name)) continue;
        if (part.pieces != nullptr) {
            add_pieces(analysis, set, part, units);
            continue;
        }
        auto layers = analysis.states_of(set).layers;
        if (part.whole && !layers.empty()) layers = {{"", -1}};
        for (const auto& [capture, layer] : layers) {
            units.push_back({{part.name}, [&analysis, set, &part, capture = capture, layer = layer](std::size_t) {
                                 const OneThread one;
                                 std::vector<ResultTable> tables = part.tables();
                                 part.add({analysis.states_of(set), capture, layer}, tables);
                                 return json_of(tables);
                             }});
        }
    }
}

std::vector<Unit> units_of(FolderAnalysis& analysis, const std::vector<std::string>& wanted) {
    std::vector<Unit> units;
    for (std::size_t set = 0; set < analysis.set_count(); ++set) add_score_units(analysis, set, wanted, units);
    for (std::size_t set = 0; set < analysis.state_count(); ++set) add_state_units(analysis, set, wanted, units);
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
    std::vector<Unit> units;
    together(world, [&] {
        units = units_of(analysis, wanted);
        for (std::size_t u = 0; u < units.size(); ++u) {
            if (static_cast<int>(u % static_cast<std::size_t>(world.size())) != world.rank()) continue;
            for (std::size_t part = 0; part < units[u].parts.size(); ++part) {
                require_not_stopped("the tables were computed");
                mine.push_back({{"part", units[u].parts[part]}, {"unit", u}, {"made", units[u].compute(part)}});
            }
        }
    });
    std::map<std::pair<std::string, std::size_t>, Json> made;
    for (const std::string& text : world.gather_text(mine.dump())) {
        if (!world.root()) break;
        for (Json& piece : parse_json(text, "tables of a rank"))
            made[{piece.at("part"), piece.at("unit")}] = std::move(piece.at("made"));
    }
    std::map<std::string, PartResult> results;
    for (const std::string& name : wanted)
        if (name != kTransfer) results[name].tables = empty_tables(name);
    std::vector<Json> pieces;
    for (auto& [key, json] : made) {
        std::vector<ResultTable>& tables = results.at(key.first).tables;
        const Unit& unit = units[key.second];
        if (!unit.whole) pieces.push_back(std::move(json));
        if (unit.finish) {
            unit.finish(pieces, tables);
            pieces.clear();
        }
        for (std::size_t t = 0; t < tables.size() && unit.whole; ++t)
            for (auto& row : table_from_json(json.at(t)).rows) tables[t].add(std::move(row));
    }
    return results;
}

}  // namespace xlrm
