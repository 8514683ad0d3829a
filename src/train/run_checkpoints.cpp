#include "run_checkpoints.hpp"

#include "xlrm/comm/together.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {

RunCheckpoints::RunCheckpoints(const Communicator& group, const ResultFolder& result, const RunIdentity& identity,
                               const Json& recipe, Optimizer& optimizer)
    : group_(group), result_(result), identity_(identity), recipe_(recipe), optimizer_(optimizer) {}

RunPosition RunCheckpoints::resume(bool wanted, std::optional<MetricsFile>& metrics) {
    std::string found;
    Optimizer::State state;
    together(group_, [&] {
        const Activity activity("looking for a checkpoint");
        state = optimizer_.blank();
        if (!group_.root()) return;
        if (!wanted) result_.checkpoint().remove();
        const auto position = result_.checkpoint().load(identity_, state.buffers());
        if (position) found = Json{position->step, position->num_tokens, position->metrics_bytes, position->ranks}.dump();
        result_.prepare(position.has_value(), static_cast<std::int64_t>(state.weights.nbytes()));
        metrics.emplace(result_.checkpoint().metrics_path(), position ? position->metrics_bytes : 0);
    });
    found = group_.broadcast(found);
    saved_at_ = Clock::now();
    if (found.empty()) return {};
    const Json fields = parse_json(found, "position of the checkpoint");
    const RunPosition position{fields[0], fields[1], fields[2], fields[3]};
    optimizer_.restore(state);
    saved_step_ = position.step;
    if (position.ranks != group_.size()) {
        log_root(LogLevel::warning, "the checkpoint was written by " + std::to_string(position.ranks) + " ranks, not " +
                                        std::to_string(group_.size()) + ": the same order of examples, other last bits");
    }
    return position;
}

bool RunCheckpoints::due(double minutes) const {
    return minutes > 0.0 && std::chrono::duration<double>(Clock::now() - saved_at_).count() > 60.0 * minutes;
}

void RunCheckpoints::save(RunPosition position, std::optional<MetricsFile>& metrics) {
    const StageScope scope("checkpoint");
    saved_at_ = Clock::now();
    if (saved_step_ == position.step) return;
    const Optimizer::State state = optimizer_.gathered();
    on_root(group_, [&] {
        const Activity activity("writing a checkpoint");
        result_.require_held();
        position.metrics_bytes = metrics->sync();
        position.ranks = group_.size();
        result_.checkpoint().save(identity_, position, state.buffers(), recipe_);
    });
    saved_step_ = position.step;
}

}  // namespace xlrm
