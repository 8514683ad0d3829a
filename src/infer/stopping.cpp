#include "xlrm/infer/stopping.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {

const char* name_of(FinishReason reason) {
    switch (reason) {
        case FinishReason::stop:
            return "stop";
        case FinishReason::length:
            return "length";
        case FinishReason::stop_string:
            return "stop_string";
    }
    return "";
}

FinishReason parse_finish_reason(const std::string& name, const std::string& where) {
    for (const FinishReason reason : {FinishReason::stop, FinishReason::length, FinishReason::stop_string})
        if (name == name_of(reason)) return reason;
    fail(where + ": finish_reason '" + name + "' is none of stop, length, stop_string");
}

void require_valid(const StopRules& rules) {
    require(rules.max_new_tokens > 0, "--max-new-tokens must be 1 or more", ExitCode::usage);
    for (const std::string& text : rules.stop_strings) {
        require(!text.empty(), "--stop: an empty text ends everything at once; leave it out", ExitCode::usage);
        require(is_valid_utf8(text), "--stop: a text is not UTF-8, so no text can hold it", ExitCode::usage);
    }
}

namespace {

struct Found {
    std::size_t at = std::string::npos;
    std::string_view text;
};

Found find_first(std::string_view text, const std::vector<std::string>& wanted, std::size_t from) {
    Found first;
    for (const std::string& one : wanted) {
        const std::size_t at = text.find(one, from);
        if (at < first.at) first = {at, one};
    }
    return first;
}

}  // namespace

GeneratedText::GeneratedText(const Tokenizer& tokenizer, const StopRules& rules)
    : tokenizer_(tokenizer), rules_(rules), decoder_(tokenizer) {
    for (const std::string& text : rules.stop_strings) longest_ = std::max(longest_, text.size());
}

std::optional<FinishReason> GeneratedText::push(std::int32_t token) {
    tokens_.push_back(token);
    stopped_ = !rules_.ignore_eos && std::ranges::count(rules_.stop_ids, token) > 0;
    if (stopped_) return FinishReason::stop;
    if (longest_ > 0 && tokenizer_.has(token)) {
        const std::size_t settled = decoder_.settled();
        decoder_.push(token);
        // What was settled has been searched; a stop string may begin before its end.
        const std::size_t from = settled - std::min(settled, longest_ - 1);
        found_ = find_first(std::string_view(decoder_.text()).substr(0, decoder_.complete()), rules_.stop_strings, from).text;
        if (!found_.empty()) return FinishReason::stop_string;
    }
    if (static_cast<std::int64_t>(tokens_.size()) >= rules_.max_new_tokens) return FinishReason::length;
    return {};
}

std::string GeneratedText::text() const {
    std::vector<std::int32_t> ids = tokens_;
    if (stopped_) ids.pop_back();
    std::erase_if(ids, [&](std::int32_t id) { return !tokenizer_.has(id); });
    const std::string text = tokenizer_.decode(ids);
    return found_.empty() ? text : text.substr(0, text.find(found_));
}

}  // namespace xlrm
