#include "parts.hpp"
#include "xlrm/stats/calibration.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kBins = 15;

//! Loss of each half of the clusters at the temperature of the other half.
Estimate held_out_loss(const TargetScores& target, const ModelScores& model) {
    double sum = 0.0;
    for (const std::size_t half : {std::size_t{0}, std::size_t{1}}) {
        std::vector<double> fitted, judged;
        for (std::size_t i = 0; i < model.margin.size(); ++i)
            (target.cluster[i] % 2 == half ? judged : fitted).push_back(model.margin[i]);
        const Estimate scale = temperature(fitted);
        if (!scale.defined()) return scale;
        for (double& margin : judged) margin /= scale.value();
        sum += negative_log_likelihood(judged).value_or(0.0) * static_cast<double>(judged.size());
    }
    return sum / static_cast<double>(model.margin.size());
}

}  // namespace

std::vector<ResultTable> calibration_tables() {
    return {
        {"calibration",
         "Calibration of the reward margins",
         "sigmoid(margin) as the probability that the chosen answer is better. nll: mean −log of it (log 2 = 0.6931 knows "
         "nothing); brier: "
         "mean squared miss; ece: expected calibration error of sigmoid(|margin|), 15 bins of equal mass. temperature: the T "
         "that "
         "minimises nll(margin / T) on all items, above 1 = too confident; nll_scaled: nll at T fitted on the other half of the "
         "clusters. Temperatures that differ between targets show that rewards have other scales there.",
         {{"base", ColumnKind::text},
          {"benchmark", ColumnKind::text},
          {"source", ColumnKind::text},
          {"seed", ColumnKind::count},
          {"target", ColumnKind::text},
          {"items", ColumnKind::count},
          {"nll", ColumnKind::number},
          {"brier", ColumnKind::number},
          {"ece", ColumnKind::number},
          {"largest_error", ColumnKind::number, true},
          {"temperature", ColumnKind::number},
          {"nll_scaled", ColumnKind::number}},
         {}}};
}

void add_calibration(const PartInput& input, std::vector<ResultTable>& tables) {
    for (const std::string& source : input.set.sources) {
        for (const TargetScores& target : input.set.targets) {
            for (const ModelScores* model : target.of(source)) {
                const auto bins = equal_mass_bins(model->margin, kBins);
                tables[0].add({input.set.base, input.set.benchmark, source, model->seed, target.target, std::ssize(model->margin),
                               negative_log_likelihood(model->margin), brier_score(model->margin),
                               expected_calibration_error(bins), maximum_calibration_error(bins), temperature(model->margin),
                               held_out_loss(target, *model)});
            }
        }
    }
}

}  // namespace xlrm
