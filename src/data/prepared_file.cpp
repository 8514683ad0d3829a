#include "xlrm/data/prepared_file.hpp"

#include <algorithm>
#include <set>

#include "assemble.hpp"
#include "prepared_attributes.hpp"
#include "row_source.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/store/items_file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwnAttributes[] = {"recipe", "files_sha256", "lang_names", "tied_characters"};

LanguageNames names_of(const Json& json) {
    LanguageNames names;
    for (const auto& [name, rows] : json.items()) names.add(name, rows.get<std::int64_t>());
    return names;
}

//! Languages that `wanted` means; nothing where a language is meant in part.
std::optional<std::set<std::string>> whole_languages(const LanguageNames& names, const std::vector<std::string>& wanted) {
    const SettledLanguages settled(names, wanted);
    std::set<std::string> meant;
    std::set<std::string> others;
    for (const auto& [name, rows] : names.rows()) (settled.wanted(name) ? meant : others).insert(names.of(name));
    const bool apart = std::ranges::none_of(meant, [&](const std::string& lang) { return others.contains(lang); });
    return apart ? std::optional(meant) : std::nullopt;
}

//! Options that decide what the items are, as the attributes of prepared items have them.
void check_options(const Json& attributes, const PrepareOptions& options) {
    const Json wanted = {{"kind", name_of(options.kind)},
                         {"max_length", options.max_length},
                         {"over_length", name_of(options.over_length)},
                         {"default_lang", options.default_lang},
                         {"split", options.split},
                         {"part", options.part},
                         {"concatenate", options.concatenate},
                         {"row_options", options.forms.content()}};
    for (const auto& [name, value] : wanted.items()) {
        if (attributes.value(name, Json()) != value)
            fail(options.prepared.string() + ": it was prepared with " + name + " = " + attributes.value(name, Json()).dump() +
                 ", not " + value.dump() + "; remove it, and the sweep prepares the rows again");
    }
    if (options.keep_tied && attributes.value("ties", "") != "keep")
        fail(options.prepared.string() + ": it was prepared without tied pairs, which an evaluation counts; remove it");
}

LanguageReport report_of(const Json& counts, const Json& tied_characters) {
    LanguageReport report;
    report.read = counts.at("read");
    report.kept = counts.at("kept");
    report.too_long = counts.at("too_long");
    report.tied = counts.at("tied");
    report.repeated = counts.at("repeated");
    report.empty = counts.at("empty");
    if (counts.contains("unread")) counts.at("unread").get_to(report.unread);
    report.characters = counts.at("characters");
    report.tied_characters = tied_characters;
    return report;
}

bool tied(const ItemSet& set, const Item& item) {
    if (item.answers != 2 || !item.labels.empty()) return false;
    const auto first = static_cast<std::size_t>(item.first_answer);
    return std::ranges::equal(set.answer_tokens(set.answers[first]), set.answer_tokens(set.answers[first + 1]));
}

ItemSet without_tied(const ItemSet& all, std::map<std::string, LanguageReport>& reports) {
    ItemSet set;
    set.attributes = all.attributes;
    for (const Item& item : all.items) {
        if (tied(all, item)) {
            --reports.at(item.lang).kept;
            continue;
        }
        Item kept = item;
        kept.first_answer = static_cast<std::int64_t>(set.answers.size());
        for (std::int64_t k = 0; k < item.answers; ++k) {
            Answer answer = all.answers[static_cast<std::size_t>(item.first_answer + k)];
            const auto tokens = all.answer_tokens(answer);
            answer.begin = static_cast<std::int64_t>(set.tokens.size());
            set.tokens.insert(set.tokens.end(), tokens.begin(), tokens.end());
            set.answers.push_back(answer);
        }
        set.items.push_back(std::move(kept));
    }
    for (auto& [lang, report] : reports) {
        report.characters -= report.tied_characters;
        report.tied_characters = 0;
        report.repeated = 0;
    }
    count_repeated(set, reports);
    return set;
}

//! Hashes of the inputs by name, as prepare writes them.
Json input_hashes(const std::vector<fs::path>& inputs, const Json& files_sha256, const fs::path& path) {
    require(inputs.size() == files_sha256.size(), path.string() + ": it was prepared from another number of files; remove it");
    Json hashes = Json::object();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::string name = inputs[i].filename().string();
        while (hashes.contains(name)) name += "'";
        hashes[name] = files_sha256.at(i);
    }
    return hashes;
}

}  // namespace

bool can_select(const LanguageNames& names, const std::vector<std::vector<std::string>>& selections) {
    return std::ranges::all_of(selections, [&](const auto& wanted) { return whole_languages(names, wanted).has_value(); });
}

void write_prepared(const fs::path& path, const Prepared& prepared, const Json& recipe) {
    ItemSet set = prepared.set;
    set.attributes["recipe"] = recipe;
    set.attributes["files_sha256"] = recipe.at("files_sha256");
    set.attributes["lang_names"] = Json::object();
    for (const auto& [name, rows] : prepared.names.rows()) set.attributes["lang_names"][name] = rows;
    set.attributes["tied_characters"] = Json::object();
    for (const auto& [lang, report] : prepared.report) set.attributes["tied_characters"][lang] = report.tied_characters;
    write_items(path, set, [&](const std::string& bytes) {
        write_file_atomic(fs::path(path).replace_extension(".sha256"), sha256(bytes) + "  " + path.filename().string() + "\n");
    });
}

Prepared read_prepared(const PrepareOptions& options, const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
    const fs::path& path = options.prepared;
    const Json attributes = read_item_attributes(path);
    check_prepared(attributes, path, tokenizer, chat_template);
    check_options(attributes, options);
    Prepared prepared;
    prepared.names = names_of(attributes.at("lang_names"));
    const std::vector<std::string> langs = require_languages(prepared.names, options.langs);
    const auto meant = whole_languages(prepared.names, options.langs);
    if (!meant) fail(path.string() + ": a language that is asked for is there in part; prepare the rows without this file");
    for (const auto& [lang, counts] : attributes.at("report").items()) {
        if (meant->contains(lang)) prepared.report[lang] = report_of(counts, attributes.at("tied_characters").at(lang));
    }
    prepared.set = read_items(path, [&](const std::string& lang) { return meant->contains(lang); });
    for (const char* name : kOwnAttributes) prepared.set.attributes.erase(name);
    if (!options.keep_tied) prepared.set = without_tied(prepared.set, prepared.report);
    for (const Item& item : prepared.set.items) {
        for (std::int64_t k = 0; k < item.answers; ++k)
            prepared.report.at(item.lang).lengths.push_back(
                prepared.set.answers[static_cast<std::size_t>(item.first_answer + k)].length);
    }
    prepared.notes.kind = name_of(options.kind);
    attributes.at("forms").get_to(prepared.notes.forms);
    describe_prepared(options, langs, tokenizer, chat_template, prepared);
    prepared.set.attributes["input_sha256"] = input_hashes(options.inputs, attributes.at("files_sha256"), path);
    return prepared;
}

}  // namespace xlrm
