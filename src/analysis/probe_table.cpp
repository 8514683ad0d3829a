#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "probe_rows.hpp"
#include "state_parts.hpp"
#include "xlrm/stats/averages.hpp"
#include "xlrm/stats/logistic_probe.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kMostProbed = 500;  // rows over all languages
constexpr std::size_t kMostClasses = 8;    // the largest categories

//! A class of each item and language; −1: in none of the classes.
struct Task {
    std::string name;
    std::int64_t classes = 0;
    std::vector<std::vector<std::int64_t>> labels;  //!< (target, item)
};

Task language_task(const StateSet& set) {
    Task task{"language", std::ssize(set.targets), {}};
    for (std::int64_t t = 0; t < task.classes; ++t) task.labels.emplace_back(set.items.size(), t);
    return task;
}

Task category_task(const StateSet& set) {
    std::map<std::size_t, std::int64_t> sizes;
    for (const std::size_t one : set.subset) ++sizes[one];
    std::vector<std::size_t> order;
    for (const auto& [one, size] : sizes) order.push_back(one);
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t one) { return sizes.at(one); });
    order.resize(std::min(order.size(), kMostClasses));
    std::vector<std::int64_t> labels;
    for (const std::size_t one : set.subset) {
        const auto place = std::ranges::find(order, one) - order.begin();
        labels.push_back(place < std::ssize(order) ? place : -1);
    }
    return {"category", std::ssize(order), {set.targets.size(), labels}};
}

//! The same items with random labels of as many classes.
Task control_of(const StateSet& set, const Task& task) {
    Task control{"control", task.classes, task.labels};
    std::vector<std::int64_t> random = control_labels(set, task.classes);
    for (std::size_t t = 0; t < control.labels.size(); ++t) {
        for (std::size_t i = 0; i < random.size(); ++i) {
            // A language's own label would be the same for all of its items: shifted by the language instead.
            const std::int64_t own = (random[i] + (task.name == "language" ? static_cast<std::int64_t>(t) : 0)) % task.classes;
            if (control.labels[t][i] >= 0) control.labels[t][i] = own;
        }
    }
    return control;
}

//! Rows of all languages, language by language.
struct Rows {
    at::Tensor x;
    std::vector<std::int64_t> labels, items;
};

Rows rows_of(const std::vector<at::Tensor>& states, const Task& task, const std::vector<std::int64_t>& items) {
    Rows rows;
    std::vector<at::Tensor> parts;
    for (std::size_t t = 0; t < states.size(); ++t) {
        std::vector<std::int64_t> own;
        for (const std::int64_t item : items) {
            const std::int64_t label = task.labels[t][static_cast<std::size_t>(item)];
            if (label < 0) continue;
            own.push_back(item);
            rows.labels.push_back(label);
        }
        parts.push_back(rows_at(states[t], own));
        rows.items.insert(rows.items.end(), own.begin(), own.end());
    }
    rows.x = at::cat(parts);
    return rows;
}

//! One probe a class against all others.
class ClassProbes {
public:
    ClassProbes(const Rows& train, std::int64_t classes) {
        mean_ = train.x.mean(0);
        const at::Tensor centred = train.x.sub(mean_);
        scale_ = centred.mul(centred).mean(0).sqrt();
        scale_.masked_fill_(scale_.eq(0.0), 1.0);
        const at::Tensor x = centred.div(scale_), labels = integers(train.labels);
        for (std::int64_t k = 0; k < classes; ++k) {
            const at::Tensor own = labels.eq(k).to(at::kLong);
            const bool both = own.sum().item<std::int64_t>() > 0 && own.sum().item<std::int64_t>() < own.size(0);
            probes_.push_back(both ? fit_wide_probe(x, own) : LogisticProbe{at::zeros({x.size(1)}, at::kDouble), -30.0});
        }
    }

    //! Right or wrong of each row by the largest score, and the mean −log of the true class's share of all probabilities.
    std::vector<double> right(const Rows& rows, double* log_loss) const {
        std::vector<at::Tensor> scores;
        const at::Tensor x = rows.x.sub(mean_).div(scale_);
        for (const LogisticProbe& probe : probes_) scores.push_back(x.matmul(probe.weights).add(probe.intercept));
        const at::Tensor all = at::stack(scores, 1);
        const at::Tensor best = all.argmax(1).contiguous(), probabilities = all.sigmoid().clamp_min(1e-12);
        const at::Tensor shares = probabilities.div(probabilities.sum(1, true)).contiguous();
        const std::int64_t* chosen = best.const_data_ptr<std::int64_t>();
        const double* share = shares.const_data_ptr<double>();
        std::vector<double> right;
        double sum = 0.0;
        for (std::size_t i = 0; i < rows.labels.size(); ++i) {
            right.push_back(chosen[i] == rows.labels[i] ? 1.0 : 0.0);
            sum -= std::log(share[i * probes_.size() + static_cast<std::size_t>(rows.labels[i])]);
        }
        *log_loss = sum / static_cast<double>(right.size());
        return right;
    }

private:
    at::Tensor mean_, scale_;
    std::vector<LogisticProbe> probes_;
};

