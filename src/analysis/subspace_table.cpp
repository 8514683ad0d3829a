#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/stack.h>

#include <array>
#include <optional>

#include "head_inputs.hpp"
#include "settings.hpp"
#include "state_parts.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/stats/cka.hpp"
#include "xlrm/stats/language_subspace.hpp"
#include "xlrm/stats/retrieval.hpp"

namespace xlrm {

namespace {

//! Whether this is the layer whose states the head reads.
bool is_head_layer(const StateInput& input) {
    int last = -1;
    for (const auto& [capture, layer] : input.set.layers)
        if (capture == "last") last = std::max(last, layer);
    return input.capture == "last" && input.layer == last;
}

//! LSAR of all targets' means; none where languages have the same mean.
std::optional<LanguageSubspace> subspace_of(const std::vector<at::Tensor>& states, std::int64_t rank) {
    std::vector<at::Tensor> means;
    for (const at::Tensor& x : states) means.push_back(x.mean(0));
    const at::Tensor all = at::stack(means);
    if (is_constant(all) || rank >= all.size(0) || rank > all.size(1)) return {};
    return language_subspace(all, rank);
}

//! (d, rank) orthonormal, at random.
at::Tensor random_basis(std::int64_t features, std::int64_t rank) {
    Random random(kStateSeed);
    at::Tensor normal = at::empty({features, rank}, at::kDouble);
    for (std::int64_t i = 0; i < normal.numel(); ++i) normal.mutable_data_ptr<double>()[i] = random.normal();
    return std::get<0>(at::linalg_qr(normal));
}

double accuracy_of(const at::Tensor& chosen, const at::Tensor& rejected, const at::Tensor& weight) {
    const at::Tensor right = chosen.matmul(weight).sub(rejected.matmul(weight)).gt(0.0);
    return static_cast<double>(right.sum().item<std::int64_t>()) / static_cast<double>(right.size(0));
}

//! A trained model's accuracies without the languages' subspace of each rank in what its head reads.
void add_accuracies(const StateInput& input, std::size_t m, ResultTable& table) {
    const StateSet& set = input.set;
    std::vector<at::Tensor> chosen, rejected;
    at::Tensor weight;
    for (std::size_t t = 0; t < set.targets.size(); ++t) {
        const at::Tensor states = set.load(m, t, input.capture, input.layer, "chosen");
        const auto head = reward_head(set, m, t, states.size(1));
        if (!head) return;
        weight = head->weight;
        chosen.push_back(head->inputs(states));
        rejected.push_back(head->inputs(set.load(m, t, input.capture, input.layer, "rejected")));
    }
    const StateModel& who = set.models[m];
    for (std::int64_t rank = 1; rank < std::ssize(set.targets); ++rank) {
        const auto subspace = subspace_of(chosen, rank);
        const at::Tensor control = random_basis(weight.size(0), std::min(rank, weight.size(0)));
        for (std::size_t t = 0; t < set.targets.size(); ++t) {
            const auto without = [&](const at::Tensor& basis) {
                return Estimate(accuracy_of(without_subspace(chosen[t], basis), without_subspace(rejected[t], basis), weight));
            };
            table.add({set.base, set.benchmark, who.model, who.source, who.seed, set.targets[t], std::ssize(set.items), rank,
                       Estimate(accuracy_of(chosen[t], rejected[t], weight)),
                       subspace ? without(subspace->basis) : Estimate(Undefined::no_variation), without(control)});
        }
    }
}

//! Share of the squared distances of the means from their mean that lies in the subspace.
Estimate offset_share(const std::vector<at::Tensor>& states, const at::Tensor& basis) {
    std::vector<at::Tensor> means;
    for (const at::Tensor& x : states) means.push_back(x.mean(0));
    const at::Tensor all = at::stack(means), offsets = all.sub(all.mean(0, true));
    const double whole = offsets.mul(offsets).sum().item<double>();
    if (whole == 0.0) return Undefined::no_variation;
    const at::Tensor inside = offsets.matmul(basis);
    return inside.mul(inside).sum().item<double>() / whole;
}

//! States with what their comparison takes of one side alone.
struct SpaceSide {
    explicit SpaceSide(const at::Tensor& states) : units(at_unit_length(states)), cka(states) {}
    at::Tensor units;
    LinearCkaSide cka;
};

//! Retrieval, margin and CKA of two sides as they are and without the subspace.
std::vector<Estimate> compared(const std::array<SpaceSide, 2>& a, const std::array<SpaceSide, 2>& b) {
    const auto mean = [](const Retrieval& found) {
        if (!found.x_to_y.defined()) return found.x_to_y;
        return Estimate(0.5 * (found.x_to_y.value() + found.y_to_x.value()));
    };
    const Retrieval before = retrieval_of_units(a[0].units, b[0].units, 0), after = retrieval_of_units(a[1].units, b[1].units, 0);
    return {mean(before),
            mean(after),
            before.margin,
            after.margin,
            linear_cka_debiased(a[0].cka, b[0].cka),
            linear_cka_debiased(a[1].cka, b[1].cka)};
}

void add_alignments(const StateInput& input, std::size_t m, ResultTable& table) {
    const StateSet& set = input.set;
    std::vector<at::Tensor> states;
    for (std::size_t t = 0; t < set.targets.size(); ++t) states.push_back(set.load(m, t, input.capture, input.layer, "chosen"));
    const std::int64_t rank = std::ssize(set.targets) - 1;
    const auto subspace = subspace_of(states, rank);
    std::vector<std::optional<std::array<SpaceSide, 2>>> sides(states.size());  // none where nothing varies
    for (std::size_t t = 0; t < states.size() && subspace; ++t)
        if (!is_constant(states[t]))
            sides[t].emplace(std::array{SpaceSide(states[t]), SpaceSide(without_subspace(states[t], subspace->basis))});
    const Estimate share = subspace ? offset_share(states, subspace->basis) : Estimate(Undefined::no_variation);
    const StateModel& who = set.models[m];
    for (std::size_t a = 0; a < states.size(); ++a) {
        for (std::size_t b = a + 1; b < states.size(); ++b) {
            std::vector<TableValue> row = {set.base,
                                           set.benchmark,
                                           who.model,
                                           who.source,
                                           who.seed,
                                           input.capture,
                                           static_cast<std::int64_t>(input.layer),
                                           set.targets[a],
                                           set.targets[b],
                                           std::ssize(set.items),
                                           rank,
                                           share};
            const auto values =
                sides[a] && sides[b] ? compared(*sides[a], *sides[b]) : std::vector<Estimate>(6, Undefined::no_variation);
            row.insert(row.end(), values.begin(), values.end());
            table.add(std::move(row));
        }
    }
}

}  // namespace

std::vector<ResultTable> subspace_tables() {
    const std::string about =
        "LSAR (Xie et al. 2022): the directions in which the languages' means differ, without what they share; rank: how many, "
        "at "
        "most languages − 1. ";
    return {
        {"subspace",
         "Accuracy without the language subspace in what the head reads",
         about + "Of the means of the normed last states of the chosen answers, the same items. accuracy: of the head as it is; "
                 "accuracy_without: the subspace removed from chosen and rejected; accuracy_control: a random subspace of that "
                 "rank removed. It says what the head uses of these directions, not that they hold nothing but language.",
         of_model({{"target", ColumnKind::text},
                   {"items", ColumnKind::count, true},
                   {"rank", ColumnKind::count},
                   {"accuracy", ColumnKind::share},
                   {"accuracy_without", ColumnKind::share},
                   {"accuracy_control", ColumnKind::share}}),
         {}},
        {"subspace_alignment",
         "How alike two languages' states are without the language subspace, by layer",
         about + "offset_share: share of the squared distances of the means that lies in it. p_at_1, margin: as in the table "
                 "alignment, cka: cka.linear.debiased; each as it is, and with the subspace removed. Chosen answers.",
         of_model({{"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"first_target", ColumnKind::text},
                   {"second_target", ColumnKind::text},
                   {"items", ColumnKind::count, true},
                   {"rank", ColumnKind::count, true},
                   {"offset_share", ColumnKind::number, true},
                   {"p_at_1", ColumnKind::share},
                   {"p_at_1_without", ColumnKind::share},
                   {"margin", ColumnKind::number},
                   {"margin_without", ColumnKind::number},
                   {"cka", ColumnKind::number},
                   {"cka_without", ColumnKind::number}}),
         {}}};
}

void add_subspaces(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    if (set.targets.size() < 2) return;
    for (std::size_t m = 0; m < set.models.size(); ++m) {
        if (is_head_layer(input)) add_accuracies(input, m, tables[0]);
        add_alignments(input, m, tables[1]);
    }
}

}  // namespace xlrm
