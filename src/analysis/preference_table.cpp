#include <ATen/ops/zeros.h>

#include <numeric>

#include "head_inputs.hpp"
#include "probe_rows.hpp"
#include "state_parts.hpp"
#include "xlrm/stats/logistic_probe.hpp"
#include "xlrm/stats/shift.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kMostFittedItems = 1000;  // a step of Newton's method costs the cube of it
constexpr std::int64_t kFewestFitted = 4;

//! h(chosen) − h(rejected) of each item.
at::Tensor differences_of(const StateInput& input, std::size_t model, std::size_t target) {
    return input.set.load(model, target, input.capture, input.layer, "chosen")
        .sub(input.set.load(model, target, input.capture, input.layer, "rejected"));
}

Estimate head_cosine(const std::optional<RewardHead>& head, const at::Tensor& direction) {
    if (!head) return Undefined::no_head;
    return direction_cosine(direction, head->weight.mul(head->norm));
}

void add_directions(const StateInput& input, std::size_t m, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    const StateModel& who = set.models[m];
    const auto layer = static_cast<std::int64_t>(input.layer);
    std::vector<at::Tensor> directions;
    for (std::size_t t = 0; t < set.targets.size(); ++t) {
        directions.push_back(differences_of(input, m, t).mean(0));
        const auto head = reward_head(set, m, t, directions.back().size(0));
        Estimate moved = head ? Undefined::not_comparable : Undefined::no_head;
        if (head && set.has_base && m > 0) {
            const at::Tensor shift =
                set.load(m, t, input.capture, input.layer, "chosen").sub(set.load(0, t, input.capture, input.layer, "chosen"));
            moved = head_cosine(head, shift.mean(0));
        }
        tables[0].add({set.base, set.benchmark, who.model, who.source, who.seed, set.targets[t], input.capture, layer,
                       std::ssize(set.items), head_cosine(head, directions.back()), moved});
    }
    for (std::size_t a = 0; a < directions.size(); ++a)
        for (std::size_t b = a + 1; b < directions.size(); ++b)
            tables[1].add({set.base, set.benchmark, who.model, who.source, who.seed, input.capture, layer, set.targets[a],
                           set.targets[b], std::ssize(set.items), direction_cosine(directions[a], directions[b])});
}

//! Differences at the scale of those fitted on, with a probe that gives their sign, and one that gives random signs.
class PreferenceProbe {
public:
    PreferenceProbe(const StateSet& set, const ProbeSplit& split, const at::Tensor& differences)
        : split_(split), labels_(control_labels(set, 2)) {
        const at::Tensor rows = rows_at(differences, split.train);
        scale_ = rows.mul(rows).mean(0).sqrt();
        if (scale_.eq(0.0).all().item<bool>()) return;
        scale_.masked_fill_(scale_.eq(0.0), 1.0);
        // Every other row and its label turned round: without an intercept the objective stays as it is, and has both labels.
        std::vector<std::int64_t> labels(split.train.size());
        at::Tensor turned = rows.div(scale_);
        for (std::size_t i = 0; i < labels.size(); ++i) {
            labels[i] = i % 2 == 0 ? 1 : 0;
            if (labels[i] == 0) turned[static_cast<std::int64_t>(i)].neg_();
        }
        probe_ = fit_wide_probe(turned, integers(labels), 1.0, false);
        fitted_ = true;
        fit_control(rows.div(scale_));
    }

    bool fitted() const { return fitted_; }
    const Estimate& control_train() const { return control_train_; }
    //! Of each tested item whether its difference is on the chosen side.
    std::vector<double> right(const at::Tensor& differences) const {
        const at::Tensor scores = rows_at(differences, split_.test).div(scale_).matmul(probe_.weights).contiguous();
        std::vector<double> all(scores.const_data_ptr<double>(), scores.const_data_ptr<double>() + scores.numel());
        for (double& score : all) score = score > 0.0 ? 1.0 : 0.0;
        return all;
    }
    Estimate control(const at::Tensor& differences) const {
        if (!control_train_.defined()) return control_train_;
        const at::Tensor labels = rows_at(integers(labels_), split_.test);
        return control_.accuracy(rows_at(differences, split_.test).div(scale_), labels);
    }

private:
    void fit_control(const at::Tensor& rows) {
        const at::Tensor labels = rows_at(integers(labels_), split_.train);
        if (labels.eq(labels[0]).all().item<bool>()) return;
        control_ = fit_wide_probe(rows, labels, 1.0, false);
        control_train_ = control_.accuracy(rows, labels);
    }

