#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "state_parts.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

namespace {

constexpr const char* kCapture = "last";  // what the head reads

//! w · RMSNorm(h) of each row, and w · h.
struct Rewards {
    std::vector<double> normed, raw;
};

Rewards rewards_of(const std::vector<float>& states, std::int64_t features, const CellScores& head) {
    Rewards rewards;
    const auto width = static_cast<std::size_t>(features);
    for (std::size_t begin = 0; begin + width <= states.size(); begin += width) {
        double squares = 0.0, normed = 0.0, raw = 0.0;
        for (std::size_t k = 0; k < width; ++k) {
            const double h = states[begin + k], w = head.head_weight[k];
            squares += h * h;
            normed += w * static_cast<double>(head.final_norm[k]) * h;
            raw += w * h;
        }
        rewards.normed.push_back(normed / std::sqrt(squares / static_cast<double>(width) + head.norm_eps));
        rewards.raw.push_back(raw);
    }
    return rewards;
}

double quantile(const std::vector<double>& sorted, double share) {
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double share_above_zero(const std::vector<double>& margins) {
    return static_cast<double>(std::ranges::count_if(margins, [](double m) { return m > 0.0; })) /
           static_cast<double>(margins.size());
}

//! First layer, as a share of the last, whose margin has the last one's sign and at least half its size; NaN where the last
//! margin is below 1 % of the median size.
std::vector<double> depths_of(const std::vector<std::vector<double>>& margins, const std::vector<int>& layers) {
    const std::vector<double>& last = margins.back();
    std::vector<double> sizes;
    for (const double margin : last) sizes.push_back(std::abs(margin));
    std::ranges::sort(sizes);
    const double least = 0.01 * quantile(sizes, 0.5);
    std::vector<double> depths;
    for (std::size_t i = 0; i < last.size(); ++i) {
        if (std::abs(last[i]) <= least) {
            depths.push_back(std::numeric_limits<double>::quiet_NaN());
            continue;
        }
        std::size_t at = 0;
        while (margins[at][i] / last[i] < 0.5) ++at;
        depths.push_back(static_cast<double>(layers[at]) / static_cast<double>(layers.back()));
    }
    return depths;
}

void add_cell(const StateSet& set, std::size_t m, std::size_t t, const std::vector<int>& layers,
              std::vector<ResultTable>& tables) {
    const StateModel& model = set.models[m];
    const CellScores head = read_cell_scores(model.files[t], set.hashes);
    std::vector<std::vector<double>> all;
    for (const int layer : layers) {
        std::int64_t features = 0;
        const auto chosen = set.load_floats(m, t, kCapture, layer, "chosen", &features);
        const auto rejected = set.load_floats(m, t, kCapture, layer, "rejected", &features);
        if (std::ssize(head.head_weight) != features || std::ssize(head.final_norm) != features) return;
        const Rewards right = rewards_of(chosen, features, head), wrong = rewards_of(rejected, features, head);
        std::vector<double> margins, raw;
        for (std::size_t i = 0; i < right.normed.size(); ++i) {
            margins.push_back(right.normed[i] - wrong.normed[i]);
            raw.push_back(right.raw[i] - wrong.raw[i]);
        }
        std::vector<double> sorted = margins;
        std::ranges::sort(sorted);
        tables[0].add({set.base, set.benchmark, model.model, model.source, model.seed, set.targets[t],
                       static_cast<std::int64_t>(layer), std::ssize(set.items), Estimate(share_above_zero(margins)),
                       Estimate(share_above_zero(raw)), Estimate(quantile(sorted, 0.5)), Estimate(quantile(sorted, 0.25)),
                       Estimate(quantile(sorted, 0.75))});
        all.push_back(std::move(margins));
    }
    double sum = 0.0;
    std::int64_t counted = 0;
    std::map<int, std::int64_t> first;  // layer → items
    for (const double depth : depths_of(all, layers)) {
        if (std::isnan(depth)) continue;
        sum += depth;
        ++counted;
        ++first[static_cast<int>(std::lround(depth * layers.back()))];
    }
    for (const int layer : layers)
        tables[2].add({set.base, set.benchmark, model.model, model.source, model.seed, set.targets[t],
                       static_cast<std::int64_t>(layer), first[layer], counted});
    tables[1].add({set.base, set.benchmark, model.model, model.source, model.seed, set.targets[t], counted,
                   std::ssize(set.items) - counted,
                   counted > 0 ? Estimate(sum / static_cast<double>(counted)) : Estimate(Undefined::no_signal)});
}

}  // namespace

std::vector<ResultTable> lens_tables() {
    return {{"lens",
             "Reward lens: what the head would read at each layer",
             "r = w · RMSNorm(h) of the pooled token's state h before the final norm, with the model's own final norm and head "
             "w; at the last "
             "layer it is the model's reward. margin: r(chosen) − r(rejected), median and quartiles over items; accuracy: share "
             "above 0; "
             "accuracy_raw: the same of w · h without the norm. Observational: it does not say that a layer causes the reward.",
             of_model({{"target", ColumnKind::text},
                       {"layer", ColumnKind::count},
                       {"items", ColumnKind::count, true},
                       {"accuracy", ColumnKind::share},
                       {"accuracy_raw", ColumnKind::share},
                       {"margin", ColumnKind::number},
                       {"margin_25", ColumnKind::number, true},
                       {"margin_75", ColumnKind::number, true}}),
             {}},
            {"crystallisation",
             "At which depth the reward forms",
             "depth: for each item the first layer whose lens margin has the sign of the last one and at least half its size, "
             "divided by the "
             "number of layers; mean over items. excluded: items whose last margin is below 1 % of the median size.",
             of_model({{"target", ColumnKind::text},
                       {"items", ColumnKind::count},
                       {"excluded", ColumnKind::count},
                       {"depth", ColumnKind::number}}),
             {}},
            {"crystallisation_layers",
             "At which layer the reward forms, by item",
             "reached: items whose depth (table crystallisation) is this layer, of the items that are not excluded.",
             of_model({{"target", ColumnKind::text},
                       {"layer", ColumnKind::count},
                       {"reached", ColumnKind::count},
                       {"items", ColumnKind::count}}),
             {}}};
}

void add_lens(const StateInput& input, std::vector<ResultTable>& tables) {
    const std::vector<int> layers = input.set.layers_of(kCapture);
    if (layers.empty() || layers.back() == 0) return;
    for (std::size_t m = input.set.has_base ? 1 : 0; m < input.set.models.size(); ++m)
        for (std::size_t t = 0; t < input.set.targets.size(); ++t) add_cell(input.set, m, t, layers, tables);
}

}  // namespace xlrm
