#include "xlrm/eval/judge_batch.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json_line.hpp"
#include "xlrm/core/language.hpp"

namespace xlrm {
namespace {

constexpr std::size_t kNamed = 5;

// A row of either form, brought to one.
struct ReplyRow {
    JudgeRequest request;
    std::optional<std::string> text, verdict;
    std::string error;  // of the service
    bool cut_off = false;
};

std::string text_field(const Json& row, const char* field, const std::string& where) {
    const auto found = row.find(field);
    if (found == row.end()) fail(where + ": field '" + field + "' is missing");
    if (!found->is_string()) fail(where + ": field '" + field + "' must be a text");
    return found->get<std::string>();
}

// The same, or a whole number as its digits.
std::string text_or_number_field(const Json& row, const char* field, const std::string& where) {
    const auto found = row.find(field);
    return found != row.end() && found->is_number_integer() ? found->dump() : text_field(row, field, where);
}

ReplyRow read_own_row(const Json& row, bool needs_order, JudgeForm form, const std::string& where) {
    const auto read = form == JudgeForm::rating ? text_or_number_field : text_field;  // "order": 2, "verdict": 7
    ReplyRow result;
    const Json& id = row.contains("id") ? row.at("id") : Json();
    require(id.is_string() || id.is_number_integer(), where + ": field 'id' must be a text or a whole number");
    result.request.id = id.is_string() ? id.get<std::string>() : id.dump();
    result.request.lang = text_field(row, "lang", where);
    if (needs_order || row.contains("order")) result.request.order = read(row, "order", where);
    if (row.contains("occurrence")) {
        require(row.at("occurrence").is_number_integer(), where + ": field 'occurrence' must be a whole number");
        result.request.occurrence = row.at("occurrence").get<std::int32_t>();
    }
    if (row.contains("text")) result.text = text_field(row, "text", where);
    if (row.contains("verdict")) result.verdict = read(row, "verdict", where);
    require(result.text || result.verdict, where + ": a row needs 'text' or 'verdict'");
    result.cut_off = row.contains("finish_reason") && row.at("finish_reason") == "length";
    return result;
}

ReplyRow read_batch_row(const Json& row, const std::string& where) {
    ReplyRow result;
    result.request = parse_custom_id(text_field(row, "custom_id", where), where);
    const Json response = row.value("response", Json());
    const Json body = response.is_object() ? response.value("body", Json()) : Json();
    const Json error = row.contains("error") && !row.at("error").is_null() ? row.at("error")
                       : body.is_object() && body.contains("error")        ? body.at("error")
                                                                           : Json();
    if (!error.is_null()) {
        result.error = error.is_object() && error.contains("message") ? dump_line(error.at("message")) : dump_line(error);
        return result;
    }
    const auto choices = body.is_object() ? body.find("choices") : body.end();
    const bool whole = body.is_object() && choices != body.end() && choices->is_array() && !choices->empty() &&
                       choices->front().is_object() && choices->front().contains("message") &&
                       choices->front().at("message").is_object();
    require(whole, where + ": no response.body.choices[0].message; a line of OpenAI's batch output is expected");
    const Json& content = choices->front().at("message").value("content", Json());
    result.text = content.is_string() ? content.get<std::string>() : "";  // null: a refusal, a text that says nothing
    result.cut_off = choices->front().value("finish_reason", Json()) == "length";
    return result;
}

ImportedReply reply_of(const ReplyRow& row, const JudgeParser& parser, JudgeForm form, const std::string& where) {
    ImportedReply imported;
    imported.text = row.text.value_or("");
    imported.reply.cut_off = row.cut_off;
    if (row.verdict) imported.reply.verdict = parse_verdict_name(*row.verdict, form, where);
    if (!row.text) return imported;
    const JudgeVerdict read = parser.parse(*row.text);
    if (row.verdict && !(read == imported.reply.verdict))
        fail(where + ": verdict '" + *row.verdict + "' contradicts the text, in which parser " + parser.name() + " reads '" +
             name_of(read) + "'; leave one of the two fields out");
    imported.reply.verdict = read;
    return imported;
}

// The request that a row is of: its language by the name that the data has, or by its code, with the region or without.
JudgeRequest request_of(const JudgeRequest& written, const std::set<JudgeRequest>& wanted) {
    JudgeRequest request = written;
    const LanguageTag tag = parse_language(written.lang);
    for (const std::string& lang : {written.lang, tag.full(), tag.code}) {
        request.lang = lang;
        if (wanted.contains(request)) return request;
    }
    return request;
}

std::string line_of(const std::vector<std::string>& names, const std::string& what) {
    std::string line = std::to_string(names.size()) + " " + what + ": ";
    for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) line += (i > 0 ? ", " : "") + names[i];
    return line + (names.size() > kNamed ? ", …" : "");
}

}  // namespace

