#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/store/items.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/preference_row.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! What becomes of a text of more than `max_length` tokens: `drop` its item; keep its last (`left`) or first (`right`) tokens, where
//! an item of which `right` would leave no token of an answer is dropped; or stop with an `error`. Counted in every case.
enum class OverLength { drop, left, right, error };
OverLength parse_over_length(const std::string& name);

struct PrepareOptions {
    std::vector<std::filesystem::path> inputs;   //!< .jsonl, .jsonl.gz, .parquet, .h5 (already prepared for this tokenizer and template)
    std::vector<std::string> langs;              //!< canonical; empty = all
    RowKind kind = RowKind::preference;
    std::int64_t max_length = 2048;              //!< tokens of a whole text
    OverLength over_length = OverLength::drop;
    std::string split;                           //!< "train=0.6,test=0.4" or ""
    std::string part;                            //!< which part to keep; "" = all
    std::string default_lang = "en";
    //! Documents in several languages: all of a line as one document, in a random order seeded by `seed` and id, with a line
    //! end between them; its language is "en+ko". Otherwise each is a document of its own.
    bool concatenate = false;
    std::uint64_t seed = 0;
    //! Pairs of equal answers: no preference to learn from, so training leaves them out; an evaluation counts them as ties.
    bool keep_tied = false;
    bool keep_columns = false;                   //!< rows keep all of their columns (read_rows)
};

//! Counts of one language.
struct LanguageReport {
    std::int64_t read = 0;                       //!< items of the chosen languages and part
    std::int64_t kept = 0, too_long = 0;         //!< too_long: before the policy; some of them are kept if it cuts
    std::int64_t tied = 0;                       //!< pairs whose answers are the same tokens; left out unless keep_tied
    std::int64_t empty = 0;                      //!< items with an answer of no text; they are kept
    std::vector<std::int32_t> lengths;           //!< tokens of every kept text, for quantiles
    std::int64_t characters = 0;                 //!< code points of kept texts as rendered
};

struct Prepared {
    ItemSet set;
    std::map<std::string, LanguageReport> report;  //!< by language
    //! Where each item was read: its line over all inputs, as read_rows tells it; below 0 for items of .h5 files.
    std::vector<std::int64_t> lines;
};

//! Collective. Every rank reads the lines, parses and tokenises its share, and gets the whole set in input order: the same on
//! any rank count. A text is the rendered prompt and answer, tokenised with BOS and EOS as chat_template.hpp says; a document is
//! BOS, text, EOS whatever the template. Throws Error (the same on every rank and rank count: the first in input order) for a
//! malformed row, over-length text under `error`, a language of `langs` that no row has, items prepared for another tokenizer.
Prepared prepare(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer, const ChatTemplate& chat_template);

//! Texts of the chosen rows (contents and answers, or documents), for training a tokenizer. Throws Error like prepare.
std::vector<std::string> collect_texts(const PrepareOptions& options);

//! The rows of the inputs as `prepare` reads them, in order; `line` as in Prepared::lines. .h5 inputs have none. Throws Error like prepare.
void read_rows(const PrepareOptions& options, const std::function<void(std::int64_t line, PreferenceRow&& row)>& row);

//! Table of the report, one line a language: rows read, kept, too long, tied; token quantiles 5/50/95/max; tokens per character.
std::string format_report(const std::map<std::string, LanguageReport>& report);

}  // namespace xlrm
