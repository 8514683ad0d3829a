#include "xlrm/train/trainer.hpp"

#include <ATen/ops/zeros_like.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>

#include "optimizer.hpp"
#include "result_folder.hpp"
#include "training_inputs.hpp"
#include "training_model.hpp"
#include "xlrm/comm/gradient_reducer.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/train/checkpoint.hpp"
#include "xlrm/train/metrics.hpp"

namespace xlrm {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string describe_step(const Json& record) {
    std::string text = "loss ";
    const auto put = [&](const char* label, const char* key, const char* format) {
        if (!record.contains(key)) return;
        char number[32];
        std::snprintf(number, sizeof number, format, record[key].get<double>());
        text += std::string(label) + number;
    };
    put("", "loss", "%.4f");
    put(", accuracy ", "accuracy", "%.3f");
    put(", margin ", "margin", "%.3f");
    put(", lm loss ", "lm_loss", "%.3f");
    put(", grad norm ", "grad_norm", "%.3g");
    put(", lr ", "learning_rate", "%.3g");
    put(", pairs/s ", "pairs_per_s", "%.3g");
    put(", rows/s ", "rows_per_s", "%.3g");
    put(", tokens/s ", "tokens_per_s", "%.0f");
    return text;
}

class Trainer {
public:
    Trainer(const Communicator& group, const TrainOptions& options, const StopCheck& stop, bool quiet)
        : group_(group), options_(options), stop_(stop), quiet_(quiet), result_(options.output) {}

    TrainOutcome run() {
        in_ = read_training_inputs(group_, options_);
        together(group_, [&] {
            model_ = make_training_model(options_, *in_.tokenizer);
            require_known_tokens(in_.data.train, model_->config.vocab_size);
            require_known_tokens(in_.data.eval, model_->config.vocab_size);
        });
        identity_ = {{"option", content_of(options_)},
                     {"data_sha256", items_sha256(in_.data.train)},
                     {"eval_sha256", items_sha256(in_.data.eval)},
                     {"model_sha256", model_->sha256}};
        if (const auto done = finished_before()) return *done;
        build();
        resume();
        if (!train_steps()) return {.stopped = true, .steps = position_.step, .final_loss = final_loss_};
        return finish();
    }

private:
    // A folder that an earlier call finished is not trained again.
    std::optional<TrainOutcome> finished_before() {
        std::string found;
        together(group_, [&] {
            if (!group_.root()) return;
            if (options_.resume == "auto") found = result_.finished(identity_);
            result_.require_replaceable();
        });
        found = group_.broadcast(found);
        if (found.empty()) return {};
        if (!quiet_) log_root(LogLevel::info, options_.output + ": the model is already trained");
        const Json summary = parse_json(found, "summary of the training");
        return TrainOutcome{false, summary.at("steps"), summary.at("final_loss"), summary.at("eval_accuracy")};
    }

    void build() {
        decoder_.emplace(model_->config, model_->compute);
        optimizer_.emplace(model_->compute.layout, options_);
        gradient_ = at::zeros_like(model_->weights);
        reducer_.emplace(group_);
        plan_ = {.token_budget = options_.token_budget, .share_prefix = options_.share_prefix,
                 .alpha = 1.0 / (12.0 * static_cast<double>(model_->config.hidden))};
    }

    RunBuffers buffers() { return {floats(model_->weights), floats(optimizer_->first), floats(optimizer_->second)}; }

    void resume() {
        std::string found;
        together(group_, [&] {
            if (!group_.root()) return;
            if (options_.resume == "never") result_.checkpoint().remove();
            const auto position = result_.checkpoint().load(identity_, buffers());
            if (position) found = Json{position->step, position->num_tokens, position->metrics_bytes, position->ranks}.dump();
            result_.prepare(position.has_value(), 4 * model_->weights.numel());
            metrics_.emplace(result_.checkpoint().metrics_path(), position ? position->metrics_bytes : 0);
        });
        found = group_.broadcast(found);
        saved_at_ = Clock::now();
        if (found.empty()) return;
        const Json fields = parse_json(found, "position of the checkpoint");
        position_ = {fields[0], fields[1], fields[2], fields[3]};
        for (const std::span<float> part : {buffers().weights, buffers().first, buffers().second}) {
            group_.broadcast_bytes(std::as_writable_bytes(part));
        }
        if (model_->compute.flat.scalar_type() != at::kFloat) model_->compute.flat.copy_(model_->weights);
        saved_step_ = position_.step;
        if (!quiet_) log_root(LogLevel::info, "going on from step " + std::to_string(position_.step) + " of " + std::to_string(in_.steps));
        if (position_.ranks != group_.size()) {
            log_root(LogLevel::warning, "the checkpoint was written by " + std::to_string(position_.ranks) + " ranks, not " +
                                            std::to_string(group_.size()) + ": the same order of examples, other last bits");
        }
    }

