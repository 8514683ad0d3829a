#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/text/stream_decoder.hpp"

namespace xlrm {

//! Why a text ended.
enum class FinishReason {
    stop,        //!< a stop id
    length,      //!< as many tokens as were allowed
    stop_string  //!< a stop string
};
const char* name_of(FinishReason reason);  //!< "stop", "length", "stop_string"
//! Throws Error naming `where`.
FinishReason parse_finish_reason(const std::string& name, const std::string& where);

//! When a text ends.
struct StopRules {
    std::vector<std::int32_t> stop_ids = {};     //!< the model's EOS ids
    std::vector<std::string> stop_strings = {};  //!< UTF-8, not empty
    std::int64_t max_new_tokens = 0;             //!< > 0
    bool ignore_eos = false;                     //!< stop ids are tokens like any other; for runs of a fixed length
};
//! Throws Error(usage) naming the option.
void require_valid(const StopRules& rules);

//! One text in the making. Stop strings are looked for in the text, so one may span tokens and begin or end within one; a
//! character that is split between tokens counts once it is whole.
class GeneratedText {
public:
    //! `tokenizer` and `rules` must outlive the object. REQUIRES: valid rules.
    GeneratedText(const Tokenizer& tokenizer, const StopRules& rules);
    //! Adds a token; says why the text ends with it, if it does. REQUIRES: it has not ended.
    std::optional<FinishReason> push(std::int32_t token);

    //! All tokens, a stop id and those of a stop string among them: what the log-probabilities are of.
    const std::vector<std::int32_t>& tokens() const { return tokens_; }
    //! Tokenizer::decode of all tokens but a stop id that ended them; of that what precedes the first stop string. An id that is
    //! no token of the tokenizer (the head of many models has more rows) has no text.
    std::string text() const;
    //! The stop string that was found; the first of the rules where several begin there. "" = none.
    const std::string& found() const { return found_; }

private:
    const Tokenizer& tokenizer_;
    const StopRules& rules_;
    StreamDecoder decoder_;
    std::vector<std::int32_t> tokens_;
    std::size_t longest_ = 0;  // bytes of the longest stop string
    bool stopped_ = false;     // by a stop id
    std::string found_;
};

}  // namespace xlrm
