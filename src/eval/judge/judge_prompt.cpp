#include "xlrm/eval/judge_prompt.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/lists.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

std::string at_line(const std::string& where, std::int64_t line) { return where + ":" + std::to_string(line); }

const std::set<std::string>& language_names() {
    static const std::set<std::string> names = {"question_language", "answer_language"};
    return names;
}

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

std::vector<std::string> JudgePrompt::answer_names(JudgeForm form) {
    switch (form) {
        case JudgeForm::pair:
            return {"answer_a", "answer_b"};
        case JudgeForm::ranking:
            return {"answer_a", "answer_b", "answer_c", "answer_d"};
        case JudgeForm::rating:
            break;
    }
    return {"answer"};
}

JudgePrompt JudgePrompt::read(const std::filesystem::path& path) { return parse(read_file(path), path.string()); }

JudgePrompt JudgePrompt::parse(std::string_view text, const std::string& where) {
    JudgePrompt prompt;
    prompt.sha256_ = xlrm::sha256(text);
    require(is_valid_utf8(text), where + ": not UTF-8");
    std::string role;
    std::string section;
    std::int64_t first_line = 0;
    const auto close = [&] {
        if (role.empty()) return;
        while (section.ends_with('\n')) section.pop_back();
        prompt.sections_.push_back(read_section(role, section, first_line, where));
    };
    std::int64_t number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line == "[system]" || line == "[user]") {
            close();
            role = line.substr(1, line.size() - 2);
            section.clear();
            first_line = number + 1;
            for (const Section& other : prompt.sections_)
                if (other.role == role) fail(at_line(where, number) + ": section [" + role + "] is there twice");
        } else if (!role.empty()) {
            section.append(line).append("\n");
        } else if (!trimmed(std::string(line)).empty() && !line.starts_with('#')) {
            prompt.read_field(line, at_line(where, number));
        }
    }
    close();
    prompt.require_complete(where);
    return prompt;
}

void JudgePrompt::read_field(std::string_view line, const std::string& place) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos)
        fail(place + ": '" + std::string(line) + "' is neither 'name = value', a comment nor [system] or [user]");
    const std::string field = trimmed(std::string(line.substr(0, equals)));
    const std::string value = trimmed(std::string(line.substr(equals + 1)));
    if (field == "name") {
        name_ = value;
    } else if (field == "version") {
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), version_);
        if (error != std::errc() || end != value.data() + value.size() || version_ < 1)
            fail(place + ": version '" + value + "' is not a whole number, 1 or more");
    } else if (field == "form") {
        form_ = parse_judge_form(value, place);
        has_form_ = true;
    } else {
        fail(place + ": field '" + field + "' is none of name, version, form");
    }
}

JudgePrompt::Section JudgePrompt::read_section(const std::string& role, std::string_view text, std::int64_t first_line,
                                               const std::string& where) {
    Section section{role, {}};
    std::string plain;
    std::int64_t line = first_line;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\n') ++line;
        if (c != '{' && c != '}') {
            plain += c;
            continue;
        }
        if (at + 1 < text.size() && text[at + 1] == c) {
            plain += c;
            ++at;
            continue;
        }
        const std::size_t end = c == '{' ? text.find('}', at) : std::string_view::npos;
        const std::string_view name = end == std::string_view::npos ? std::string_view{} : text.substr(at + 1, end - at - 1);
        if (!is_name(name))
            fail(at_line(where, line) + ": '" + std::string(1, c) +
                 "' begins or ends no placeholder; write it twice where it is meant");
        section.pieces.push_back({std::move(plain)});
        section.pieces.push_back({std::string(name), line});
        plain.clear();
        at = end;
    }
    section.pieces.push_back({std::move(plain)});
    return section;
}

void JudgePrompt::require_complete(const std::string& where) const {
    require(!name_.empty(), where + ": 'name = …' is missing; results say which prompt was used by its name");
    require(version_ > 0, where + ": 'version = …' is missing; it must change whenever the prompt does");
    require(has_form_, where + ": 'form = …' is missing (pair, ranking or rating)");
    require(std::ranges::any_of(sections_, [](const Section& section) { return section.role == "user"; }),
            where + ": section [user] is missing");
    std::set<std::string> wanted = {"question"};
    for (const std::string& name : answer_names(form_)) wanted.insert(name);
    std::set<std::string> found;
    for (const Section& section : sections_) {
        for (const Piece& piece : section.pieces) {
            if (piece.line == 0) continue;
            found.insert(piece.text);
            if (wanted.contains(piece.text) || language_names().contains(piece.text)) continue;
            std::string known;
            for (const std::string& one : wanted) known += one + ", ";
            fail(at_line(where, piece.line) + ": placeholder {" + piece.text + "} is unknown in a prompt of the form " +
                 name_of(form_) + "; known are " + known + "question_language, answer_language");
        }
    }
    for (const std::string& name : wanted)
        if (!found.contains(name))
            fail(where + ": placeholder {" + name + "} is missing, so the judge would not see it (a prompt of the form " +
                 name_of(form_) + ")");
}

bool JudgePrompt::names_languages() const {
    for (const Section& section : sections_)
        for (const Piece& piece : section.pieces)
            if (piece.line > 0 && language_names().contains(piece.text)) return true;
    return false;
}

std::vector<ChatMessage> JudgePrompt::fill(const std::map<std::string, std::string>& values) const {
    std::vector<ChatMessage> messages;
    for (const Section& section : sections_) {
        ChatMessage message;
        message.role = section.role;
        for (const Piece& piece : section.pieces) {
            if (piece.line == 0) {
                message.content += piece.text;
                continue;
            }
            const auto value = values.find(piece.text);
            if (value == values.end()) fail("prompt " + name_ + ": placeholder {" + piece.text + "} has no value");
            message.content += value->second;
        }
        messages.push_back(std::move(message));
    }
    return messages;
}

}  // namespace xlrm
