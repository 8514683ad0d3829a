#include "xlrm/train/objectives.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

RewardHeadOptions head_options(const TrainOptions& options) { return {parse_pooling(options.pooling), options.share_prefix}; }

std::unique_ptr<Objective> bradley_terry(const TrainOptions& options) {
    return make_bradley_terry({.head = head_options(options),
                               .margin = parse_margin_use(options.margin),
                               .label_smoothing = options.label_smoothing,
                               .center_coefficient = options.center_rewards_coefficient,
                               .lm_coefficient = options.lm_coefficient});
}

std::unique_ptr<Objective> dpo(const TrainOptions& options) {
    return make_dpo({.loss = parse_dpo_loss(options.loss_type),
                     .beta = options.beta,
                     .label_smoothing = options.label_smoothing,
                     .share_prefix = options.share_prefix});
}

std::unique_ptr<Objective> plackett_luce(const TrainOptions& options) { return make_plackett_luce(head_options(options)); }
std::unique_ptr<Objective> regression(const TrainOptions& options) { return make_regression(head_options(options)); }
std::unique_ptr<Objective> language_model(const TrainOptions&) { return make_language_model(); }
std::unique_ptr<Objective> sft(const TrainOptions&) { return make_sft(); }

}  // namespace

const std::vector<ObjectiveEntry>& objectives() {
    static const std::vector<ObjectiveEntry> table = {
        {"bt",
         RowKind::preference,
         HeadKind::reward,
         {"over-length", "pooling", "head-init", "margin", "label-smoothing", "center-rewards-coefficient", "lm-coefficient",
          "share-prefix"},
         bradley_terry},
        {"ranking", RowKind::ranking, HeadKind::reward, {"over-length", "pooling", "head-init", "share-prefix"}, plackett_luce},
        {"regression",
         RowKind::regression,
         HeadKind::reward,
         {"over-length", "pooling", "head-init", "share-prefix"},
         regression},
        {"lm", RowKind::document, HeadKind::lm, {"concatenate"}, language_model},
        {"sft", RowKind::response, HeadKind::lm, {"over-length"}, sft},
        {"dpo",
         RowKind::preference,
         HeadKind::lm,
         {"over-length", "label-smoothing", "share-prefix", "loss-type", "beta", "ref-model", "precompute-ref-log-probs"},
         dpo},
    };
    return table;
}

std::vector<std::string> objective_names() {
    std::vector<std::string> names;
    for (const ObjectiveEntry& entry : objectives()) names.emplace_back(entry.name);
    return names;
}

const ObjectiveEntry& objective_entry(const std::string& name) {
    std::string known;
    for (const ObjectiveEntry& entry : objectives()) {
        if (entry.name == name) return entry;
        known += (known.empty() ? "" : ", ") + std::string(entry.name);
    }
    fail("--objective '" + name + "' is not known (" + known + ")", ExitCode::usage);
}

}  // namespace xlrm
