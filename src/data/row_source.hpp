#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "rated_rows.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/data/prepare.hpp"

namespace xlrm {

//! The rows of PrepareOptions::inputs that a rank owns: chosen languages and part, documents of a line concatenated if asked.
//! Lines are dealt to ranks in blocks, so that every rank has its share of every file.
class RowSource {
public:
    RowSource(const PrepareOptions& options, int rank, int size);

    //! `row(line, where, row)`, in input order; `line` counts over all inputs. An .h5 input is skipped: its items are tokens
    //! already.
    void for_each(const std::function<void(std::int64_t line, const std::string& where, PreferenceRow&& row)>& row);
    //! Whether `id` in a language of this name may be among the chosen. All names of the input decide in the end: settle().
    bool chosen(const std::string& id, const std::string& lang_name);
    //! Notes a name of a language that the data have.
    void saw(const std::string& lang_name) { names_.add(lang_name); }
    //! All names of the lines owned, chosen or not.
    const LanguageNames& names() const { return names_; }
    //! What was seen of the lines owned.
    const RowNotes& notes() const { return notes_; }
    //! The line that is being read, for the order of errors.
    std::int64_t line() const { return line_; }

private:
    bool may_be_wanted(const std::string& lang_name);
    std::vector<PreferenceRow> rows_of(Json&& object, const std::filesystem::path& path, std::int64_t number);
    PreferenceRow concatenated(std::vector<PreferenceRow>&& rows) const;

    const PrepareOptions& options_;
    Split split_;
    LanguageNames names_;
    RowNotes notes_;
    std::map<std::string, bool> wanted_;  //!< by name of a language
    int rank_, size_;
    std::int64_t line_ = 0;
};

//! What the names of an input's languages come to, once all of them are known.
class SettledLanguages {
public:
    //! `wanted` as PrepareOptions::langs.
    SettledLanguages(const LanguageNames& names, const std::vector<std::string>& wanted);
    //! The language of a row of that name; of a document of several, "en+ko".
    std::string of(const std::string& lang_name) const;
    //! Whether rows of that name are among the wanted.
    bool wanted(const std::string& lang_name) const;

private:
    struct Language {
        std::string name;
        bool wanted = true;
    };
    std::map<std::string, Language> languages_;
};

//! `wanted`, each as the input calls it: "ko-KR" is "ko" unless the input names other regions. Throws Error for one that no row
//! has.
std::vector<std::string> require_languages(const LanguageNames& names, const std::vector<std::string>& wanted);

}  // namespace xlrm
