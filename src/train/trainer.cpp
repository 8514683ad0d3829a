#include "xlrm/train/trainer.hpp"

#include <chrono>
#include <cmath>
#include <optional>
#include <sstream>

#include "lora.hpp"
#include "optimizer.hpp"
#include "reference_model.hpp"
#include "result_folder.hpp"
#include "run_checkpoints.hpp"
#include "start_clock.hpp"
#include "step_engine.hpp"
#include "step_line.hpp"
#include "training_inputs.hpp"
#include "training_model.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/train/metrics.hpp"
#include "xlrm/train/objectives.hpp"

namespace xlrm {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class Trainer {
public:
    Trainer(const Communicator& group, const TrainOptions& options, const StopCheck& stop, bool quiet, const OutputLock* lock)
        : group_(group), options_(options), stop_(stop), quiet_(quiet), result_(options.output, lock) {}

    TrainOutcome run() {
        clock_.lap("libraries and options");
        {
            const StageScope scope("prepare");
            start();
        }
        if (const auto done = finished_before()) return *done;
        {
            const StageScope scope("build");
            build();
            resume();
        }
        clock_.lap("buffers");
        if (!quiet_) log_root(LogLevel::info, clock_.line());
        if (!train_steps())
            return {.stopped = true, .steps = position_.step, .planned_steps = in_.steps, .final_loss = final_loss_};
        return finish();
    }

private:
    // Reads the data, then the model: what is wrong with the first is said before the second takes its time.
    void start() {
        on_root(group_, [&] { result_.require_replaceable(); });
        in_ = read_training_inputs(group_, options_);
        if (!quiet_) tell_inputs();
        clock_.lap("tokenizer and data");
        together(group_, [&] {
            const Activity activity("building the model");
            model_ = make_training_model(options_, *in_.tokenizer, objective_entry(options_.objective).head,
                                         in_.objective->outputs(in_.data.train));
            identity_ = {{"option", content_of(options_)},
                         {"data_sha256", items_sha256(in_.data.train)},
                         {"eval_sha256", items_sha256(in_.data.eval)},
                         {"model_sha256", model_->sha256}};
            if (!options_.ref_model.empty()) identity_["reference_sha256"] = model_sha256(options_.ref_model);
        });
        clock_.lap("model");
    }

    void tell_inputs() const {
        std::istringstream lines(in_.chat_template->describe() + format_notes(in_.data.report) +
                                 format_notes(in_.data.eval_report));
        for (std::string line; std::getline(lines, line);) log_root(LogLevel::info, line);
    }

    // A folder that an earlier call finished is not trained again.
    std::optional<TrainOutcome> finished_before() {
        std::string found;
        together(group_, [&] {
            if (!group_.root()) return;
            if (options_.resume == "auto") found = result_.finished(identity_);
        });
        found = group_.broadcast(found);
        if (found.empty()) return {};
        if (!quiet_) log_root(LogLevel::info, options_.output + ": the model is already trained");
        const Json summary = parse_json(found, "summary of the training");
        return TrainOutcome{.steps = summary.at("steps"),
                            .planned_steps = summary.at("steps"),
                            .final_loss = summary.at("final_loss"),
                            .eval_accuracy = summary.at("eval_accuracy")};
    }

    void build() {
        if (in_.objective->needs_reference()) in_.objective->set_reference(make_reference(group_, options_, in_, *model_));
        if (options_.lora_rank > 0) together(group_, [&] { lora_.emplace(*model_, options_); });
        together(group_, [&] {
            const Activity activity("allocating the optimiser's state");
            optimizer_.emplace(group_, lora_ ? lora_->trained() : *model_, options_);
        });
        engine_.emplace(group_, options_, in_, *model_, lora_ ? &*lora_ : nullptr);
    }

    void resume() {
        checkpoints_.emplace(group_, result_, identity_, options_.recipe, *optimizer_);
        position_ = checkpoints_->resume(options_.resume == "auto", metrics_);
        if (position_.step == 0) return;
        if (lora_) lora_->merge();
        if (!quiet_)
            log_root(LogLevel::info, "going on from step " + std::to_string(position_.step) + " of " + std::to_string(in_.steps));
    }

    // False when it was asked to stop.
    bool train_steps() {
        std::optional<Progress> progress;
        if (!quiet_) progress.emplace("train", in_.steps, "steps");
        if (progress) progress->update(position_.step);
        std::string last;
        while (position_.step < in_.steps) {
            const std::int64_t wish = group_.max(my_wish());
            if (wish == kFail) agree_or_throw(group_, unwritten_, Wait::sleeping);
            if (wish != kGoOn) {
                require_equal_weights();
                checkpoints_->save(position_, metrics_);
            }
            if (wish == kStop) return false;
            const Json record = take_step();
            append(record);
            last = step_line(record);
            if (progress) progress->update(position_.step, last);
            if (options_.eval_every > 0 && position_.step % options_.eval_every == 0 && position_.step < in_.steps) evaluate();
        }
        if (progress) progress->finish(last);
        return true;
    }

    // What a rank wants before a step; the highest of all ranks' wishes is done.
    enum Wish : std::int64_t { kGoOn, kCheckpoint, kStop, kFail };
    std::int64_t my_wish() const {
        if (unwritten_) return kFail;
        if (stop_ && stop_()) return kStop;
        return group_.root() && checkpoints_->due(options_.checkpoint_every) ? kCheckpoint : kGoOn;
    }

    // A line that the root cannot write ends the run before the next step, when the others know.
    void append(const Json& record) {
        if (metrics_ && !unwritten_) unwritten_ = attempt([&] { metrics_->append(record); });
    }

