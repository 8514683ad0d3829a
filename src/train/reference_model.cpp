#include "reference_model.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>

#include "policy_batch.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

// A frozen model that computes when it is asked.
class LiveReference final : public ReferenceModel {
public:
    LiveReference(const ModelConfig& config, Parameters parameters, bool share_prefix)
        : config_(config), parameters_(std::move(parameters)), decoder_(config_, parameters_), share_prefix_(share_prefix) {}

    at::Tensor log_probs(const ItemSet& set, std::span<const std::int64_t> items) override {
        const auto batch = pack_policy(decoder_, set, items, share_prefix_);
        const PolicyStates states = policy_forward(decoder_, *batch, nullptr);
        return sum_by_text(batch->predicted, lm_loss(decoder_, states.rows, batch->predicted.targets, {}, {}).log_probs);
    }

private:
    const ModelConfig config_;
    const Parameters parameters_;
    const Decoder decoder_;
    const bool share_prefix_;
};

class StoredReference final : public ReferenceModel {
public:
    explicit StoredReference(at::Device device) : device_(device) {}

    // Collective.
    void compute(const Communicator& group, ReferenceModel& live, const ItemSet& set, const PlanOptions& plan) {
        std::vector<std::int64_t> items(set.items.size());
        for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::int64_t>(i);
        std::vector<double> values(set.answers.size(), 0.0);
        together(group, [&] {
            for (const auto& batch : plan_step(set, items, group.rank(), group.size(), plan)) {
                const at::Tensor found = to_host(live.log_probs(set, batch));
                const double* next = found.const_data_ptr<double>();
                for (const std::int64_t item : batch) {
                    const Item& entry = set.items[static_cast<std::size_t>(item)];
                    for (std::int32_t k = 0; k < entry.answers; ++k)
                        values[static_cast<std::size_t>(entry.first_answer + k)] = *next++;
                }
            }
        });
        group.sum(std::span<double>(values));  // each is one rank's, and zero elsewhere
        values_[&set] = std::move(values);
    }

    at::Tensor log_probs(const ItemSet& set, std::span<const std::int64_t> items) override {
        const std::vector<double>& values = values_.at(&set);
        std::vector<double> found;
        for (const std::int64_t item : items) {
            const Item& entry = set.items[static_cast<std::size_t>(item)];
            const auto first = values.begin() + entry.first_answer;
            found.insert(found.end(), first, first + entry.answers);
        }
        at::Tensor out = at::empty({std::ssize(found)}, at::TensorOptions().dtype(at::kDouble));
        std::ranges::copy(found, out.data_ptr<double>());
        send(device_, {&out});
        return out;
    }

private:
    const at::Device device_;
    std::map<const ItemSet*, std::vector<double>> values_;
};

std::unique_ptr<ReferenceModel> load_reference(const TrainOptions& options, const TrainingModel& model) {
    if (options.ref_model.empty()) {
        return std::make_unique<LiveReference>(model.config, Parameters{model.compute.layout, model.compute.flat.clone()},
                                               options.share_prefix);
    }
    LoadedModel loaded =
        load_model(options.ref_model, HeadKind::lm, model.compute.flat.scalar_type(), false, kOnlyLabel, options.device);
    return std::make_unique<LiveReference>(loaded.config, loaded.parameters, options.share_prefix);
}

}  // namespace

std::unique_ptr<ReferenceModel> make_reference(const Communicator& group, const TrainOptions& options, const TrainingInputs& in,
                                               const TrainingModel& model) {
    std::unique_ptr<ReferenceModel> live;
    together(group, [&] { live = load_reference(options, model); });
    if (!options.precompute_ref_log_probs) return live;
    auto stored = std::make_unique<StoredReference>(options.device);
    const PlanOptions plan{.token_budget = options.token_budget,
                           .share_prefix = options.share_prefix,
                           .alpha = 1.0 / (12.0 * static_cast<double>(model.config.hidden))};
    stored->compute(group, *live, in.data.train, plan);
    if (!in.data.eval.items.empty()) stored->compute(group, *live, in.data.eval, plan);
    return stored;
}

}  // namespace xlrm
