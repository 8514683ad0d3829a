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

}  // namespace xlrm
