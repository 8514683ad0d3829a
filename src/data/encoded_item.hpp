#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "xlrm/data/preference_row.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! One item as tokens, before the over-length policy: what a rank hands to the others.
struct EncodedItem {
    std::int64_t line = 0;         //!< over all inputs
    std::string where;             //!< "prefs.jsonl:17"
    std::string id, lang, subset;  //!< lang: as the row names it, until all names of the input are known
    float margin = 0.0F;
    std::int32_t num_correct = 1;
    struct Text {
        std::vector<std::int32_t> tokens;
        std::int32_t prompt = 0;
        std::int64_t characters = 0;
        std::int32_t lead = 0;  //!< as Answer::lead
    };
    std::vector<Text> texts;
    bool empty = false;  //!< one of the answers has no text
    std::vector<float> labels = {};
    std::vector<std::string> unread = {};  //!< what of the row the template does not read (template_fields.hpp)
    std::int32_t occurrence = -1;          //!< as a prepared file has it; below 0: to be counted
};

//! Renders and tokenises. `where` stands in messages.
EncodedItem encode_item(const PreferenceRow& row, std::int64_t line, const std::string& where, const Tokenizer& tokenizer,
                        const ChatTemplate& chat_template);

//! Bytes of an item, and back; `at` moves behind it. The bytes stay within one job, on machines of one kind.
void pack(const EncodedItem& item, std::string& bytes);
EncodedItem unpack(std::string_view bytes, std::size_t& at);

}  // namespace xlrm
