#include "xlrm/core/output_lock.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "heartbeat.hpp"
#include "lock_file.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/log.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kSuffix = ".xlrm-lock";

//! The output under one name, whatever path leads to it; without a slash at its end.
fs::path one_name_of(const fs::path& output) {
    std::error_code error;
    fs::path path = fs::weakly_canonical(output, error);
    if (error) path = fs::absolute(output).lexically_normal();
    path = fs::absolute(path);
    return path.has_filename() ? path : path.parent_path();
}

fs::path beside(const fs::path& canonical_path) { return canonical_path.string() + kSuffix; }

//! Makes `folder` and what it lies in; returns those that were not there, outermost first.
std::vector<fs::path> make_folders(const fs::path& folder) {
    std::vector<fs::path> made;
    std::error_code error;
    for (fs::path at = folder; !at.empty() && !fs::exists(at, error) && at != at.parent_path(); at = at.parent_path())
        made.push_back(at);
    std::reverse(made.begin(), made.end());
    fs::create_directories(folder, error);
    if (error) fail("cannot make the output folder " + folder.string() + ": " + error.message(), ExitCode::io);
    return made;
}

}  // namespace

class OutputLock::Held {
public:
    Held(const fs::path& output, OutputKind kind, const std::function<bool()>& stop, LockTiming timing,
         const ProcessIdentity& self)
        : named_(output),
          output_(one_name_of(output)),
          first_(lock_path(output, kind)),
          stop_(stop),
          timing_(timing),
          self_(self) {
        made_ = make_folders(first_.parent_path());
        try {
            acquire();
            require_free_around();
        } catch (...) {
            release();
            throw;
        }
    }
    ~Held() { release(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    bool still_held() const {
        const auto own = read_lock_file(own_.path);
        return own && own->id == own_.id && is_chain() && !read_lock_file(successor_of(own_, first_));
    }
    const fs::path& named() const { return named_; }

private:
    enum class State { live, dead, changed };

    void acquire() {
        const std::string text = lock_text(self_);
        for (;;) {
            chain_.clear();
            fs::path place = first_;
            int fd = -1;
            while ((fd = create_lock_file(place, text)) < 0) {
                const auto file = read_lock_file(place);
                if (!file) break;  // released just now
                const State state = judge(*file);
                if (state == State::live) refuse(*file, output_);
                if (state == State::changed) break;
                place = successor_of(*file, first_);
                chain_.push_back(*file);
            }
            if (fd < 0) continue;
            own_ = LockFile{place, "", 0, self_, ""};
            if (const auto written = read_lock_file(place)) own_.id = written->id;
            heartbeat_ = std::make_unique<Heartbeat>(fd, timing_.beat);
            if (is_chain()) break;
            heartbeat_.reset();
            ::unlink(place.c_str());
            own_ = {};
        }
        if (!chain_.empty())
            log_root(LogLevel::info, named_.string() + ": the run that was at work on it is dead (" + chain_.back().description +
                                         "); this one takes over");
    }

    //! Whether the locks that were judged dead are still those that lead to this one.
    bool is_chain() const {
        return std::all_of(chain_.begin(), chain_.end(), [](const LockFile& link) {
            const auto now = read_lock_file(link.path);
            return now && now->id == link.id;
        });
    }

    State judge(const LockFile& file) const {
        if (file.owner && file.owner->on_machine_of(self_))
            return process_lives(file.owner->pid, file.owner->start) ? State::live : State::dead;
        const Clock::time_point begin = Clock::now();
        const auto pause = std::min<std::chrono::milliseconds>(timing_.beat / 5, std::chrono::milliseconds(1000));
        log_root(LogLevel::info, named_.string() + ": another run had it (" + file.description + "); waiting up to " +
                                     std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timing_.silence).count()) +
                                     " s for a sign of life");
        while (Clock::now() - begin < timing_.silence) {
            std::this_thread::sleep_for(pause);
            if (stop_ && stop_())
                fail(named_.string() + ": stopped while another run held it (" + file.description + ")", ExitCode::stopped);
            const auto now = read_lock_file(file.path);
            if (!now || now->id != file.id) return State::changed;
            if (now->touched != file.touched) return State::live;
        }
        return State::dead;
    }

    [[noreturn]] void refuse(const LockFile& file, const fs::path& locked) const {
        const bool same = locked == output_;
        fail("another run is at work on " + (same ? named_.string() : locked.string()) + ": " + file.description + " (" +
             (same ? "two would write into each other's files"
                   : "it and " + named_.string() + " would write into each other's files") +
             "); wait for it, stop it, or choose another output; if it is surely gone, remove " + file.path.string());
    }

    //! Refuses where a live run holds `locked` by the lock that begins with `first`.
    void require_free(const fs::path& first, const fs::path& locked) const {
        if (first == first_) return;
        while (const auto file = read_lock_file(first)) {
            const LockFile last = last_of_chain(*file, first);
            const State state = judge(last);
            if (state == State::live) refuse(last, locked);
            if (state == State::dead) return;
        }
    }

    //! What this output is part of, and what is part of it.
    void require_free_around() const {
        for (fs::path at = output_; at != at.parent_path(); at = at.parent_path()) {
            require_free(lock_path(at, OutputKind::replaced), at);
            require_free(at / kSuffix, at);
        }
        std::error_code error;
        fs::recursive_directory_iterator entries(output_, fs::directory_options::skip_permission_denied, error);
        for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
            const std::string name = entries->path().filename().string();
            if (!name.ends_with(kSuffix)) continue;
            const fs::path folder = entries->path().parent_path();
            require_free(entries->path(),
                         name == kSuffix ? folder : folder / name.substr(0, name.size() - std::string(kSuffix).size()));
        }
    }

    void release() noexcept {
        try {
            const bool mine = !own_.path.empty() && still_held();
            heartbeat_.reset();
            if (mine) {
                for (const LockFile& link : chain_) ::unlink(link.path.c_str());  // the first file first
                ::unlink(own_.path.c_str());
            }
        } catch (const std::exception& problem) {
            log_root(LogLevel::warning,
                     "the lock " + own_.path.string() + " cannot be released (" + problem.what() + "); remove it");
        }
        for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) ::rmdir(folder->c_str());  // those that are empty
    }

    fs::path named_, output_, first_;
    std::function<bool()> stop_;
    LockTiming timing_;
    ProcessIdentity self_;
    std::vector<fs::path> made_;
    std::vector<LockFile> chain_;  //!< of dead owners, from the first
    LockFile own_;
    std::unique_ptr<Heartbeat> heartbeat_;
};

OutputLock::OutputLock(const fs::path& output, OutputKind kind, const std::function<bool()>& stop, LockTiming timing,
                       const ProcessIdentity& self)
    : held_(std::make_unique<Held>(output, kind, stop, timing, self)) {}

OutputLock::~OutputLock() = default;
OutputLock::OutputLock(OutputLock&& other) noexcept = default;
OutputLock& OutputLock::operator=(OutputLock&& other) noexcept = default;

void OutputLock::require_held() const {
    if (!held_->still_held())
        fail(held_->named().string() +
             ": another run has taken it over, since this one gave no sign of life (was it suspended?); nothing more is written");
}

fs::path lock_path(const fs::path& output, OutputKind kind) {
    const fs::path path = one_name_of(output);
    return kind == OutputKind::filled ? path / kSuffix : beside(path);
}

}  // namespace xlrm
