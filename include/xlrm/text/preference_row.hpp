#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! One row of the input, every published form brought to one.
struct PreferenceRow {
    std::string id, lang, subset;
    std::vector<ChatMessage> prompt;               //!< empty for `lm` rows
    std::vector<std::string> answers;              //!< best first; the assistant's last turn; `lm`: the document
    std::int32_t num_correct = 1;
    float margin = 0.0F;                           //!< NaN where absent
};

enum class RowKind { preference, document };       //!< document = `{text}` rows of the lm objective

//! Reads JSONL or JSONL.gz rows: `prompt`, `chosen`, `rejected` as strings or message lists (`prompt` may be inside both), `id`,
//! `lang` (or `language`), `subset` (or `source`), `margin`, `system`; RewardBench 1 and 2, M-RewardBench and MM-Eval rows as
//! they are; `{text}` rows, where `text` may be an object of languages. A row without id gets "<file>:<line>".
//! Throws Error for a malformed row, naming file, line and field. `lang` of a row without one: `default_lang`.
void for_each_row(const std::filesystem::path& path, RowKind kind, const std::string& default_lang,
                  const std::function<void(std::int64_t line, PreferenceRow&& row)>& row);

//! Id without its sibling suffix "-n<k>": rows that share it are translations or siblings and stay together in a split.
std::string item_stem(const std::string& id);

//! "train=0.6,test=0.4" → which part an id falls into, by stable_hash(item_stem(id)). Shares must sum to 1.
class Split {
public:
    explicit Split(const std::string& text);
    //! Name of the part ("" when the split text was empty).
    std::string part(const std::string& id) const;
    std::vector<std::string> names() const;

private:
    std::vector<std::pair<std::string, double>> parts_;
};

}  // namespace xlrm
