#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! One row of the input, every published form brought to one.
struct PreferenceRow {
    std::string id, lang, subset;
    std::vector<ChatMessage> prompt;               //!< empty for `lm` rows
    std::vector<std::string> answers;              //!< best first; the assistant's last turn; `lm`: the document
    std::int32_t num_correct = 1;
    float margin = 0.0F;                           //!< NaN where absent
    std::vector<float> labels = {};                //!< ranking: of each answer, ascending; regression: NaN = masked
    Json columns;                                  //!< the row as it was read; null unless asked for
};

//! document = `{text}` rows of the lm objective.
enum class RowKind { preference, document, response, ranking, regression };
RowKind parse_row_kind(const std::string& name);   //!< throws Error(usage)
const char* name_of(RowKind kind);

//! The rows of one line of JSON. `where` ("prefs.jsonl:17") stands in messages; `default_id` is the id of a row without one.
//!
//! preference: `prompt` (or `question`, `input`), `chosen`, `rejected` as strings or message lists; `id`, `lang` (or `language`),
//!     `subset` (or `source`), `margin`, `system`. The prompt may be inside both message lists (they must agree up to the last turn,
//!     which is the assistant's), and in HH-RLHF's strings ("\n\nHuman: … \n\nAssistant: …"). `chosen` and `rejected` as lists of strings
//!     or of message lists (RewardBench 2) give all answers, the right ones first; `num_correct` says how many are right where it is
//!     not all of `chosen`. RewardBench 1, M-RewardBench and MM-Eval rows are of this form. The content of a
//!     message and an answer of a list may be empty; a field may not.
//! document: `text`, a string; or one text a language, as an object `text` or as fields named by language ("en", "zh-CN"; the id
//!     is then `key`, or `id` where there is no `key`). Each language gives a row, with the same id. null = no text.
//! response: `prompt` and `response` (or `completion`), as strings or message lists; or the whole conversation as `messages`.
//! ranking: `prompt`, `responses` (two or more), `ranks` (a number each; the smallest is the best, equal ones are not compared). The
//!     answers come best first.
//! regression: a response and `labels`: a number, or a list of numbers and nulls (masked).
//! Throws Error naming `where` and the field.
std::vector<PreferenceRow> parse_row(std::string_view json, RowKind kind, const std::string& where, const std::string& default_id,
                                     const std::string& default_lang);
std::vector<PreferenceRow> rows_of_json(const Json& object, RowKind kind, const std::string& where, const std::string& default_id,
                                        const std::string& default_lang);

//! Reads JSONL, JSONL.gz (skipping blank lines) or Parquet; ids of rows without one are "<file name>:<line>". Throws Error.
void for_each_row(const std::filesystem::path& path, RowKind kind, const std::string& default_lang,
                  const std::function<void(std::int64_t line, PreferenceRow&& row)>& row);

//! The kind of the first row, by its fields: `chosen`, `responses`, `labels`, `response` (`completion`, `messages`), else a
//! document. Throws Error for a file without rows.
RowKind detect_row_kind(const std::filesystem::path& path);

//! Id without its sibling suffix "-n<k>": rows that share it are translations or siblings and stay together in a split.
std::string item_stem(const std::string& id);

//! "train=0.6,test=0.4" → which part an id falls into, by stable_hash(item_stem(id)), so translations and siblings stay
//! together and the parts do not depend on which other rows there are. Shares must sum to 1; else Error(usage).
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
