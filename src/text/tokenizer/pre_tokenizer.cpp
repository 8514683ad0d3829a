#include "pre_tokenizer.hpp"

#include <algorithm>

#include "byte_level.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// GPT-2's expression, which ByteLevel uses when `use_regex` is on.
const std::string kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// \w of Rust's expressions, which are not Oniguruma's.
const std::string kRustWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d)";
// Numbers of Rust's characters, which know Unicode 17.0.
const std::string kDigit = R"([\p{N}\x{11DE0}-\x{11DE9}\x{16FF4}-\x{16FF6}])";
// Punctuation of Unicode 8.0 (the library's table) and of ASCII.
const std::string kPunctuation =
    R"((?:[\p{P}$+<=>^`|~](?<![\u061D\u09FD\u0A76\u0C77\u0C84\u1B4E\u1B4F\u1B7D-\u1B7F\u2E43-\u2E4F\u2E52-\u2E5D\x{10D6E}\x{10EAD}\x{10F55}-\x{10F59})"
    R"(\x{10F86}-\x{10F89}\x{113D4}-\x{113D8}\x{1144B}-\x{1144F}\x{1145A}\x{1145B}\x{1145D}\x{11660}-\x{1166C}\x{116B9}\x{1183B}\x{11944}-\x{11946})"
    R"(\x{119E2}\x{11A3F}-\x{11A46}\x{11A9A}-\x{11AA2}\x{11B00}-\x{11BE1}\x{11C41}-\x{11C71}\x{11EF7}\x{11EF8}\x{11F43}-\x{11F4F}\x{11FFF}\x{12FF1})"
    R"(\x{12FF2}\x{16D6D}-\x{16D6F}\x{16E97}-\x{16E9A}\x{16FE2}\x{1E5FF}\x{1E95E}\x{1E95F}])|[\u166D\x{111C9}]))";

}  // namespace

PreTokenizer::PreTokenizer(const nlohmann::json& json, const std::string& where, bool raw_bytes) {
    if (!json.is_null()) add(json, where);
    const auto is_alphabet = [](const Stage& stage) { return std::holds_alternative<ByteAlphabet>(stage); };
    gives_raw_bytes_ = raw_bytes && !stages_.empty() && is_alphabet(stages_.back()) &&
                       std::count_if(stages_.begin(), stages_.end(), is_alphabet) == 1;
    if (gives_raw_bytes_) stages_.pop_back();
}

PreTokenizer::Behaviour PreTokenizer::behaviour_named(const std::string& name, const std::string& where) {
    if (name == "Isolated") return Behaviour::isolated;
    if (name == "Removed") return Behaviour::removed;
    if (name == "Contiguous") return Behaviour::contiguous;
    if (name == "MergedWithPrevious") return Behaviour::with_previous;
    if (name == "MergedWithNext") return Behaviour::with_next;
    fail(where + ": behavior " + name + " is not known");
}

void PreTokenizer::add_split(const std::string& expression, Behaviour behaviour, bool invert, const std::string& where) {
    stages_.push_back(Split{Regex(expression, where), behaviour, invert});
}

void PreTokenizer::add(const nlohmann::json& json, const std::string& where) {
    require(json.is_object() && json.contains("type"), where + ": an object with a type is expected");
    const std::string type = json.at("type").get<std::string>();
    if (type == "Sequence") {
        for (const auto& part : json.at("pretokenizers")) add(part, where);
    } else if (type == "ByteLevel") {
        if (json.value("add_prefix_space", true)) stages_.push_back(PrefixSpace{});
        if (json.value("use_regex", true)) add_split(kGpt2, Behaviour::isolated, false, where);
        stages_.push_back(ByteAlphabet{});
    } else if (type == "Metaspace") {
        add_metaspace(json, where);
    } else if (type == "Split") {
        add_split(pattern_expression(json.at("pattern"), where + ": Split"),
                  behaviour_named(json.at("behavior").get<std::string>(), where + ": Split"), json.value("invert", false), where);
    } else if (type == "Digits") {
        add_split(json.value("individual_digits", false) ? kDigit : kDigit + "+", Behaviour::isolated, false, where);
    } else if (type == "Punctuation") {
        add_split(kPunctuation, behaviour_named(json.value("behavior", "Isolated"), where + ": Punctuation"), false, where);
    } else if (type == "Whitespace") {
        add_split("[" + kRustWord + "]+|[^\\s" + kRustWord + "]+", Behaviour::removed, true, where);
    } else if (type == "WhitespaceSplit") {
        add_split(R"(\s+)", Behaviour::removed, false, where);
    } else if (type == "BertPreTokenizer") {
        add_split(R"(\s+)", Behaviour::removed, false, where);
        add_split(kPunctuation, Behaviour::isolated, false, where);
    } else if (type == "CharDelimiterSplit" || type == "Delimiter") {
        add_split(quoted_expression(json.at("delimiter").get<std::string>()), Behaviour::removed, false, where);
    } else {
        fail(where + ": " + type + " is not supported");
    }
}

void PreTokenizer::add_metaspace(const nlohmann::json& json, const std::string& where) {
    Metaspace stage{json.at("replacement").get<std::string>(), Metaspace::Prepend::always, true};
    const std::string scheme = json.value("prepend_scheme", "always");
    if (scheme == "first")
        stage.prepend = Metaspace::Prepend::first;
    else if (scheme == "never")
        stage.prepend = Metaspace::Prepend::never;
    else if (scheme != "always")
        fail(where + ": Metaspace with prepend_scheme " + scheme + " is not known");
    const bool bare =
        json.contains("add_prefix_space") && json.at("add_prefix_space").is_boolean() && !json.at("add_prefix_space").get<bool>();
    if (bare && scheme != "never")
        fail(where + ": Metaspace with add_prefix_space false and prepend_scheme " + scheme + " contradicts itself");
    if (json.contains("split") && json.at("split").is_boolean()) stage.split = json.at("split").get<bool>();
    if (stage.replacement.empty()) fail(where + ": Metaspace without a replacement");
    stages_.push_back(std::move(stage));
}

void PreTokenizer::split(std::string_view text, bool at_begin, Scratch& scratch) const {
    scratch.words.clear();
    scratch.owned.clear();
    scratch.first_begins = at_begin;
    if (!text.empty()) scratch.words.push_back(text);
    for (const Stage& stage : stages_) std::visit([&](const auto& one) { one.apply(scratch); }, stage);
}

}  // namespace xlrm
