#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! A language's name as data sets write it ("ko", "kor_Hang", "Korean", "zh-CN", "hin_Latn", "pt-BR"), taken apart.
struct LanguageTag {
    //! ISO 639-1; with the script in lower case where it is not the language's usual one: "hi-latn", "zh-hant" (also for zh-TW,
    //! zh-HK, zh-MO). A name that is not known is kept, in lower case, so that no row is lost.
    std::string code;
    std::string region;  //!< what else the name says, in lower case: "br", "419", "br-polite"; mostly ""
    std::string full() const { return region.empty() ? code : code + "-" + region; }
};
LanguageTag parse_language(std::string_view name);

//! parse_language(name).code.
std::string canonical_language(std::string_view name);

//! Whether `name` begins with the code or the name of a language ("en", "zh-CN", "yue"; not "url").
bool is_known_language(std::string_view name);

//! The names of languages that one input has (all rows of the files of one option), and what becomes of them. A language is
//! called by its code; where the input names two regions of one code, each is a language of its own ("pt-br", "pt-pt"), and a
//! name without a region stays the code. So the languages depend on all names of the input: add them first, on every rank alike.
class LanguageNames {
public:
    void add(const std::string& name, std::int64_t rows = 1) { rows_[name] += rows; }
    const std::map<std::string, std::int64_t>& rows() const { return rows_; }  //!< by name

    //! The language that rows of `name` are in.
    std::string of(std::string_view name) const;
    //! Whether a row of `name` is meant by `wanted`, a language that a user asks for. A code means all of its regions. A code
    //! with a region means that region's rows, or, where the input has none, those that name no region.
    bool means(std::string_view wanted, std::string_view name) const;
    //! All languages.
    std::vector<std::string> languages() const;
    //! "kor_Hang (3 rows) and ko (1 row) are both read as 'ko'", for each language with more than one name.
    std::vector<std::string> merged() const;

private:
    bool has_region(const LanguageTag& tag) const;
    std::map<std::string, std::int64_t> rows_;
};

}  // namespace xlrm
