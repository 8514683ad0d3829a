#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! What the floor reads of an item: plain text, no template.
struct TextPair {
    std::string prompt, chosen, rejected;
};

struct NgramFloorOptions {
    int max_n = 4;            //!< n-grams of 1 … max_n code points
    int cross_n = 3;          //!< shortest n-gram of the prompt that is crossed with the answer
    int bits = 18;            //!< features are hashed into 2^bits signed slots
    double c = 10.0;          //!< inverse regularisation, as in scikit-learn: ½‖w‖² + c · Σ loss
    int max_iterations = 50;  //!< Newton steps
};

//! The accuracy that surface features reach: a Bradley-Terry logistic model on the difference of hashed features of the chosen
//! and the rejected answer, trained on the source language's training pairs and applied to every target's test pairs. A reward
//! model that has learned anything about meaning must be above it.
//!
//! Features of (prompt, answer), each group with unit Euclidean norm in a text:
//!  1. n-grams of the answer (set, code points);
//!  2. n-grams of prompt + newline + answer that contain the newline;
//!  3. n-grams of the prompt, cross_n … max_n long, each crossed with the whole answer: closed sets of answers (topics, yes / no)
//!  are told
//!     apart by words of the prompt, which features 1 and 2 cannot express. N-grams of the prompt alone cancel in the difference;
//!  4. log(1 + code points of the answer), and the share of the answer's n-grams that the prompt contains: the two surface cues
//!  that
//!     cross languages.
//! Optimised with Newton's method and conjugate gradients from zero, over all pairs at once: deterministic, no seed.
class NgramFloor {
public:
    //! Throws Error for no pairs or options out of range.
    explicit NgramFloor(std::span<const TextPair> training, const NgramFloorOptions& options = {});

    //! Score of the chosen answer minus that of the rejected one; > 0 counts as right.
    double margin(const TextPair& pair) const;
    //! Share of pairs with margin > 0; a margin of exactly zero counts one half. Throws Error for no pairs.
    double accuracy(std::span<const TextPair> test) const;
    //! ½‖w‖² + c · Σ log(1 + exp(−margin)) at the solution.
    double objective() const { return objective_; }
    //! Largest absolute component of the objective's gradient at the solution.
    double gradient() const { return gradient_; }

private:
    NgramFloorOptions options_;
    std::vector<float> weights_;
    double objective_ = 0.0;
    double gradient_ = 0.0;
};

}  // namespace xlrm
