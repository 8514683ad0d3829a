#include <algorithm>
#include <cmath>

#include "parts.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

std::vector<ResultTable> seed_tables() {
    return {{"seeds",
             "How accuracies vary over seeds, apart from items",
             "Strict accuracy on all items. seed_sd: standard deviation over the seeds of a source, which includes the noise of "
             "the items "
             "only as far as seeds differ on them; item_se: clustered standard error over items of the mean over seeds. An "
             "interval over "
             "items does not contain the first.",
             {{"base", ColumnKind::text},
              {"benchmark", ColumnKind::text},
              {"source", ColumnKind::text},
              {"target", ColumnKind::text},
              {"seeds", ColumnKind::count},
              {"accuracy", ColumnKind::share},
              {"lowest", ColumnKind::share},
              {"highest", ColumnKind::share},
              {"seed_sd", ColumnKind::share},
              {"item_se", ColumnKind::share}},
             {}}};
}

void add_seeds(const PartInput& input, std::vector<ResultTable>& tables) {
    if (input.set.given()) return;
    for (const std::string& source : input.set.sources) {
        for (const TargetScores& target : input.set.targets) {
            const auto models = target.of(source);
            if (models.empty()) continue;
            const auto count = static_cast<double>(models.size());
            std::vector<double> accuracies, items(target.items.size(), 0.0);
            std::vector<std::string> clusters;
            for (const ModelScores* model : models) {
                double sum = 0.0;
                for (std::size_t i = 0; i < items.size(); ++i) {
                    sum += model->right[i];
                    items[i] += model->right[i] / count;
                }
                accuracies.push_back(sum / static_cast<double>(items.size()));
            }
            for (const std::size_t cluster : target.cluster) clusters.push_back(std::to_string(cluster));
            const ClusteredMean mean = clustered_mean(items, clusters);
            double squares = 0.0;
            for (const double accuracy : accuracies) squares += (accuracy - mean.mean) * (accuracy - mean.mean);
            const Estimate deviation =
                models.size() < 2 ? Estimate(Undefined::one_seed) : Estimate(std::sqrt(squares / (count - 1.0)));
            const Estimate error = mean.clusters < 2 ? Estimate(Undefined::one_cluster) : Estimate(mean.standard_error);
            tables[0].add({input.set.base, input.set.benchmark, source, target.target, std::ssize(models), Estimate(mean.mean),
                           Estimate(*std::ranges::min_element(accuracies)), Estimate(*std::ranges::max_element(accuracies)),
                           deviation, error});
        }
    }
}

}  // namespace xlrm
