#include "analysis_units.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "state_parts.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {

namespace {

//! A part, and which of its pieces: they are numbered in the order of the units, whichever parts are wanted with it.
using PieceKey = std::pair<std::string, std::size_t>;

//! Work for one rank: pieces of parts of one set.
struct Unit {
    std::vector<std::string> parts;                                                        //!< a piece of each
    std::function<Json(std::size_t part)> compute;                                         //!< its tables, or what finish() takes
    std::function<void(const std::vector<Json>&, std::vector<ResultTable>&)> finish = {};  //!< of a last piece: all of them
    bool whole = true;                                                                     //!< tables, and no piece
    std::vector<PieceKey> pieces = {};                                                     //!< of `parts`
};

std::vector<Unit> numbered(std::vector<Unit> units) {
    std::map<std::string, std::size_t> counts;
    for (Unit& unit : units)
        for (const std::string& part : unit.parts) unit.pieces.emplace_back(part, counts[part]++);
    return units;
}

//! What was made of pieces, by piece.
using Made = std::map<PieceKey, Json>;

//! Pieces of parts that are not whole yet, a file each: {"identity", "made"}.
class Pieces {
public:
    Pieces(FolderAnalysis& analysis, std::filesystem::path folder) : analysis_(analysis), folder_(std::move(folder)) {}

    Made stored(const std::vector<Unit>& units) {
        Made found;
        for (const Unit& unit : units) {
            for (const PieceKey& key : unit.pieces) {
                if (!std::filesystem::exists(file(key))) continue;
                Json piece = Json::parse(read_file(file(key)), nullptr, false);
                if (piece.is_object() && piece.value("identity", "") == analysis_.identity(key.first))
                    found[key] = std::move(piece.at("made"));
            }
        }
        return found;
    }

    void keep(const PieceKey& key, const Json& made) {
        write_file_atomic(file(key), Json({{"identity", analysis_.identity(key.first)}, {"made", made}}).dump() + "\n");
    }

private:
    std::filesystem::path file(const PieceKey& key) const {
        return folder_ / (key.first + "." + std::to_string(key.second) + ".json");
    }

    FolderAnalysis& analysis_;
    std::filesystem::path folder_;
};

Json list_of(const Made& pieces) {
    Json list = Json::array();
    for (const auto& [key, made] : pieces) list.push_back({key.first, key.second});
    return list;
}

std::set<PieceKey> keys_of(const std::string& list) {
    std::set<PieceKey> keys;
    for (const Json& key : parse_json(list, "pieces of the root")) keys.emplace(key.at(0), key.at(1));
    return keys;
}

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

//! A piece of a part that looks at one layer, or at all: a whole table's rows.
Unit layer_unit(FolderAnalysis& analysis, std::size_t set, const StatePart& part, const std::pair<std::string, int>& layer,
                std::int64_t step = 0) {
    return {{part.name}, [&analysis, set, &part, layer, step](std::size_t) {
                const OneThread one;
                std::vector<ResultTable> tables = part.tables();
                part.add({analysis.states_of(set), layer.first, layer.second, step}, tables);
                return json_of(tables);
            }};
}

//! Activations: parts over all layers, then layer by layer the others, so that what is read of one serves them all.
void add_state_units(FolderAnalysis& analysis, std::size_t set, const std::vector<std::string>& wanted,
                     std::vector<Unit>& units) {
    const StateSet& states = analysis.states_of(set);
    std::vector<const StatePart*> of_layers;
    for (const StatePart& part : state_parts()) {
        if (!is_in(wanted, part.name)) continue;
        if (part.pieces != nullptr)
            add_pieces(analysis, set, part, units);
        else if (!part.whole)
            of_layers.push_back(&part);
        else if (!states.layers.empty())
            units.push_back(layer_unit(analysis, set, part, {"", -1}));
    }
    for (const auto& layer : states.layers) {
        for (const StatePart* part : of_layers) {
            const std::int64_t steps = part->steps != nullptr ? part->steps(states) : 1;
            for (std::int64_t step = 0; step < steps; ++step) units.push_back(layer_unit(analysis, set, *part, layer, step));
        }
    }
}

std::vector<Unit> units_of(FolderAnalysis& analysis, const std::vector<std::string>& wanted) {
    std::vector<Unit> units;
    for (std::size_t set = 0; set < analysis.set_count(); ++set) add_score_units(analysis, set, wanted, units);
    for (std::size_t set = 0; set < analysis.state_count(); ++set) add_state_units(analysis, set, wanted, units);
    return units;
}

//! Of a part, as a profile keeps it.
const char* lasting_name(const std::string& name) {
    for (const Part& part : parts())
        if (part.name == name) return part.name.c_str();
    for (const StatePart& part : state_parts())
        if (part.name == name) return part.name.c_str();
    return "part";
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
                                                const std::vector<std::string>& wanted, const std::filesystem::path& unfinished,
                                                const std::function<bool()>& stop) {
    std::vector<Unit> units;
    together(world, [&] { units = numbered(units_of(analysis, wanted)); });
    Pieces pieces(analysis, unfinished);
    Made made;  // on the root
    on_root(world, [&] { made = pieces.stored(units); });
    const std::set<PieceKey> there = keys_of(world.broadcast(list_of(made).dump()));
    Json mine = Json::array();
    together(world, [&] {
        std::size_t turn = 0;
        for (const Unit& unit : units) {
            const bool left = std::ranges::any_of(unit.pieces, [&](const PieceKey& key) { return !there.contains(key); });
            if (!left || static_cast<int>(turn++ % static_cast<std::size_t>(world.size())) != world.rank()) continue;
            for (std::size_t piece = 0; piece < unit.pieces.size(); ++piece) {
                if (there.contains(unit.pieces[piece])) continue;
                if (stop())
                    fail("stopped by a signal while the tables were computed; what is finished is kept in " +
                             unfinished.string() + ", and the same command goes on",
                         ExitCode::stopped);
                const PieceKey& key = unit.pieces[piece];
                const StageScope scope(lasting_name(key.first));
                Json result = unit.compute(piece);
                pieces.keep(key, result);
                mine.push_back({{"part", key.first}, {"number", key.second}, {"made", std::move(result)}});
            }
        }
    });
    const StageScope scope("gather");
    for (const std::string& text : world.gather_text(mine.dump())) {
        if (!world.root()) break;
        for (Json& piece : parse_json(text, "tables of a rank"))
            made[{piece.at("part"), piece.at("number")}] = std::move(piece.at("made"));
    }
    std::map<std::string, PartResult> results;
    for (const std::string& name : wanted)
        if (name != kTransfer) results[name].tables = empty_tables(name);
    std::map<PieceKey, const Unit*> unit_of;
    for (const Unit& unit : units)
        for (const PieceKey& key : unit.pieces) unit_of[key] = &unit;
    std::vector<Json> parts_of_one;
    for (auto& [key, json] : made) {
        std::vector<ResultTable>& tables = results.at(key.first).tables;
        const Unit& unit = *unit_of.at(key);
        if (!unit.whole) parts_of_one.push_back(std::move(json));
        if (unit.finish) {
            unit.finish(parts_of_one, tables);
            parts_of_one.clear();
        }
        for (std::size_t t = 0; t < tables.size() && unit.whole; ++t)
            for (auto& row : table_from_json(json.at(t)).rows) tables[t].add(std::move(row));
    }
    return results;
}

}  // namespace xlrm
