#include "state_set.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kMostKept = 256 << 20;  // bytes

class StateReader {
public:
    StateReader(const Grid& grid, const std::string& base, const std::string& benchmark, Statements* statements)
        : grid_(grid), statements_(statements) {
        set_.base = base;
        set_.benchmark = benchmark;
        set_.hashes = grid.hashes;
    }

    StateSet read() {
        collect_models();
        if (set_.models.empty()) return std::move(set_);
        collect_items();
        collect_floor();
        collect_layers();
        if (set_.layers.empty()) state("no_activations", "no layer is in every cell, so representations are not compared");
        if (set_.items.size() < 4)
            state("no_parallel_items",
                  std::to_string(set_.items.size()) +
                      " items are in every target of every model, so representations are not compared (fewer than "
                      "four); parallel items have the same id in each language");
        return std::move(set_);
    }

private:
    void state(const std::string& code, const std::string& text) {
        statements_->push_back({code, set_.base + " " + set_.benchmark, text});
    }

    //! The base, then the trained models in the order of the grid, those with a cell in every target that any model has.
    void collect_models() {
        std::map<std::string, std::map<std::string, const GridCell*>> cells;  // model → target
        std::vector<std::string> order;
        std::set<std::string> targets;
        for (const GridCell& cell : grid_.cells) {
            if (cell.base != set_.base || cell.benchmark != set_.benchmark) continue;
            if (!cells.contains(cell.model)) order.push_back(cell.model);
            cells[cell.model][cell.target] = &cell;
            targets.insert(cell.target);
        }
        for (const std::string& target : grid_.targets)
            if (targets.contains(target)) set_.targets.push_back(target);
        std::stable_partition(order.begin(), order.end(),
                              [&](const std::string& model) { return cells.at(model).begin()->second->source.empty(); });
        for (const std::string& name : order) {
            const auto& own = cells.at(name);
            const GridCell& first = *own.begin()->second;
            if (own.size() != targets.size()) {
                statements_->push_back({"incomplete_model", name + " " + set_.benchmark,
                                        "the model lacks a cell of some target, so its representations are not compared"});
                continue;
            }
            StateModel model{name, first.source, first.seed, {}};
            for (const std::string& target : set_.targets) model.files.push_back(own.at(target)->file);
            set_.has_base = set_.has_base || first.source.empty();
            set_.models.push_back(std::move(model));
        }
        const auto given = [](const StateModel& model) { return model.source == kGivenModel; };
        if (!set_.has_base && !std::ranges::all_of(set_.models, given))
            state("no_base", "the base model has no complete row of cells, so shifts from it are not told");
    }

    void collect_items() {
        std::map<ItemKey, std::vector<std::vector<std::size_t>>> rows;  // (model, target)
        std::map<ItemKey, std::string> subsets;
        const std::size_t cells = set_.models.size() * set_.targets.size();
        std::map<ItemKey, std::vector<std::size_t>> places;
        std::size_t seen = 0;
        for (const StateModel& model : set_.models) {
            for (const auto& file : model.files) {
                const CellScores cell = read_cell_scores(file, grid_.hashes);
                for (std::size_t i = 0; i < cell.id.size(); ++i) {
                    const ItemKey key{cell.id[i], cell.occurrence[i]};
                    std::vector<std::size_t>& place = places[key];
                    if (place.size() == seen) place.push_back(i);
                    if (seen == 0) subsets[key] = cell.subset[i];
                }
                ++seen;
            }
        }
        std::map<std::string, std::size_t> numbers;
        set_.rows.assign(set_.models.size(), std::vector<std::vector<std::size_t>>(set_.targets.size()));
        for (const auto& [key, place] : places) {
            if (place.size() != cells) continue;
            set_.items.push_back(key);
            set_.clusters.push_back(item_stem(key.first));
            set_.subset.push_back(numbers.try_emplace(subsets.at(key), numbers.size()).first->second);
            for (std::size_t m = 0; m < set_.models.size(); ++m)
                for (std::size_t t = 0; t < set_.targets.size(); ++t)
                    set_.rows[m][t].push_back(place[m * set_.targets.size() + t]);
        }
    }