    // False when it was asked to stop.
    bool train_steps() {
        std::optional<Progress> progress;
        if (!quiet_) progress.emplace("train", in_.steps, "steps");
        if (progress) progress->update(position_.step);
        std::string last;
        while (position_.step < in_.steps) {
            const std::int64_t wish = group_.max(std::int64_t{stop_ && stop_() ? 2 : group_.root() && checkpoint_is_due() ? 1 : 0});
            if (wish > 0) save_checkpoint();
            if (wish > 1) return false;
            const Json record = take_step();
            if (metrics_) metrics_->append(record);
            last = describe_step(record);
            if (progress) progress->update(position_.step, last);
                if (options_.eval_every > 0 && position_.step % options_.eval_every == 0 && position_.step < in_.steps) evaluate();
        }
        if (progress) progress->finish(last);
        return true;
    }

    Json take_step() {
        const Clock::time_point start = Clock::now();
        const std::int64_t step = position_.step;
        const double lr = options_.lr * schedule_factor(in_.schedule, step, in_.steps, in_.warmup);
        const StepSums sums = compute_gradient(in_.order->step_items(step));
        const double norm = Optimizer::norm(gradient_);
        if (!std::isfinite(sums.loss) || !std::isfinite(norm)) {
            fail("step " + std::to_string(step + 1) + ": loss or gradient is not finite (training diverged); lower --lr, or look at the last " +
                 "lines of " + result_.checkpoint().metrics_path().string());
        }
        optimizer_->step(step + 1, lr, norm, gradient_, model_->weights, model_->compute.flat);
        ++position_.step;
        position_.num_tokens += static_cast<std::int64_t>(sums.tokens);
        final_loss_ = sums.loss / sums.weight;
        return step_record({.step = position_.step,
                            .epoch = epoch(),
                            .grad_norm = norm,
                            .learning_rate = lr,
                            .num_tokens = position_.num_tokens,
                            .seconds = seconds_since(start),
                            .exposed_seconds = reducer_->exposed_seconds()},
                           sums, in_.objective->pairs());
    }

    // The mean loss over `items` and, in gradient_, its gradient, the same on every rank.
    StepSums compute_gradient(const std::vector<std::int64_t>& items) {
        double weight = 0.0;
        for (const std::int64_t item : items) weight += in_.objective->item_weight(in_.data.train, item);
        gradient_.zero_();
        reducer_->begin(floats(gradient_));
        const Decoder::GradientReady ready = [&](std::int64_t offset, std::int64_t count) { reducer_->ready(offset, count); };
        const auto batches = plan_step(in_.data.train, items, group_.rank(), group_.size(), plan_);
        StepSums sums;
        for (std::size_t i = 0; i < batches.size(); ++i) {
            const bool last = i + 1 == batches.size();
            add(sums, in_.objective->accumulate(*decoder_, in_.data.train, batches[i], 1.0 / weight, gradient_, last ? ready : nullptr));
        }
        if (batches.empty()) announce_nothing(ready);
        reducer_->finish();
        return sum_over_ranks(group_, sums);
    }

    // A rank without items announces its zeros in the pieces of Decoder::backward, since all ranks must announce alike.
    void announce_nothing(const Decoder::GradientReady& ready) const {
        const ParameterLayout& layout = model_->compute.layout;
        const std::int64_t norm = layout.find("model.norm.weight").offset;
        ready(norm, layout.total - norm);
        for (std::int64_t l = model_->config.layers - 1; l >= 0; --l) ready(layout.layer_range(l).begin, layout.layer_range(l).size());
        const ParameterInfo& embedding = layout.find("model.embed_tokens.weight");
        ready(embedding.offset, embedding.elements);
    }

    double epoch() const { return static_cast<double>(position_.step) / static_cast<double>(in_.order->steps_per_epoch()); }

