#include <cmath>
#include <limits>

#include "parts.hpp"
#include "xlrm/stats/additive_fit.hpp"

namespace xlrm {

namespace {

//! The cells of all items that are there, as places among the resampled accuracies.
struct Layout {
    std::vector<MatrixCell> cells;
    std::vector<std::size_t> places;
};

Layout layout_of(const PartInput& input) {
    Layout layout;
    for (std::size_t s = 0; s < input.set.sources.size(); ++s) {
        for (std::size_t t = 0; t < input.set.targets.size(); ++t) {
            const std::string& source = input.set.sources[s];
            const std::string& target = input.set.targets[t].target;
            const std::int64_t place = input.resampled.find(source, target, "all");
            if (place < 0) continue;
            layout.cells.push_back({static_cast<std::int64_t>(s), static_cast<std::int64_t>(t), 0.0, source == target});
            layout.places.push_back(static_cast<std::size_t>(place));
        }
    }
    return layout;
}

}  // namespace

std::vector<ResultTable> additive_tables() {
    return {{"additive",
             "Source strength, target difficulty and home advantage",
             "Least-squares fit A[s,t] = mean + source + target + home·[s is t] of the accuracies on all items; effects of "
             "sources and of "
             "targets sum to zero, in points. residual: standard deviation of what the fit leaves. Percentile intervals of the "
             "cluster "
             "bootstrap. A[s,t] − A[t,s] says nothing about asymmetry before the targets' difficulty is taken away.",
             {{"base", ColumnKind::text},
              {"benchmark", ColumnKind::text},
              {"term", ColumnKind::text},
              {"language", ColumnKind::text},
              {"effect", ColumnKind::points, false, true}},
             {}}};
}

void add_additive(const PartInput& input, std::vector<ResultTable>& tables) {
    if (input.set.given()) return;
    const Layout layout = layout_of(input);
    const auto sources = std::ssize(input.set.sources), targets = std::ssize(input.set.targets);
    const auto fit = [&](std::span<const double> values) {
        std::vector<MatrixCell> cells = layout.cells;
        for (std::size_t c = 0; c < cells.size(); ++c) cells[c].value = values[layout.places[c]];
        return additive_fit(cells, sources, targets);
    };
    const auto add = [&](const std::string& term, const std::string& language, const auto& pick) {
        const auto value = input.resampled.derive(
            [&](std::span<const double> values) {
                const AdditiveOutcome outcome = fit(values);
                return outcome.defined ? pick(outcome.fit) : std::numeric_limits<double>::quiet_NaN();
            },
            IntervalKind::percentile);
        tables[0].add({input.set.base, input.set.benchmark, term, language, value});
    };
    add("mean", "", [](const AdditiveFit& f) { return f.mean; });
    for (std::size_t s = 0; s < input.set.sources.size(); ++s)
        add("source", input.set.sources[s], [s](const AdditiveFit& f) { return f.source[s]; });
    for (std::size_t t = 0; t < input.set.targets.size(); ++t)
        add("target", input.set.targets[t].target, [t](const AdditiveFit& f) { return f.target[t]; });
    add("home", "", [](const AdditiveFit& f) { return f.with_home ? f.home : std::numeric_limits<double>::quiet_NaN(); });
    add("residual", "", [](const AdditiveFit& f) { return f.residual; });
}

}  // namespace xlrm