    //! The base's noise floor, where it has every target and item.
    void collect_floor() {
        StateModel floor{set_.base + kNoiseFloor, "", 0, {}};
        std::vector<std::vector<std::size_t>> rows;
        for (const std::string& target : set_.targets) {
            for (const GridCell& cell : grid_.noise_floor) {
                if (cell.base != set_.base || cell.benchmark != set_.benchmark || cell.target != target) continue;
                floor.files.push_back(cell.file);
                rows.push_back(rows_of(read_cell_scores(cell.file, grid_.hashes)));
            }
        }
        if (floor.files.empty()) return;
        if (!set_.has_base || floor.files.size() != set_.targets.size() ||
            std::ranges::any_of(rows, [&](const auto& own) { return own.size() != set_.items.size(); })) {
            state("incomplete_noise_floor",
                  "the base in bf16 lacks a target or items that the other models have, so no noise floor is shown");
            return;
        }
        set_.floor.push_back(std::move(floor));
        set_.rows.push_back(std::move(rows));
    }

    //! Where the items lie in a cell; fewer than items where one is missing.
    std::vector<std::size_t> rows_of(const CellScores& cell) const {
        std::map<ItemKey, std::size_t> places;
        for (std::size_t i = 0; i < cell.id.size(); ++i) places.try_emplace({cell.id[i], cell.occurrence[i]}, i);
        std::vector<std::size_t> rows;
        for (const ItemKey& item : set_.items)
            if (const auto found = places.find(item); found != places.end()) rows.push_back(found->second);
        return rows;
    }

    void collect_layers() {
        std::map<std::pair<std::string, int>, std::size_t> counts;
        std::size_t cells = 0;
        std::vector<StateModel> models = set_.models;
        models.insert(models.end(), set_.floor.begin(), set_.floor.end());
        for (const StateModel& model : models) {
            for (const auto& file : model.files) {
                ++cells;
                for (const auto& [capture, layers] : cell_layers(file))
                    for (const int layer : layers) ++counts[{capture, layer}];
            }
        }
        for (const auto& [layer, count] : counts)
            if (count == cells) set_.layers.push_back(layer);
    }

    const Grid& grid_;
    Statements* statements_;
    StateSet set_;
};

}  // namespace

std::span<const float> StateSet::load_floats(std::size_t model, std::size_t target, const std::string& capture, int layer,
                                             const std::string& side, StateBuffer& buffer, std::int64_t count) const {
    std::vector<std::size_t> places = rows[model][target];
    if (count >= 0) places.resize(std::min(places.size(), static_cast<std::size_t>(count)));
    bool as_they_are = true;
    for (std::size_t i = 0; i < places.size() && as_they_are; ++i) as_they_are = places[i] == i;
    read_cell_activations(this->model(model).files[target], capture, layer, side, buffer.read,
                          as_they_are ? std::ssize(places) : -1);
    const std::vector<float>& all = buffer.read.values;
    if (as_they_are) return all;
    const auto width = static_cast<std::size_t>(buffer.read.features);
    buffer.kept.resize(places.size() * width);
    for (std::size_t i = 0; i < places.size(); ++i)
        std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(places[i] * width), width,
                    buffer.kept.begin() + static_cast<std::ptrdiff_t>(i * width));
    return buffer.kept;
}

std::vector<float> StateSet::load_floats(std::size_t model, std::size_t target, const std::string& capture, int layer,
                                         const std::string& side, std::int64_t* features) const {
    StateBuffer buffer;
    const std::span<const float> values = load_floats(model, target, capture, layer, side, buffer);
    *features = buffer.read.features;
    return {values.begin(), values.end()};
}

at::Tensor StateSet::load(std::size_t model, std::size_t target, const std::string& capture, int layer,
                          const std::string& side) const {
    const std::tuple place(base, benchmark, capture, layer);
    if (kept->layer != place) {
        kept->states.clear();
        kept->bytes = 0;
        kept->layer = place;
    }
    const std::tuple key(model, target, side);
    if (const auto found = kept->states.find(key); found != kept->states.end()) return found->second;
    StateBuffer buffer;
    const std::span<const float> values = load_floats(model, target, capture, layer, side, buffer);
    at::Tensor out = at::empty({static_cast<std::int64_t>(items.size()), buffer.read.features}, at::kDouble);
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<double>());
    const auto bytes = static_cast<std::int64_t>(sizeof(double)) * out.numel();
    if (kept->bytes + bytes <= kMostKept) {
        kept->states.emplace(key, out);
        kept->bytes += bytes;
    }
    return out;
}

std::vector<int> StateSet::layers_of(const std::string& capture) const {
    std::vector<int> of_capture;
    for (const auto& [name, layer] : layers)
        if (name == capture) of_capture.push_back(layer);
    return of_capture;
}

bool StateSet::several_subsets() const {
    return std::ranges::any_of(subset, [&](std::size_t one) { return one != subset.front(); });
}

StateSet read_states(const Grid& grid, const std::string& base, const std::string& benchmark, Statements* statements) {
    return StateReader(grid, base, benchmark, statements).read();
}

}  // namespace xlrm