std::string custom_id(const JudgeRequest& request) {
    return request.lang + "|" + request.order + "|" + std::to_string(request.occurrence) + "|" + request.id;
}

JudgeRequest parse_custom_id(const std::string& text, const std::string& where) {
    JudgeRequest request;
    const std::size_t first = text.find('|');
    const std::size_t second = first == std::string::npos ? first : text.find('|', first + 1);
    const std::size_t third = second == std::string::npos ? second : text.find('|', second + 1);
    if (third != std::string::npos) {
        request.lang = text.substr(0, first);
        request.order = text.substr(first + 1, second - first - 1);
        request.id = text.substr(third + 1);
        const auto [end, error] = std::from_chars(text.data() + second + 1, text.data() + third, request.occurrence);
        if (error == std::errc() && end == text.data() + third && custom_id(request) == text) return request;
    }
    fail(where + ": custom_id '" + text + "' is none that xlrm_judge export writes (language|order|occurrence|id)");
}

std::string batch_line(const JudgeRequest& request, const std::string& model, const std::vector<ChatMessage>& messages,
                       const Json& options) {
    Json body = {{"model", model}, {"messages", Json::array()}};
    for (const ChatMessage& message : messages)
        body["messages"].push_back({{"role", message.role}, {"content", message.content}});
    if (options.is_object())
        for (const auto& [name, value] : options.items()) body[name] = value;
    return dump_line(
        Json{{"custom_id", custom_id(request)}, {"method", "POST"}, {"url", "/v1/chat/completions"}, {"body", body}});
}

std::vector<std::string> ImportedReplies::report() const {
    std::vector<std::string> lines;
    if (!missing.empty()) lines.push_back(line_of(missing, "replies are missing"));
    if (!repeated.empty()) lines.push_back(line_of(repeated, "replies are there more than once (the first counts)"));
    if (!unknown.empty()) lines.push_back(line_of(unknown, "replies belong to no item of the data"));
    if (!failed.empty()) lines.push_back(line_of(failed, "requests failed at the service, so they have no verdict"));
    return lines;
}

ImportedReplies import_replies(const std::vector<std::filesystem::path>& files, const std::vector<JudgeRequest>& requests,
                               const JudgeParser& parser, JudgeForm form) {
    const std::set<JudgeRequest> wanted(requests.begin(), requests.end());
    const bool needs_order =
        std::ranges::any_of(requests, [](const JudgeRequest& request) { return request.order != JudgeRequest().order; });
    ImportedReplies result;
    std::set<JudgeRequest> seen;
    for (const std::filesystem::path& file : files) {
        for_each_line(file, [&](std::int64_t number, std::string_view line) {
            if (line.empty()) return;
            const std::string where = file.string() + ":" + std::to_string(number);
            const Json json = parse_json(line, where, kRowDepth);
            require(json.is_object(), where + ": a JSON object is expected");
            ReplyRow row =
                json.contains("custom_id") ? read_batch_row(json, where) : read_own_row(json, needs_order, form, where);
            row.request = request_of(row.request, wanted);
            const std::string name = custom_id(row.request);
            if (!wanted.contains(row.request)) {
                result.unknown.push_back(name);
                return;
            }
            if (!seen.insert(row.request).second) {
                result.repeated.push_back(name);
                return;
            }
            if (!row.error.empty()) result.failed.push_back(name + " (" + row.error + ")");
            result.replies[row.request] = row.error.empty()
                                              ? reply_of(row, parser, form, where)
                                              : ImportedReply{{.verdict = JudgeVerdict::none("the request failed")}, ""};
        });
    }
    for (const JudgeRequest& request : requests)
        if (!seen.contains(request)) result.missing.push_back(custom_id(request));
    return result;
}

}  // namespace xlrm
