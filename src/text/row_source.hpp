#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "xlrm/text/prepare.hpp"

namespace xlrm {

//! The rows of PrepareOptions::inputs that a rank owns: chosen languages and part, documents of a line concatenated if asked.
//! Lines are dealt to ranks in blocks, so that every rank has its share of every file.
class RowSource {
public:
    RowSource(const PrepareOptions& options, int rank, int size);

    //! `row(line, where, row)`, in input order; `line` counts over all inputs. An .h5 input is skipped: its items are tokens already.
    void for_each(const std::function<void(std::int64_t line, const std::string& where, PreferenceRow&& row)>& row);
    //! Whether `id` in language `lang` is among the chosen.
    bool chosen(const std::string& id, const std::string& lang) const;
    //! Notes a language that the data have.
    void saw(const std::string& lang) { languages_.insert(lang); }
    //! All languages of the lines owned, chosen or not.
    const std::set<std::string>& languages() const { return languages_; }
    //! The line that is being read, for the order of errors.
    std::int64_t line() const { return line_; }

private:
    std::vector<PreferenceRow> rows_of(Json&& object, const std::filesystem::path& path, std::int64_t number);
    PreferenceRow concatenated(std::vector<PreferenceRow>&& rows) const;

    const PrepareOptions& options_;
    Split split_;
    std::set<std::string> wanted_, languages_;
    int rank_, size_;
    std::int64_t line_ = 0;
};

bool is_prepared(const std::filesystem::path& path);  //!< .h5

}  // namespace xlrm
