#include "xlrm/store/samples_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json_line.hpp"

namespace xlrm {
namespace {

constexpr std::array<const char*, 11> kFields = {"id",   "occurrence", "lang",    "prompt",        "sample",       "seed",
                                                 "text", "tokens",     "logprob", "finish_reason", "detected_lang"};

[[noreturn]] void fail_field(const std::string& where, const char* field, const char* wanted) {
    fail(where + ": field '" + field + "' must be " + wanted);
}

const Json& member(const Json& object, const char* field, const std::string& where) {
    const auto found = object.find(field);
    if (found == object.end()) fail(where + ": field '" + field + "' is missing; a line of samples.jsonl is expected");
    return *found;
}

std::string text_of(const Json& object, const char* field, const std::string& where) {
    const Json& value = member(object, field, where);
    if (!value.is_string()) fail_field(where, field, "a text");
    return value.get<std::string>();
}

std::int32_t number_of(const Json& value, const char* field, const std::string& where) {
    if (!value.is_number_integer() || value.get<std::int64_t>() < 0 ||
        value.get<std::int64_t>() > std::numeric_limits<std::int32_t>::max())
        fail_field(where, field, "a whole number, 0 or more");
    return value.get<std::int32_t>();
}

}  // namespace

std::string sample_line(const Sample& sample) {
    Json line = Json::object();
    line["id"] = sample.prompt_key.id;
    line["occurrence"] = sample.prompt_key.occurrence;
    line["lang"] = sample.prompt_key.lang;
    line["prompt"] = sample.prompt;
    line["sample"] = sample.sample;
    line["seed"] = sample.seed;
    line["text"] = sample.text;
    line["tokens"] = sample.tokens;
    line["logprob"] = sample.logprob;
    line["finish_reason"] = sample.finish_reason;
    if (!sample.detected_lang.empty()) line["detected_lang"] = sample.detected_lang;
    if (sample.more.is_object())
        for (const auto& [name, value] : sample.more.items()) line[name] = value;
    return dump_line(line);
}

Sample parse_sample(std::string_view text, const std::string& where) {
    const Json line = parse_json(text, where, kRowDepth);
    require(line.is_object(), where + ": a JSON object is expected");
    Sample sample;
    sample.prompt_key.id = text_of(line, "id", where);
    sample.prompt_key.lang = text_of(line, "lang", where);
    sample.prompt_key.occurrence = number_of(member(line, "occurrence", where), "occurrence", where);
    sample.prompt = member(line, "prompt", where);
    if (!sample.prompt.is_string() && !sample.prompt.is_array()) fail_field(where, "prompt", "a text or a list of messages");
    sample.sample = number_of(member(line, "sample", where), "sample", where);
    const Json& seed = member(line, "seed", where);
    if (!seed.is_number_integer() || (!seed.is_number_unsigned() && seed.get<std::int64_t>() < 0))
        fail_field(where, "seed", "a whole number, 0 or more");
    sample.seed = seed.get<std::uint64_t>();
    sample.text = text_of(line, "text", where);
    const Json& tokens = member(line, "tokens", where);
    if (!tokens.is_array()) fail_field(where, "tokens", "a list of token ids");
    for (const Json& token : tokens) sample.tokens.push_back(number_of(token, "tokens", where));
    const Json& logprob = member(line, "logprob", where);
    if (!logprob.is_number()) fail_field(where, "logprob", "a number");
    sample.logprob = logprob.get<double>();
    sample.finish_reason = text_of(line, "finish_reason", where);
    if (sample.finish_reason != "stop" && sample.finish_reason != "length" && sample.finish_reason != "stop_string")
        fail_field(where, "finish_reason", "stop, length or stop_string");
    if (line.contains("detected_lang")) sample.detected_lang = text_of(line, "detected_lang", where);
    for (const auto& [name, value] : line.items())
        if (std::ranges::find(kFields, name) == kFields.end()) sample.more[name] = value;
    return sample;
}

void for_each_sample(const std::filesystem::path& path, const std::function<void(std::int64_t, Sample&&)>& sample) {
    std::set<std::pair<PromptKey, std::int32_t>> seen;
    for_each_line(path, [&](std::int64_t number, std::string_view line) {
        if (line.empty()) return;
        const std::string where = path.string() + ":" + std::to_string(number);
        Sample one = parse_sample(line, where);
        if (!seen.emplace(one.prompt_key, one.sample).second)
            fail(where + ": sample " + std::to_string(one.sample) + " of '" + one.prompt_key.id + "' (" + one.prompt_key.lang +
                 ", occurrence " + std::to_string(one.prompt_key.occurrence) +
                 ") is there twice, so it would count twice; remove one of the lines");
        sample(number, std::move(one));
    });
}

}  // namespace xlrm