    const ProbeSplit& split_;
    std::vector<std::int64_t> labels_;
    at::Tensor scale_;
    LogisticProbe probe_, control_;
    Estimate control_train_ = Undefined::too_few_items;
    bool fitted_ = false;
};

void add_transfer(const StateInput& input, ResultTable& table) {
    const StateSet& set = input.set;
    const ProbeSplit split = probe_split(set, kMostFittedItems);
    const bool enough = std::ssize(split.train) >= kFewestFitted && std::ssize(split.test) >= kFewestFitted;
    std::vector<at::Tensor> differences;
    for (std::size_t t = 0; t < set.targets.size(); ++t) differences.push_back(differences_of(input, 0, t));
    for (std::size_t s = 0; s < set.targets.size(); ++s) {
        std::optional<PreferenceProbe> probe;
        if (enough) probe.emplace(set, split, differences[s]);
        for (std::size_t t = 0; t < set.targets.size(); ++t) {
            const Undefined why = enough ? Undefined::no_variation : Undefined::too_few_items;
            EstimateWithInterval accuracy{why, why, why, why};
            Estimate control = why, control_train = why, selectivity = why;
            if (probe && probe->fitted()) {
                accuracy = clustered_share(set, split.test, probe->right(differences[t]));
                control = probe->control(differences[t]);
                control_train = probe->control_train();
                selectivity = control.defined() ? Estimate(accuracy.value.value() - control.value()) : control;
            }
            table.add({set.base, set.benchmark, input.capture, static_cast<std::int64_t>(input.layer), set.targets[s],
                       set.targets[t], std::ssize(split.train), std::ssize(split.test), differences[s].size(1), accuracy, control,
                       control_train, selectivity});
        }
    }
}

}  // namespace

std::vector<ResultTable> preference_tables() {
    return {
        {"preference_directions",
         "The preference direction and the reward head, by layer and language",
         "v = mean of h(chosen) − h(rejected). head_cosine: of v with the head's weight times the final norm's; "
         "shift_head_cosine: of the mean movement from the base (chosen answers) with the same. Before the last layer the head "
         "does not read these states; the cosine observes.",
         of_model({{"target", ColumnKind::text},
                   {"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"items", ColumnKind::count, true},
                   {"head_cosine", ColumnKind::number},
                   {"shift_head_cosine", ColumnKind::number}}),
         {}},
        {"preference_pairs",
         "Whether two languages have the same preference direction, by layer",
         "Cosine of v = mean of h(chosen) − h(rejected) in two languages. Not corrected for length or other surface features "
         "that set chosen answers apart.",
         of_model({{"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"first_target", ColumnKind::text},
                   {"second_target", ColumnKind::text},
                   {"items", ColumnKind::count, true},
                   {"cosine", ColumnKind::number}}),
         {}},
        {"probe_transfer",
         "A preference probe on the base, fitted in one language and tested in another",
         "Logistic regression (L2, C = 1, no intercept) on h(chosen) − h(rejected) of the base at unit root mean square; train, "
         "items: fitted and tested, apart by source item. accuracy: share of tested pairs on the chosen side, interval clustered "
         "by item. control: the same with a random label for each item (Hewitt and Liang 2019), control_train: on the items "
         "fitted on, which says how much such a probe remembers; selectivity: accuracy − control. A probe shows what is there, "
         "not what a model uses.",
         {{"base", ColumnKind::text},
          {"benchmark", ColumnKind::text},
          {"capture", ColumnKind::text},
          {"layer", ColumnKind::count},
          {"source", ColumnKind::text},
          {"target", ColumnKind::text},
          {"train", ColumnKind::count, true},
          {"items", ColumnKind::count, true},
          {"features", ColumnKind::count, true},
          {"accuracy", ColumnKind::share, false, true},
          {"control", ColumnKind::share},
          {"control_train", ColumnKind::share, true},
          {"selectivity", ColumnKind::points}},
         {}}};
}

void add_preferences(const StateInput& input, std::vector<ResultTable>& tables) {
    for (std::size_t m = 0; m < input.set.models.size(); ++m) add_directions(input, m, tables);
    if (input.set.has_base) add_transfer(input, tables[2]);
}

}  // namespace xlrm