    std::string step_line(const Json& record) const {
        return "step " + std::to_string(position_.step) + "/" + std::to_string(in_.steps) + ": " + describe_step(record);
    }

    // Loss and accuracy on eval_data, each item once, on one rank.
    StepSums evaluate() {
        const Clock::time_point start = Clock::now();
        std::vector<std::int64_t> items(in_.data.eval.items.size());
        for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::int64_t>(i);
        StepSums sums;
        for (const auto& batch : plan_step(in_.data.eval, items, group_.rank(), group_.size(), plan_)) {
            add(sums, in_.objective->evaluate(*decoder_, in_.data.eval, batch));
        }
        sums = sum_over_ranks(group_, sums);
        const Json record = evaluation_record(position_.step, epoch(), sums, in_.objective->pairs(), seconds_since(start));
        if (metrics_) metrics_->append(record);
        if (!quiet_) log_root(LogLevel::info, "evaluation: " + record.dump());
        return sums;
    }

    bool checkpoint_is_due() const { return options_.checkpoint_every > 0.0 && seconds_since(saved_at_) > 60.0 * options_.checkpoint_every; }

    void save_checkpoint() {
        require_equal_weights();
        saved_at_ = Clock::now();
        if (saved_step_ == position_.step) return;
        together(group_, [&] {
            if (!group_.root()) return;
            position_.metrics_bytes = metrics_->sync();
            position_.ranks = group_.size();
            result_.checkpoint().save(identity_, position_, buffers());
        });
        saved_step_ = position_.step;
    }

    // Every rank takes the same step with the same gradient; a machine that adds otherwise is found here.
    void require_equal_weights() {
        const double squares = Optimizer::norm(model_->weights);
        require(group_.max(squares) == group_.min(squares),
                "the ranks' weights differ at step " + std::to_string(position_.step) + " (their reductions gave other bits); run on equal machines");
    }

    TrainOutcome finish() {
        TrainOutcome outcome{.stopped = false, .steps = position_.step, .final_loss = final_loss_, .eval_accuracy = -1.0};
        if (!in_.data.eval.items.empty()) {
            const StepSums sums = evaluate();
            if (in_.objective->pairs()) outcome.eval_accuracy = sums.correct / sums.items;
        }
        require_equal_weights();
        together(group_, [&] {
            if (!group_.root()) return;
            metrics_->sync();
            const Json summary = {{"steps", outcome.steps}, {"final_loss", outcome.final_loss}, {"eval_accuracy", outcome.eval_accuracy}};
            result_.publish(*model_, tokenizer_folder(options_), provenance(), identity_, summary);
        });
        return outcome;
    }

    // xlrm.json of the model.
    Json provenance() const {
        const Json& about = in_.data.train.attributes;
        Json out = {{"objective", options_.objective}, {"source", options_.source}, {"seed", options_.seed}, {"steps", in_.steps}};
        if (options_.source.empty()) out["source"] = languages_of(in_.data.train);
        if (in_.objective->pairs()) out["pooling"] = options_.pooling;
        out["template"] = in_.chat_template->name;
        out["template_sha256"] = in_.chat_template->sha256;
        out["tokenizer_sha256"] = in_.tokenizer->sha256;
        out["started_from"] = model_->started_from;
        out["data"] = {{"input_sha256", about.value("input_sha256", Json::object())},
                       {"items", in_.data.train.items.size()},
                       {"items_sha256", identity_.at("data_sha256")}};
        out["options"] = content_of(options_);
        return out;
    }

    const Communicator& group_;
    const TrainOptions& options_;
    const StopCheck& stop_;
    const bool quiet_;
    ResultFolder result_;

    TrainingInputs in_;
    std::unique_ptr<TrainingModel> model_;
    RunIdentity identity_;

    std::optional<Decoder> decoder_;
    std::optional<Optimizer> optimizer_;
    std::optional<GradientReducer> reducer_;
    at::Tensor gradient_;  // fp32 [total]
    PlanOptions plan_;

    std::optional<MetricsFile> metrics_;  // on the root alone
    RunPosition position_;
    double final_loss_ = 0.0;
    Clock::time_point saved_at_;
    std::int64_t saved_step_ = -1;
};

}  // namespace

TrainOutcome train(const Communicator& group, const TrainOptions& options, const StopCheck& stop, bool quiet) {
    return Trainer(group, options, stop, quiet).run();
}

}  // namespace xlrm