    Json take_step() {
        const StageScope scope("step");
        const Clock::time_point start = Clock::now();
        const std::int64_t step = position_.step;
        const double lr = options_.lr * schedule_factor(in_.schedule, step, in_.steps, in_.warmup);
        const StepSums sums = engine_->accumulate(in_.order->step_items(step));
        const double norm = Optimizer::norm(engine_->gradient);
        if (!std::isfinite(sums.loss) || !std::isfinite(norm)) {  // the same on every rank
            throw Error("step " + std::to_string(step + 1) +
                        ": loss or gradient is not finite (training diverged); lower --lr, or look at the " + "last lines of " +
                        result_.checkpoint().metrics_path().string())
                .mark_agreed();
        }
        optimizer_->step(step + 1, lr, norm, engine_->gradient);
        if (lora_) lora_->merge();
        ++position_.step;
        position_.num_tokens += static_cast<std::int64_t>(sums.tokens);
        final_loss_ = sums.loss / sums.weight;
        return step_record({.step = position_.step,
                            .epoch = epoch(),
                            .grad_norm = norm,
                            .learning_rate = lr,
                            .num_tokens = position_.num_tokens,
                            .seconds = seconds_since(start),
                            .exposed_seconds = engine_->exposed_seconds()},
                           sums, *in_.objective);
    }

    double epoch() const { return static_cast<double>(position_.step) / static_cast<double>(in_.order->steps_per_epoch()); }

    StepSums evaluate() {
        const StageScope scope("evaluate");
        const Clock::time_point start = Clock::now();
        const StepSums sums = engine_->evaluate();
        const Json record = evaluation_record(position_.step, epoch(), sums, *in_.objective, seconds_since(start));
        append(record);
        if (!quiet_) log_root(LogLevel::info, "evaluation: " + record.dump());
        return sums;
    }

    // Every rank takes the same step with the same gradient; a machine that adds otherwise is found here.
    void require_equal_weights() {
        double squares = 0.0;
        together(group_, [&] { squares = Optimizer::norm(model_->compute.flat.to(at::kFloat)); });
        if (group_.max(squares) == group_.min(squares)) return;
        throw Error("the ranks' weights differ at step " + std::to_string(position_.step) +
                    " (their reductions gave other bits); run on equal machines")
            .mark_agreed();
    }

    TrainOutcome finish() {
        const StageScope scope("write");
        TrainOutcome outcome{.steps = position_.step, .planned_steps = in_.steps, .final_loss = final_loss_};
        if (!in_.data.eval.items.empty()) {
            const StepSums sums = evaluate();
            if (in_.objective->pairs()) outcome.eval_accuracy = sums.correct / sums.items;
        }
        require_equal_weights();
        const at::Tensor weights = optimizer_->gathered_weights();
        on_root(group_, [&] {
            const Activity activity("writing the model");
            if (unwritten_) fail(unwritten_.message, unwritten_.code);
            model_->weights = lora_ ? lora_->merged(weights) : weights;
            metrics_->sync();
            const Json summary = {
                {"steps", outcome.steps}, {"final_loss", outcome.final_loss}, {"eval_accuracy", outcome.eval_accuracy}};
            result_.publish(*model_, tokenizer_folder(options_), provenance(), identity_, options_.recipe, summary,
                            [&](const std::filesystem::path& folder) {
                                if (lora_) lora_->save(folder / "adapter", weights);
                            });
        });
        return outcome;
    }

    // xlrm.json of the model.
    Json provenance() const {
        const Json& about = in_.data.train.attributes;
        Json out = {
            {"objective", options_.objective}, {"source", options_.source}, {"seed", options_.seed}, {"steps", in_.steps}};
        if (options_.source.empty()) out["source"] = languages_of(in_.data.train);
        if (model_->head == HeadKind::reward) out["pooling"] = options_.pooling;
        out["template"] = in_.chat_template->name;
        out["template_sha256"] = in_.chat_template->sha256;
        if (!in_.chat_template->date.empty()) out["template_date"] = in_.chat_template->date;
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
    StartClock clock_;
    ResultFolder result_;

    TrainingInputs in_;
    std::unique_ptr<TrainingModel> model_;
    RunIdentity identity_;

    std::optional<LoraAdapters> lora_;
    std::optional<Optimizer> optimizer_;
    std::optional<StepEngine> engine_;

    std::optional<RunCheckpoints> checkpoints_;
    std::optional<MetricsFile> metrics_;  // on the root alone
    Problem unwritten_;                   // what kept the root from writing metrics_
    RunPosition position_;
    double final_loss_ = 0.0;
};

}  // namespace

std::string stop_sentence(const TrainOptions& options, const TrainOutcome& outcome) {
    const std::string folder = ResultFolder(options.output).checkpoint().metrics_path().parent_path().string();
    const std::string resume = options.resume == "auto" ? "the same command goes on from there"
                                                        : "the same command with --resume auto goes on from there";
    return "stopped by a signal after step " + std::to_string(outcome.steps) + " of " + std::to_string(outcome.planned_steps) +
           "; the state is in " + folder + ", and " + resume;
}

TrainOutcome train(const Communicator& group, const TrainOptions& options, const StopCheck& stop, bool quiet,
                   const OutputLock* lock) {
    std::optional<Trainer> trainer;
    together(group, [&] {
        check(options);
        trainer.emplace(group, options, stop, quiet, lock);
    });
    return trainer->run();
}

TrainOutcome run_training(const Communicator& group, const TrainOptions& options, const StopCheck& stop) {
    together(group, [&] { check(options); });
    std::optional<OutputLock> lock;
    on_root(group, [&] { lock.emplace(options.output, OutputKind::replaced, stop); });
    return train(group, options, stop, false, lock ? &*lock : nullptr);
}

}  // namespace xlrm
