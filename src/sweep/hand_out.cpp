#include "xlrm/sweep/hand_out.hpp"

#include <chrono>
#include <ctime>
#include <deque>
#include <map>
#include <thread>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json_line.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/progress.hpp"

namespace xlrm {

namespace {

constexpr int kToCoordinator = 1;
constexpr int kToLeader = 2;
constexpr auto kPoll = std::chrono::microseconds(300);

//! The state of handing out on rank 0.
class Server {
public:
    Server(const Communicator& channel, int groups, const Plan& plan, const PlanState& state, const Ledger& ledger)
        : channel_(channel),
          plan_(plan),
          ledger_(ledger),
          coordinator_(plan, state),
          working_(groups),
          progress_("sweep", static_cast<std::int64_t>(plan.tasks.size()), "tasks") {}

    HandOutResult run() {
        progress_.update(coordinator_.count(TaskState::done));
        while (working_ > 0) {
            if (stop_requested() && !stopping_) begin_stop();
            const std::optional<Communicator::Message> message = channel_.try_receive(kToCoordinator);
            if (!message) {
                std::this_thread::sleep_for(kPoll);
                continue;
            }
            const Problem problem = attempt(
                [&] { handle(message->from, parse_json(message->text, "message of rank " + std::to_string(message->from))); });
            if (problem) end_with(problem);
        }
        progress_.finish();
        return result();
    }

private:
    void handle(int leader, const Json& message) {
        if (!message.contains("ready")) running_.erase(leader);
        if (message.contains("done")) finish(message.at("done"), message);
        if (message.contains("failed")) fail_task(message.at("failed"), message.at("reason"), message.at("code"));
        if (message.contains("returned")) {
            coordinator_.returned(message.at("returned"));
            if (!stopping_) begin_stop();
        }
        if (message.contains("left")) {
            --working_;
            end_with({"the group of rank " + std::to_string(leader) + " left the sweep", ExitCode::failure});
        }
        if (message.contains("ready")) waiting_.emplace_back(leader, message.at("ready").get<std::string>());
        if (message.value("stop", false) && !stopping_) begin_stop();
        hand_out();
    }

    //! At every moment a leader is waiting, running, or sent home, whatever throws.
    void hand_out() {
        for (auto next = waiting_.begin(); next != waiting_.end();) {
            const std::optional<int> task = stopping_ ? std::nullopt : coordinator_.next(next->second);
            if (!task && !stopping_ && !coordinator_.settled()) {
                ++next;
                continue;
            }
            const int leader = next->first;
            next = waiting_.erase(next);
            if (task)
                start(*task, leader);
            else
                send_home(leader);
        }
    }

    void start(int task, int leader) {
        channel_.send(Json{{"task", task}}.dump(), leader, kToLeader);
        running_[leader] = task;
        ledger_.append({{"event", "started"},
                        {"task", plan_.task(task).name()},
                        {"rank", leader},
                        {"time", static_cast<std::int64_t>(std::time(nullptr))}});
    }

    void send_home(int leader) {
        channel_.send(Json{{"quit", true}}.dump(), leader, kToLeader);
        --working_;
    }

    //! Groups must not wait for a coordinator that cannot go on: they are sent home first.
    void end_with(const Problem& problem) {
        if (!problem_) problem_ = problem;
        if (!stopping_) begin_stop();
    }

    void begin_stop() {
        stopping_ = true;
        if (!problem_)
            log_root(LogLevel::info, "stop requested: no new tasks are started; running ones are given back or finished");
        for (const auto& [leader, task] : running_) channel_.send(Json{{"stop", true}}.dump(), leader, kToLeader);
        hand_out();
    }

    void finish(int task, const Json& message) {
        coordinator_.finished(task);
        Json entry = {{"event", "done"},
                      {"task", plan_.task(task).name()},
                      {"seconds", message.at("seconds")},
                      {"time", static_cast<std::int64_t>(std::time(nullptr))}};
        entry.update(message.at("facts"));
        ledger_.append(entry);
        show();
    }

    void fail_task(int task, const std::string& reason, ExitCode code) {
        const std::int64_t before = coordinator_.count(TaskState::failed) + 1;
        coordinator_.failed(task, reason);
        const std::int64_t others = coordinator_.count(TaskState::failed) - before;
        const std::string name = plan_.task(task).name();
        ledger_.append(
            {{"event", "failed"}, {"task", name}, {"reason", reason}, {"time", static_cast<std::int64_t>(std::time(nullptr))}});
        if (plan_.task(task).essential()) {
            end_with({reason, code});
            return;
        }
        log_root(LogLevel::error, name + " failed: " + reason +
                                      (others > 0 ? " (" + std::to_string(others) + " tasks need it and fail with it)" : ""));
        show();
    }

