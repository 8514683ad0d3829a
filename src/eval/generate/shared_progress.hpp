#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/progress.hpp"

namespace xlrm {

//! Ranks that work through texts of their own, each at its own pace: the root shows what all have done, and tells all to end
//! where one has failed or was asked to stop, so that no rank works on for long for a run that is over.
class SharedProgress {
public:
    //! Collective, in that every rank makes one and calls end(). `total` texts of all ranks, `before` of them done by earlier
    //! runs. `stop` on any rank asks all to stop, as a signal does. `quiet`: nothing is shown.
    SharedProgress(const Communicator& world, std::int64_t total, std::int64_t before, std::function<bool()> stop = {},
                   bool quiet = false);

    //! Between pieces of work: texts and tokens of this rank so far. False: it should end.
    bool go_on(std::int64_t texts, std::int64_t tokens);
    //! Collective. This rank is through, or has failed. The root returns when all are; until then it shows the progress.
    void end(std::int64_t texts, std::int64_t tokens, bool failed);

    //! Of all ranks in this run; on the root, after end().
    std::int64_t texts() const { return texts_; }
    std::int64_t tokens() const { return tokens_; }
    double seconds() const;
    //! Whether a signal asked this rank, or the root heard that one asked another, to stop.
    bool stopping() const { return stopping_; }

private:
    void report(std::int64_t texts, std::int64_t tokens, const char* state);
    void receive();
    void show();
    void tell_all();
    bool stop_asked() const;

    const Communicator& world_;
    std::function<bool()> stop_;
    std::int64_t before_, texts_ = 0, tokens_ = 0;  // texts_ and tokens_ of all ranks, on the root
    std::int64_t sent_texts_ = 0, sent_tokens_ = 0;
    int working_;  // ranks other than the root that are not through
    bool stopping_ = false, told_ = false;
    std::chrono::steady_clock::time_point start_, last_;
    std::optional<Progress> progress_;  // none = quiet
};

}  // namespace xlrm
