#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "xlrm/eval/judge_parser.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! What a judge is asked, from a file of the user's or of jobs/judges:
//!
//!     # comments and empty lines at the beginning
//!     name = pair
//!     version = 1
//!     form = pair
//!     [system]                       # may be left out
//!     …
//!     [user]
//!     … {question} … {answer_a} … {answer_b}
//!
//! `form` is pair, ranking or rating (JudgeForm). A section is all lines after its own up to the next section or the end of the
//! file; empty lines at its end do not count, so a file may end in a line end. {name} is a placeholder, {{ and }} are braces (as
//! in Python's str.format, so that published prompts can be copied). Placeholders that a form must have: question, and answer_a,
//! answer_b (pair), answer_a to answer_d (ranking), answer (rating). All may have question_language and answer_language, the
//! English names of languages.
class JudgePrompt {
public:
    //! Throws Error naming file and line: an unknown field, section or placeholder, one that is missing, a single brace, a
    //! section twice; Error(io).
    static JudgePrompt read(const std::filesystem::path& path);
    //! The same from text; `where` stands in messages.
    static JudgePrompt parse(std::string_view text, const std::string& where);

    const std::string& name() const { return name_; }
    std::int64_t version() const { return version_; }
    JudgeForm form() const { return form_; }
    //! SHA-256 of the file's bytes.
    const std::string& sha256() const { return sha256_; }
    bool names_languages() const;

    //! The messages for a judge: a system message where there is one, and the user's. `values` by placeholder; what they hold is
    //! taken as it is, braces included. Throws Error for a placeholder without a value.
    std::vector<ChatMessage> fill(const std::map<std::string, std::string>& values) const;

    //! "answer_a", … in the order of the answers, or "answer".
    static std::vector<std::string> answer_names(JudgeForm form);

private:
    struct Piece {
        std::string text;       //!< or a placeholder's name
        std::int64_t line = 0;  //!< of the placeholder; 0 = plain text
    };
    struct Section {
        std::string role;
        std::vector<Piece> pieces;
    };
    static Section read_section(const std::string& role, std::string_view text, std::int64_t first_line,
                                const std::string& where);
    void read_field(std::string_view line, const std::string& place);
    void require_complete(const std::string& where) const;
    std::string name_, sha256_;
    std::int64_t version_ = 0;
    JudgeForm form_ = JudgeForm::pair;
    bool has_form_ = false;
    std::vector<Section> sections_;
};

}  // namespace xlrm
