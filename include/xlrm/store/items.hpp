#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! One whole text (rendered prompt and answer) as tokens, within ItemSet::tokens.
struct Answer {
    std::int64_t begin = 0;
    std::int32_t length = 0;
    //! Tokens of the shared prefix: the common prefix of tokens(rendered prompt) and tokens(rendered prompt + answer). A
    //! function of this text alone. 0 where there is no prompt (`lm` rows).
    std::int32_t prompt = 0;
    //! Tokens by which the completion (of DPO, SFT and implicit rewards) begins before `prompt` ends: turns that the item's other
    //! answers lack. 0 in most items; below 0 where it begins after (plain texts whose answers begin alike).
    std::int32_t lead = 0;

    //! Where the completion begins.
    std::int32_t completion() const { return prompt - lead; }
};

//! One item: answers [first_answer, first_answer + answers) of ItemSet::answers, best first: 0 = chosen, 1 = rejected; `lm`
//! rows have one.
struct Item {
    std::string id;
    std::string lang;    //!< canonical ("ko")
    std::string subset;  //!< "" where there is none
    std::int64_t first_answer = 0;
    std::int32_t answers = 0;
    std::int32_t num_correct = 1;  //!< answers [0, num_correct) are right
    float margin = 0.0F;           //!< of the data (not of the model); NaN where absent
    //! Rankings: the rank of each answer, ascending. Regression: the targets, NaN = masked. Else empty.
    std::vector<float> labels = {};
    //! Which of the input's items of this language and id it is, 0 for the first; counted before any item is left out.
    std::int32_t occurrence = 0;
};

//! Tokenised data, in the order of the input. The in-memory form of pairs.h5.
struct ItemSet {
    std::vector<std::int32_t> tokens;
    std::vector<Answer> answers;
    std::vector<Item> items;
    //! tokenizer_sha256, template, template_sha256, max_length, over_length, input_sha256 (object: file name → hash),
    //! report (per-language counts). Enough to refuse data that were prepared for another model.
    Json attributes;

    std::span<const std::int32_t> answer_tokens(const Answer& answer) const {
        return {tokens.data() + answer.begin, static_cast<std::size_t>(answer.length)};
    }
};

//! Throws Error when a token is not one of the `vocab_size` of `model` (its name, for the message): it would be an index beyond
//! the embedding. For whoever gives items to a model, in training as in evaluation.
void require_known_tokens(const ItemSet& set, std::int64_t vocab_size, const std::string& model);

}  // namespace xlrm
