#include "pre_tokenizer.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// GPT-2's expression, which ByteLevel uses when `use_regex` is on.
const std::string kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

std::string quoted(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

}  // namespace

PreTokenizer::PreTokenizer(const nlohmann::json& json, const std::string& where) {
    add(json, where);
    require(closed_, where + ": it ends without ByteLevel (only byte-level BPE is supported)");
}

void PreTokenizer::add(const nlohmann::json& json, const std::string& where) {
    require(json.is_object() && json.contains("type"), where + ": an object with a type is expected");
    const std::string type = json.at("type").get<std::string>();
    if (type == "Sequence") {
        for (const auto& part : json.at("pretokenizers")) add(part, where);
        return;
    }
    if (closed_) fail(where + ": " + type + " behind ByteLevel is not supported");
    if (type == "ByteLevel") {
        before_prefix_ = stages_.size();
        add_prefix_space_ = json.value("add_prefix_space", true);
        if (json.value("use_regex", true)) stages_.push_back({Regex(kGpt2, where), Behaviour::isolated, false});
        closed_ = true;
    } else if (type == "Split") {
        const auto& pattern = json.at("pattern");
        const std::string expression = pattern.contains("Regex") ? pattern.at("Regex").get<std::string>()
                                                                 : quoted(pattern.at("String").get<std::string>());
        const std::string behaviour = json.at("behavior").get<std::string>();
        if (behaviour != "Isolated" && behaviour != "Removed") fail(where + ": Split with behavior " + behaviour + " is not supported");
        stages_.push_back({Regex(expression, where), behaviour == "Isolated" ? Behaviour::isolated : Behaviour::removed,
                           json.value("invert", false)});
    } else if (type == "Digits") {
        stages_.push_back({Regex(json.value("individual_digits", false) ? "\\p{N}" : "\\p{N}+", where), Behaviour::isolated, false});
    } else {
        fail(where + ": " + type + " is not supported");
    }
}

void PreTokenizer::apply(const Stage& stage, std::string_view text, Scratch& scratch) {
    const auto emit = [&](std::size_t begin, std::size_t end, bool match) {
        if (begin == end || (stage.behaviour == Behaviour::removed && match != stage.invert)) return;
        scratch.next.push_back(text.substr(begin, end - begin));
    };
    std::size_t done = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t from = 0;
    while (from <= text.size() && stage.regex.find(text, from, *scratch.regex, begin, end)) {
        emit(done, begin, false);
        emit(begin, end, true);
        done = end;
        from = end;
        if (end == begin) {  // an empty match: go on behind the next character
            ++from;
            while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0U) == 0x80U) ++from;
        }
    }
    emit(done, text.size(), false);
}

void PreTokenizer::split(std::string_view text, Scratch& scratch) const {
    scratch.words.clear();
    scratch.prefixed.clear();
    if (!text.empty()) scratch.words.push_back(text);
    for (std::size_t i = 0; i <= stages_.size(); ++i) {
        if (i == before_prefix_ && add_prefix_space_) {
            for (std::string_view& word : scratch.words) {
                if (word.front() != ' ') word = scratch.prefixed.emplace_back(std::string(1, ' ').append(word));
            }
        }
        if (i == stages_.size()) break;
        scratch.next.clear();
        for (const std::string_view word : scratch.words) apply(stages_[i], word, scratch);
        scratch.words.swap(scratch.next);
    }
}

}  // namespace xlrm
