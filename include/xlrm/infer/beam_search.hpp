#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/infer/stopping.hpp"

namespace xlrm {

//! When a beam search ends before its longest text, as transformers' `early_stopping` says.
enum class EarlyStopping {
    no,    //!< once the best running beam could not beat the worst finished one at its present length (a heuristic; the default)
    yes,   //!< once as many texts as beams are finished
    never  //!< only when no running beam can beat the worst finished one at any length
};
EarlyStopping parse_early_stopping(const std::string& name);  //!< "no", "yes", "never"; throws Error(usage)

struct BeamOptions {
    std::int64_t beams = 4;
    double length_penalty = 1.0;  //!< a text's score is the sum of its log-probabilities / (its tokens)^penalty
    EarlyStopping early_stopping = EarlyStopping::no;
    std::int64_t max_new_tokens = 0;
    std::vector<std::int32_t> stop_ids = {};
};
//! Throws Error(usage) naming the option.
void require_valid(const BeamOptions& options);

//! A running or a finished text.
struct Beam {
    std::vector<std::int32_t> tokens;  //!< after the prompt; a stop id that ended it among them
    float score = 0.0F;                //!< running: the sum of its log-probabilities; finished: divided by length
    double log_probability = 0.0;      //!< the sum of what step() was given as the model's own
    FinishReason reason = FinishReason::length;
};

//! The bookkeeping of one prompt's beam search, as transformers 5.23 does it (GenerationMixin._beam_search): the same candidates,
//! sums in fp32, the same rules for what is finished and when to end. Where scores are equal the lower beam and the lower id come
//! first. The caller computes log-probabilities:
//!     BeamSearch search(options);
//!     while (!search.done()) search.step(rows of search.running());   // one row for the first step: all beams are the prompt
//!     // after each step, search.parents() says which rows of the cache go on
class BeamSearch {
public:
    //! Throws Error(usage) unless the options are valid.
    explicit BeamSearch(const BeamOptions& options);

    bool done() const { return done_; }
    //! Beams that go on, most likely first.
    const std::vector<Beam>& running() const { return running_; }
    //! For each running beam, the beam of the step before that it continues.
    const std::vector<std::int32_t>& parents() const { return parents_; }
    //! `log_probabilities` [rows, vocabulary] fp32, a row for each of running(), or one row at the first step: log-softmax of the
    //! logits, then what else changes them. REQUIRES: !done(). Throws Error for another number of values, or a vocabulary that is
    //! too small for the candidates of a step. `own`: the same before what else changed them; empty: nothing did.
    void step(std::span<const float> log_probabilities, std::span<const float> own = {});
    //! Finished texts, best first, at most `beams`; those that the length ended are among them. REQUIRES: done().
    std::vector<Beam> finished() const;

private:
    struct Candidate {
        float score;
        std::int32_t beam, token;
        bool ends;
        double log_probability = 0.0;  // of the token alone
    };
    std::vector<Candidate> best_candidates(std::span<const float> log_probabilities, std::size_t vocabulary) const;
    void finish(const std::vector<Candidate>& candidates);
    void go_on(const std::vector<Candidate>& candidates);
    void decide(bool all_end);
    bool all_finished() const;
    float worst_finished() const;

    struct Finished {
        Beam beam;
        bool real = false;  //!< false: a place that no text has taken
    };
    BeamOptions options_;
    std::vector<Beam> running_;
    std::vector<Finished> finished_;  // `beams` places, best first
    std::vector<std::int32_t> parents_;
    std::int64_t length_ = 0;
    bool may_improve_ = true, done_ = false;
};

}  // namespace xlrm
