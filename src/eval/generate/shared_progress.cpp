#include "generate/shared_progress.hpp"

#include <cstdio>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "xlrm/comm/run_job.hpp"

namespace xlrm {
namespace {

constexpr int kToRoot = 71, kFromRoot = 72;  // tags
constexpr std::chrono::milliseconds kBetween{500};

}  // namespace

SharedProgress::SharedProgress(const Communicator& world, std::int64_t total, std::int64_t before, std::function<bool()> stop,
                               bool quiet)
    : world_(world),
      stop_(std::move(stop)),
      before_(before),
      working_(world.size() - 1),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {
    if (quiet) return;
    progress_.emplace("generating", total, "texts");
    progress_->update(before);
}

bool SharedProgress::stop_asked() const { return stop_requested() || (stop_ && stop_()); }

double SharedProgress::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void SharedProgress::report(std::int64_t texts, std::int64_t tokens, const char* state) {
    const std::int64_t new_texts = texts - sent_texts_, new_tokens = tokens - sent_tokens_;
    sent_texts_ = texts, sent_tokens_ = tokens;
    if (world_.root()) {
        texts_ += new_texts, tokens_ += new_tokens;
        return;
    }
    world_.send(std::to_string(new_texts) + " " + std::to_string(new_tokens) + " " + state, 0, kToRoot);
}

void SharedProgress::receive() {
    while (const auto message = world_.try_receive(kToRoot)) {
        std::istringstream words(message->text);
        std::int64_t texts = 0, tokens = 0;
        std::string state;
        words >> texts >> tokens >> state;
        texts_ += texts, tokens_ += tokens;
        if (state == "stopping" || state == "failed") stopping_ = true;
        if (state == "through" || state == "failed") --working_;
    }
}

void SharedProgress::tell_all() {
    if (told_ || !stopping_) return;
    told_ = true;
    for (int rank = 1; rank < world_.size(); ++rank) world_.send("end", rank, kFromRoot);
}

void SharedProgress::show() {
    if (!progress_) return;
    char rate[64];
    std::snprintf(rate, sizeof rate, "%.0f tokens/s", static_cast<double>(tokens_) / seconds());
    progress_->update(before_ + texts_, rate);
}

bool SharedProgress::go_on(std::int64_t texts, std::int64_t tokens) {
    const bool asked = !stopping_ && stop_asked();
    stopping_ = stopping_ || asked;
    const auto now = std::chrono::steady_clock::now();
    if (!asked && now - last_ < kBetween) return !stopping_;
    last_ = now;
    report(texts, tokens, asked ? "stopping" : "working");
    if (world_.root()) {
        receive();
        show();
        tell_all();
    } else if (!told_ && world_.try_receive(kFromRoot)) {
        told_ = stopping_ = true;
    }
    return !stopping_;
}

void SharedProgress::end(std::int64_t texts, std::int64_t tokens, bool failed) {
    report(texts, tokens, failed ? "failed" : "through");
    stopping_ = stopping_ || (failed && world_.root());
    if (!world_.root()) {
        // Each rank gets one last word, so that no message is left over.
        while (world_.receive(kFromRoot, 20.0).text != "over") told_ = stopping_ = true;
        return;
    }
    for (;;) {
        receive();
        tell_all();
        if (working_ == 0) break;
        show();
        stopping_ = stopping_ || stop_asked();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    for (int rank = 1; rank < world_.size(); ++rank) world_.send("over", rank, kFromRoot);
    if (progress_) progress_->finish();
}

}  // namespace xlrm