//! Share of the most frequent class.
double majority_of(const Rows& rows) {
    std::map<std::int64_t, std::int64_t> sizes;
    for (const std::int64_t label : rows.labels) ++sizes[label];
    std::int64_t most = 0;
    for (const auto& [label, size] : sizes) most = std::max(most, size);
    return static_cast<double>(most) / static_cast<double>(rows.labels.size());
}

void add_task(const StateInput& input, std::size_t m, const std::vector<at::Tensor>& states, const Task& task,
              ResultTable& table) {
    const StateSet& set = input.set;
    const StateModel& who = set.models[m];
    const ProbeSplit split = probe_split(set, std::max<std::int64_t>(8, kMostProbed / std::ssize(set.targets)));
    std::vector<TableValue> row = {
        set.base,  set.benchmark, who.model, who.source, who.seed, input.capture, static_cast<std::int64_t>(input.layer),
        task.name, task.classes};
    const Rows train = rows_of(states, task, split.train), test = rows_of(states, task, split.test);
    row.insert(row.end(), {std::ssize(train.labels), std::ssize(test.labels), states.front().size(1)});
    std::optional<Undefined> why;
    if (train.labels.size() < 4 || test.labels.size() < 4)
        why = Undefined::too_few_items;
    else if (task.classes < 2)
        why = task.name == "language" ? Undefined::one_language : Undefined::no_variation;
    else if (is_constant(train.x))
        why = Undefined::no_variation;
    if (why) {
        row.emplace_back(EstimateWithInterval{*why, *why, *why, *why});
        for (int i = 0; i < 5; ++i) row.emplace_back(Estimate(*why));
        table.add(std::move(row));
        return;
    }
    double loss = 0.0, ignored = 0.0;
    const std::vector<double> right = ClassProbes(train, task.classes).right(test, &loss);
    const Task random = control_of(set, task);
    const Rows control_train = rows_of(states, random, split.train), control_test = rows_of(states, random, split.test);
    const ClassProbes control(control_train, task.classes);
    const double tested = mean(control.right(control_test, &ignored)), fitted = mean(control.right(control_train, &ignored));
    row.emplace_back(clustered_share(set, test.items, right));
    for (const double value : {loss, majority_of(test), tested, fitted, mean(right) - tested}) row.emplace_back(Estimate(value));
    table.add(std::move(row));
}

}  // namespace

std::vector<ResultTable> probe_tables() {
    return {
        {"probes",
         "Whether language and category can be read from the states, by layer",
         "One logistic regression (L2, C = 1, standardised) a class against the others, on chosen answers of all languages; "
         "task: "
         "language, or category (the subset, the eight largest). train, items: rows fitted and tested, apart by source item. "
         "accuracy: interval clustered by item; log_loss: of the classes' normed probabilities, which tells probes apart where "
         "accuracies are all near 1; majority: share of the largest class. control: as many random labels, alike for a source "
         "item (Hewitt and Liang 2019), control_train: on the rows fitted on; selectivity: accuracy − control. It shows what "
         "can be read, not what a model uses.",
         of_model({{"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"task", ColumnKind::text},
                   {"classes", ColumnKind::count},
                   {"train", ColumnKind::count, true},
                   {"items", ColumnKind::count, true},
                   {"features", ColumnKind::count, true},
                   {"accuracy", ColumnKind::share, false, true},
                   {"log_loss", ColumnKind::number},
                   {"majority", ColumnKind::share},
                   {"control", ColumnKind::share},
                   {"control_train", ColumnKind::share, true},
                   {"selectivity", ColumnKind::points}}),
         {}}};
}

void add_probes(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    for (std::size_t m = 0; m < set.models.size(); ++m) {
        std::vector<at::Tensor> states;
        for (std::size_t t = 0; t < set.targets.size(); ++t)
            states.push_back(set.load(m, t, input.capture, input.layer, "chosen"));
        add_task(input, m, states, language_task(set), tables[0]);
        add_task(input, m, states, category_task(set), tables[0]);
    }
}

}  // namespace xlrm
