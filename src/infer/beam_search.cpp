#include "xlrm/infer/beam_search.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// What transformers adds to scores that must not count. Its sums are kept, since a score beyond it shows in results there too.
constexpr float kNever = -1.0e9F;

float divided(float score, std::int64_t length, double penalty) {
    return score / static_cast<float>(std::pow(static_cast<double>(length), penalty));
}

}  // namespace

EarlyStopping parse_early_stopping(const std::string& name) {
    if (name == "no") return EarlyStopping::no;
    if (name == "yes") return EarlyStopping::yes;
    if (name == "never") return EarlyStopping::never;
    fail("--early-stopping '" + name + "' is none of no, yes, never", ExitCode::usage);
}

void require_valid(const BeamOptions& options) {
    require(options.beams > 0, "--beams must be 1 or more", ExitCode::usage);
    require(options.max_new_tokens > 0, "--max-new-tokens must be 1 or more", ExitCode::usage);
    require(std::isfinite(options.length_penalty), "--length-penalty must be a finite number", ExitCode::usage);
}

BeamSearch::BeamSearch(const BeamOptions& options) : options_(options) {
    require_valid(options);
    const auto beams = static_cast<std::size_t>(options.beams);
    running_.resize(beams);
    finished_.resize(beams);
    for (std::size_t i = 1; i < beams; ++i) running_[i].score = kNever;  // all are the prompt: the first alone counts
    for (Finished& place : finished_) place.beam.score = kNever;
}

std::vector<BeamSearch::Candidate> BeamSearch::best_candidates(std::span<const float> log_probabilities,
                                                               std::size_t vocabulary) const {
    // As many beams as there are must be left to go on even where each takes every stop id.
    const std::size_t count = std::max<std::size_t>(2, 1 + options_.stop_ids.size()) * running_.size();
    if (vocabulary * running_.size() < count)
        fail("beam search with " + std::to_string(running_.size()) + " beams takes " + std::to_string(count) +
             " candidates a step, the vocabulary has " + std::to_string(vocabulary) + " tokens; take fewer beams");
    const auto better = [](const Candidate& a, const Candidate& b) {
        if (a.score != b.score) return a.score > b.score;
        return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
    };
    std::vector<Candidate> best;  // a heap of the best so far, the worst on top
    for (std::size_t beam = 0; beam < running_.size(); ++beam) {
        const std::size_t row = length_ == 0 ? 0 : beam;
        for (std::size_t token = 0; token < vocabulary; ++token) {
            const Candidate candidate{log_probabilities[row * vocabulary + token] + running_[beam].score,
                                      static_cast<std::int32_t>(beam), static_cast<std::int32_t>(token), false, 0.0};
            if (best.size() == count) {
                if (!better(candidate, best.front())) continue;
                std::ranges::pop_heap(best, better);
                best.pop_back();
            }
            best.push_back(candidate);
            std::ranges::push_heap(best, better);
        }
    }
    std::ranges::sort(best, better);
    const bool last = length_ + 1 >= options_.max_new_tokens;
    for (Candidate& candidate : best) candidate.ends = last || std::ranges::count(options_.stop_ids, candidate.token) > 0;
    return best;
}

bool BeamSearch::all_finished() const {
    return std::ranges::all_of(finished_, [](const Finished& place) { return place.real; });
}

float BeamSearch::worst_finished() const {
    float worst = finished_.front().beam.score;
    for (const Finished& place : finished_) worst = std::min(worst, place.beam.score);
    return worst;
}

// Of the best `beams` candidates, those that end take a place among the finished where they are better.
void BeamSearch::finish(const std::vector<Candidate>& candidates) {
    const bool full = options_.early_stopping == EarlyStopping::yes && all_finished();
    std::vector<Finished> all = finished_;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& candidate = candidates[i];
        const bool counts = candidate.ends && i < running_.size();
        float score = divided(candidate.score, length_ + 1, options_.length_penalty);
        if (full) score += kNever;
        if (!may_improve_) score += kNever;
        if (!counts) score += kNever;
        Finished one{running_[static_cast<std::size_t>(candidate.beam)], counts};
        one.beam.tokens.push_back(candidate.token);
        one.beam.log_probability += candidate.log_probability;
        one.beam.score = score;
        const bool stop = std::ranges::count(options_.stop_ids, candidate.token) > 0;
        one.beam.reason = stop ? FinishReason::stop : FinishReason::length;
        all.push_back(std::move(one));
    }
    std::ranges::stable_sort(all, [](const Finished& a, const Finished& b) { return a.beam.score > b.beam.score; });
    all.resize(finished_.size());
    finished_ = std::move(all);
}

void BeamSearch::go_on(const std::vector<Candidate>& candidates) {
    std::vector<Candidate> order = candidates;
    for (Candidate& candidate : order)
        if (candidate.ends) candidate.score += kNever;
    std::ranges::stable_sort(order, [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    std::vector<Beam> next;
    parents_.clear();
    for (std::size_t i = 0; i < running_.size(); ++i) {
        Beam beam = running_[static_cast<std::size_t>(order[i].beam)];
        beam.tokens.push_back(order[i].token);
        beam.log_probability += order[i].log_probability;
        beam.score = order[i].score;
        next.push_back(std::move(beam));
        parents_.push_back(order[i].beam);
    }
    running_ = std::move(next);
    ++length_;
}

void BeamSearch::decide(bool all_end) {
    const bool longest = options_.early_stopping == EarlyStopping::never && options_.length_penalty > 0.0;
    const float best = divided(running_.front().score, longest ? options_.max_new_tokens : length_, options_.length_penalty);
    const float worst = worst_finished();
    may_improve_ = may_improve_ &&
                   std::ranges::any_of(finished_, [&](const Finished& place) { return best > (place.real ? worst : kNever); });
    const bool enough = options_.early_stopping == EarlyStopping::yes && all_finished();
    done_ = !may_improve_ || enough || all_end;
}

void BeamSearch::step(std::span<const float> log_probabilities, std::span<const float> own) {
    require(!done_, "a beam search that has ended was given another step");
    const std::size_t rows = length_ == 0 ? 1 : running_.size();
    require(!log_probabilities.empty() && log_probabilities.size() % rows == 0,
            "a step of a beam search takes one row of log-probabilities a running beam");
    const std::size_t vocabulary = log_probabilities.size() / rows;
    const std::span<const float> model = own.empty() ? log_probabilities : own;
    require(model.size() == log_probabilities.size(), "a step of a beam search was given rows of two sizes");
    std::vector<Candidate> candidates = best_candidates(log_probabilities, vocabulary);
    for (Candidate& candidate : candidates) {
        const std::size_t row = length_ == 0 ? 0 : static_cast<std::size_t>(candidate.beam);
        candidate.log_probability = static_cast<double>(model[row * vocabulary + static_cast<std::size_t>(candidate.token)]);
    }
    finish(candidates);
    go_on(candidates);
    decide(std::ranges::all_of(candidates, [](const Candidate& candidate) { return candidate.ends; }));
}

std::vector<Beam> BeamSearch::finished() const {
    require(done_, "a beam search has not ended yet");
    std::vector<Beam> result;
    for (const Finished& place : finished_)
        if (place.real) result.push_back(place.beam);
    return result;
}

}  // namespace xlrm