    void show() {
        const std::int64_t failed = coordinator_.count(TaskState::failed);
        progress_.update(coordinator_.count(TaskState::done) + failed, failed > 0 ? std::to_string(failed) + " failed" : "");
    }

    HandOutResult result() const {
        HandOutResult result;
        result.problem = problem_;
        result.done = coordinator_.count(TaskState::done);
        result.failed = coordinator_.count(TaskState::failed);
        result.left = coordinator_.count(TaskState::waiting);
        result.stopped = stopping_ && result.left > 0;
        for (int i = 0; i < static_cast<int>(plan_.tasks.size()); ++i) {
            result.state.done.push_back(coordinator_.state(i) == TaskState::done);
            if (coordinator_.state(i) != TaskState::failed) continue;
            result.state.failed[i] = coordinator_.reason(i);
            result.failures.push_back(plan_.task(i).name() + ": " + coordinator_.reason(i));
        }
        return result;
    }

    const Communicator& channel_;
    const Plan& plan_;
    const Ledger& ledger_;
    Coordinator coordinator_;
    int working_;  //!< leaders that were not sent home
    bool stopping_ = false;
    std::deque<std::pair<int, std::string>> waiting_;  //!< free leaders and the model each has loaded
    std::map<int, int> running_;                       //!< leader → task
    Problem problem_;
    Progress progress_;
};

//! Leader's end of the channel (`leads`: other ranks have none). A "stop" may arrive at any time, before the answer that is
//! waited for.
class Leader {
public:
    Leader(const Communicator& channel, bool leads) : channel_(channel), here_(leads) {}
    //! The coordinator does not wait for a group that an exception ended.
    ~Leader() {
        if (here_) static_cast<void>(attempt([&] { report({{"left", true}}); }));
    }
    Leader(const Leader&) = delete;
    Leader& operator=(const Leader&) = delete;

    Json ask(const std::string& loaded, bool stop) {
        channel_.send(Json{{"ready", loaded}, {"stop", stop}}.dump(), 0, kToCoordinator);
        for (;;) {
            const Json answer = parse_json(channel_.receive(kToLeader).text, "message of the coordinator");
            if (answer.contains("quit")) here_ = false;
            if (!answer.contains("stop")) return answer;
            told_to_stop_ = true;
        }
    }
    void report(const Json& message) { channel_.send(dump_line(message), 0, kToCoordinator); }
    bool told_to_stop() {
        while (const std::optional<Communicator::Message> message = channel_.try_receive(kToLeader)) {
            if (parse_json(message->text, "message of the coordinator").contains("stop")) told_to_stop_ = true;
        }
        return told_to_stop_;
    }

private:
    const Communicator& channel_;
    bool here_;  //!< not sent home
    bool told_to_stop_ = false;
};

}  // namespace

HandOutResult serve(const Communicator& channel, int groups, const Plan& plan, const PlanState& state, const Ledger& ledger) {
    return Server(channel, groups, plan, state, ledger).run();
}

void work_loop(const Communicator& channel, const Communicator& group, const Plan& plan,
               const std::function<TaskOutcome(const Task&, const std::function<bool()>&)>& work) {
    Leader leader(channel, group.root());
    std::string loaded;
    const std::function<bool()> stop = [&] { return stop_requested() || (group.root() && leader.told_to_stop()); };
    for (;;) {
        const bool stop_wanted = group.any(stop_requested());
        const Json answer = parse_json(group.broadcast(group.root() ? leader.ask(loaded, stop_wanted).dump() : ""),
                                       "message of the group's leader");
        if (answer.contains("quit")) return;
        const int index = answer.at("task");
        const Task& task = plan.task(index);
        const auto start = std::chrono::steady_clock::now();
        const TaskOutcome outcome = work(task, stop);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (!task.model().empty()) loaded = task.model();
        if (!group.root()) continue;
        if (outcome.returned)
            leader.report({{"returned", index}});
        else if (outcome.reason.empty())
            leader.report({{"done", index}, {"seconds", seconds}, {"facts", outcome.facts}});
        else
            leader.report({{"failed", index}, {"reason", outcome.reason}, {"code", outcome.code}});
    }
}

}  // namespace xlrm
