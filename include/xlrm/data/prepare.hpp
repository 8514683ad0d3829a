#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/store/items.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! What becomes of a text of more than `max_length` tokens: `drop` its item; keep its last (`left`) or first (`right`) tokens,
//! where an item of which `right` would leave no token of an answer is dropped; or stop with an `error`. Counted in every case.
enum class OverLength { drop, left, right, error };
OverLength parse_over_length(const std::string& name);

struct PrepareOptions {
    std::vector<std::filesystem::path>
        inputs;                      //!< .jsonl, .jsonl.gz, .parquet, .h5 (already prepared for this tokenizer and template)
    std::vector<std::string> langs;  //!< as the user names them (LanguageNames::means); empty = all
    RowKind kind = RowKind::preference;
    RowFormOptions forms;
    std::int64_t max_length = 2048;  //!< tokens of a whole text
    OverLength over_length = OverLength::drop;
    std::string split;  //!< "train=0.6,test=0.4" or ""
    std::string part;   //!< which part to keep; "" = all
    std::string default_lang = "en";
    //! Documents in several languages: all of a line as one document, in a random order seeded by `seed` and id, with a line
    //! end between them; its language is "en+ko". Otherwise each is a document of its own.
    bool concatenate = false;
    std::uint64_t seed = 0;
    //! Pairs whose texts are the same tokens, after cutting too: no preference to learn from, so training leaves them out; an
    //! evaluation, that of a training too, counts them as ties.
    bool keep_tied = false;
    bool rankings_too = false;  //!< an evaluation: items of .h5 rankings are taken as preferences, best against the others
    bool keep_columns = false;  //!< rows keep all of their columns (read_rows)
    //! A file of what the inputs come to with the same options (prepared_file.hpp), which is read in their place; "" = none.
    std::filesystem::path prepared = {};
};

//! Counts of one language.
struct LanguageReport {
    std::int64_t read = 0;                //!< items of the chosen languages and part
    std::int64_t kept = 0, too_long = 0;  //!< too_long: before the policy; some of them are kept if it cuts
    std::int64_t tied = 0;                //!< pairs whose texts are the same tokens when cut; left out unless keep_tied
    std::int64_t repeated = 0;            //!< ids of more than one kept item
    std::int64_t empty = 0;               //!< items with an answer of no text; they are kept
    std::map<std::string, std::int64_t> unread = {};  //!< items with a field that the template does not read, by field
    std::vector<std::int32_t> lengths;                //!< tokens of every kept text, for quantiles
    std::int64_t characters = 0;                      //!< code points of kept texts as rendered
    std::int64_t tied_characters = 0;                 //!< those of the tied pairs among them
};

struct Prepared {
    ItemSet set;
    std::map<std::string, LanguageReport> report;  //!< by language
    RowNotes notes;
    LanguageNames names;  //!< of all rows of the inputs
};

//! Collective. Every rank reads the lines, parses and tokenises its share, and gets the whole set in input order: the same on
//! any rank count. What a language is called depends on all rows of `inputs` (LanguageNames); names that become one are warned
//! of. A text is the rendered prompt and answer, tokenised with BOS and EOS as chat_template.hpp says; a document is BOS, text,
//! EOS whatever the template. Throws Error (the same on every rank and rank count: the first in input order) for a malformed row,
//! over-length text under `error`, a text without any token, a language of `langs` that no row has, items prepared for another
//! tokenizer, template or date, from rows of another kind, or without the tied pairs that keep_tied asks for. Warns of items that
//! were cut or dropped at a length below max_length when they were prepared.
Prepared prepare(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer,
                 const ChatTemplate& chat_template);

//! Rows that this process has rendered and tokenised so far: prepare's own, not those that it reads from .h5. For run records.
std::int64_t rows_tokenised();

//! On rank 0, once a process for the same words: which names of an input became one language, and options that none of its rows
//! made use of. prepare and read_rows do it themselves.
void warn_of_input(const std::vector<std::filesystem::path>& inputs, const LanguageNames& names, const RowNotes& notes,
                   const RowFormOptions& options);

//! Texts of the chosen rows (contents and answers, or documents), for training a tokenizer. Throws Error like prepare.
std::vector<std::string> collect_texts(const PrepareOptions& options);

//! The rows of the inputs as `prepare` reads them, in order and with their languages; `line` counts over all inputs. .h5 inputs
//! have none. All are read, and the chosen ones kept in memory, before the first is given. `notes`: what was seen of them. Throws
//! Error like prepare.
void read_rows(const PrepareOptions& options, const std::function<void(std::int64_t line, PreferenceRow&& row)>& row,
               RowNotes* notes = nullptr);

//! Table of the report, one line a language: rows read, kept, too long, tied; token quantiles 5/50/95/max; tokens per character;
//! and the notes.
std::string format_report(const std::map<std::string, LanguageReport>& report);
//! What a user should know of the items, a line each: empty answers, ids that occur more than once.
std::string format_notes(const std::map<std::string, LanguageReport>& report);
//! With the notes: the forms before it; after it rows that gave no item, and columns that nothing was read from.
std::string format_report(const std::map<std::string, LanguageReport>& report, const RowNotes& notes);

}  // namespace xlrm
