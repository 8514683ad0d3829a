#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/store/items.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/preference_row.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

enum class OverLength { drop, left, right, error };
OverLength parse_over_length(const std::string& name);

struct PrepareOptions {
    std::vector<std::filesystem::path> inputs;   //!< .jsonl, .jsonl.gz, .h5 (already prepared for this tokenizer and template)
    std::vector<std::string> langs;              //!< canonical; empty = all
    RowKind kind = RowKind::preference;
    std::int64_t max_length = 2048;              //!< tokens of a whole text
    OverLength over_length = OverLength::drop;
    std::string split;                           //!< "train=0.6,test=0.4" or ""
    std::string part;                            //!< which part to keep; "" = all
    std::string default_lang = "en";
};

//! Counts of one language.
struct LanguageReport {
    std::int64_t read = 0, kept = 0, too_long = 0, tied = 0;
    std::vector<std::int32_t> lengths;           //!< tokens of every kept text, for quantiles
    std::int64_t characters = 0;                 //!< code points of kept texts
};

struct Prepared {
    ItemSet set;
    std::map<std::string, LanguageReport> report;  //!< by language
};

//! Collective. Every rank reads, each tokenises its share of the rows, all get the whole set in input order: the same on any
//! rank count. Throws Error (the same on every rank) for a malformed row, over-length text under `error`, a language of
//! `langs` that no row has.
Prepared prepare(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer, const ChatTemplate& chat_template);

//! Table of the report, one line a language: rows read, kept, too long, tied; token quantiles 5/50/95/max; tokens per character.
std::string format_report(const std::map<std::string, LanguageReport>& report);

}  // namespace xlrm
