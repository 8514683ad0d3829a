#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/data/row_form_options.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! What follows a row's common turns in one of its conversations: the assistant's last turn, and the turns before it that the
//! other answers lack.
struct RowAnswer {
    std::vector<ChatMessage> turns;  //!< never empty
    //! Of the last turn.
    const std::string& text() const { return turns.back().content; }
};

//! An answer that is one turn of the assistant.
RowAnswer plain_answer(std::string text);

//! One row of the input, every published form brought to one.
struct PreferenceRow {
    std::string id, lang, subset;
    std::vector<ChatMessage> prompt;  //!< the turns that all answers have in common; empty for documents
    std::vector<RowAnswer> answers;   //!< best first; a document: its text as one turn
    Json variables;                   //!< what else the template is given (`tools`, …); null where there is nothing
    std::int32_t num_correct = 1;
    float margin = 0.0F;             //!< NaN where absent
    std::vector<float> labels = {};  //!< ranking: of each answer, ascending; regression: NaN = masked
    //! Both sides as they were written, where each is a dialogue in one text (HH-RLHF's) and holds the prompt; its answer ends
    //! it.
    std::vector<std::string> dialogues = {};
    std::string lang_name;  //!< as the row writes it; `lang` is its code until all of an input's names are known
    Json columns;           //!< the row as it was read; null unless asked for

    bool is_document() const { return prompt.empty() && answers.front().turns.size() == 1; }
    //! All turns of answer `index`.
    std::vector<ChatMessage> conversation(std::size_t index) const;
    //! The turns before the last of answer `index`.
    std::vector<ChatMessage> context(std::size_t index) const;
};

//! The common turns as text; nothing where there are none, or where they are not all that comes before the answers and the
//! template refuses them alone. Throws Error where the template refuses a prompt.
std::optional<std::string> render_common(const PreferenceRow& row, const ChatTemplate& chat_template, bool add_generation_prompt);
//! All that was read of a row, `columns` apart, as bytes: rows are equal where these are. For hashes of data by content, whatever
//! file holds them.
std::string row_bytes(const PreferenceRow& row);

//! document = `{text}` rows of the lm objective; prompt: what is to be answered, of rows of all kinds with a prompt.
enum class RowKind { preference, document, response, ranking, regression, prompt };
RowKind parse_row_kind(const std::string& name);  //!< of rows with answers, or documents; throws Error(usage)
const char* name_of(RowKind kind);

//! The rows of one line of JSON. `where` ("prefs.jsonl:17") stands in messages; `default_id` is the id of a row without one.
//!
//! preference: `prompt` (or `question`, `input`), `chosen`, `rejected` as strings or message lists; `id`, `lang` (or `language`),
//!     `subset` (or `source`), `margin`, `system`. The prompt may be inside both message lists, which end with a turn of the
//!     assistant and may part before it, and in HH-RLHF's strings ("\n\nHuman: … \n\nAssistant: …"). `chosen` and `rejected` as
//!     lists of strings or of message lists (RewardBench 2) give all answers, the right ones first; `num_correct` says how many
//!     are right where it is not all of `chosen`. RewardBench 1, M-RewardBench and MM-Eval rows are of this form. The content of
//!     a message and an answer of a list may be empty; a field may not.
//! document: `text`, a string; or one text a language, as an object `text` or as fields named by language ("en", "zh-CN"; the id
//!     is then `key`, or `id` where there is no `key`). Each language gives a row, with the same id. null = no text.
//! response: `prompt` and `response` (or `completion`), as strings or message lists; or the whole conversation as `messages`.
//! ranking: `prompt`, `responses` (two or more), `ranks` (a number each; the smallest is the best, equal ones are not compared).
//! The
//!     answers come best first.
//! regression: a response and `labels`: a number, or a list of numbers and nulls (masked).
//! prompt: `prompt` alone, as a string or a message list, or `messages` that do not end with the assistant's turn; or a row of
//! another kind, of which the turns before the (best) answer are taken. The row has no answers then.
//! Messages are kept whole, with all of their fields. In all kinds but documents the row's `tools`, `documents` and
//! `chat_template_kwargs` are for the template. Besides, the published forms of row_forms.hpp are read, each row for itself; a
//! verdict that is a draw gives no row. Throws Error naming `where` and the field; of a row of no known form, the columns that it
//! has and the forms that are known.
std::vector<PreferenceRow> parse_row(std::string_view json, RowKind kind, const std::string& where, const std::string& default_id,
                                     const std::string& default_lang);
std::vector<PreferenceRow> rows_of_json(const Json& object, RowKind kind, const std::string& where, const std::string& default_id,
                                        const std::string& default_lang, const RowFormOptions& options = {},
                                        RowNotes* notes = nullptr);

//! Reads JSON lines, plain or gzip, one JSON list, or Parquet; ids of rows without one are "<file name>:<line>". Throws Error.
void for_each_row(const std::filesystem::path& path, RowKind kind, const std::string& default_lang,
                  const std::function<void(std::int64_t line, PreferenceRow&& row)>& row, const RowFormOptions& options = {},
                  RowNotes* notes = nullptr);

//! The kind of the first row: that of its form, or by its columns: `chosen`, `responses`, `labels`, `response` (`completion`,
//! `messages`), else a document. Throws Error for a file without rows.
RowKind detect_row_kind(const std::filesystem::path& path, const RowFormOptions& options = {});

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
