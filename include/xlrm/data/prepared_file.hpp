#pragma once

#include <filesystem>

#include "xlrm/data/prepare.hpp"

namespace xlrm {

//! A file that keeps what `prepare` makes of some inputs in several languages, tied pairs included, so that whoever wants some of
//! these languages with the same options reads them (PrepareOptions::prepared) and need not tokenise. It is an items file
//! (items_file.hpp) with more attributes:
//!     recipe          what it was made of, as the writer says it
//!     files_sha256    of the inputs, in their order
//!     lang_names      {name: rows} of all rows of the inputs, also of languages that the file does not hold
//!     tied_characters {lang: characters of tied pairs}
//! `.sha256` beside it holds its hash as sha256sum writes it.

//! Whether the languages of each selection can be told apart in such a file: not where two names of the inputs are one language
//! (LanguageNames::of) of which a selection means one alone ("pt-BR" of rows that are named pt-BR and pt).
bool can_select(const LanguageNames& names, const std::vector<std::vector<std::string>>& selections);

//! Writes what prepare made with keep_tied, whole or not at all, the hash before the name. Throws Error(io).
void write_prepared(const std::filesystem::path& path, const Prepared& prepared, const Json& recipe);

//! What prepare would make of options.inputs (which are not read) for options.langs, from the file options.prepared: the same
//! items, report and attributes. Reads the tokens of these languages a few megabytes at a time. Throws Error for a language that
//! the inputs lack, and for a file of other options, tokenizer or template.
Prepared read_prepared(const PrepareOptions& options, const Tokenizer& tokenizer, const ChatTemplate& chat_template);

}  // namespace xlrm
