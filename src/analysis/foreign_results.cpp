#include "foreign_results.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "xlrm/core/error.hpp"
#include "xlrm/core/language.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

struct Entry {
    std::string model, lang;  //!< "": the file says it
    fs::path file;
};

//! "MODEL@LANGUAGE=FILE".
Entry entry_of(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return {"", "", text};
    Entry entry{text.substr(0, equals), "", text.substr(equals + 1)};
    if (const std::size_t at = entry.model.find('@'); at != std::string::npos) {
        entry.lang = canonical_language(entry.model.substr(at + 1));
        entry.model.resize(at);
    }
    return entry;
}

//! The language that a file's name ends with: "RM-kor_Hang-all.jsonl", "RM-kor_Hang.json"; "" for none.
std::string language_in_name(const fs::path& file) {
    std::string stem = file.filename().string();
    stem = stem.substr(0, stem.find(".json"));
    if (stem.ends_with("-all")) stem.resize(stem.size() - 4);
    const std::size_t dash = stem.rfind('-');
    const std::string last = dash == std::string::npos ? "" : stem.substr(dash + 1);
    return is_known_language(last) ? canonical_language(last) : "";
}

//! "org/name" as a folder's name.
std::string model_of(const Entry& entry, std::string named) {
    std::string name = entry.model.empty() ? std::move(named) : entry.model;
    if (name.empty())
        fail(entry.file.string() + ": names no model; write MODEL=" + entry.file.string() +
                 " (MODEL@LANGUAGE=… with the language)",
             ExitCode::usage);
    std::ranges::replace(name, '/', '-');
    const bool good =
        name[0] != '.' && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || std::strchr("._-", c); });
    if (!good)
        fail(entry.file.string() + ": the model's name '" + name +
                 "' cannot name a folder (letters, digits, . _ - /); write MODEL=" + entry.file.string(),
             ExitCode::usage);
    return name;
}

[[noreturn]] void fail_language(const fs::path& file) {
    fail(file.string() +
             ": neither its rows (field language) nor its name (…-kor_Hang.json) say the language; write MODEL@LANGUAGE=" +
             file.string(),
         ExitCode::usage);
}

//! The rows in one language.
ForeignScores rows_in(const ForeignScores& all, const std::string& lang) {
    ForeignScores some = all;
    for (auto* list : {&some.id, &some.subset, &some.lang}) list->clear();
    some.scores.clear();
    some.num_correct.clear();
    for (std::size_t i = 0; i < all.id.size(); ++i) {
        if (!all.lang.empty() && canonical_language(all.lang[i]) != lang) continue;
        some.id.push_back(all.id[i]);
        some.subset.push_back(all.subset[i]);
        some.scores.push_back(all.scores[i]);
        some.num_correct.push_back(all.num_correct[i]);
    }
    return some;
}

std::vector<std::string> languages_of(const Entry& entry, const ForeignScores& scores) {
    std::vector<std::string> found;
    if (!entry.lang.empty()) return {entry.lang};
    for (std::size_t i = 0; i < scores.lang.size(); ++i) {
        if (scores.lang[i].empty())
            fail(entry.file.string() + ": row " + std::to_string(i + 1) + ": names no language, and others do");
        const std::string lang = canonical_language(scores.lang[i]);
        if (std::ranges::find(found, lang) == found.end()) found.push_back(lang);
    }
    if (found.empty()) found = {language_in_name(entry.file)};
    if (found.front().empty()) fail_language(entry.file);
    return found;
}

void add_scores(const Entry& entry, ForeignParts& parts) {
    const ForeignScores scores = read_foreign_scores(entry.file);
    const std::string model = model_of(entry, scores.model);
    for (const std::string& lang : languages_of(entry, scores)) {
        ForeignPart& part = parts[{model, lang}];
        if (part.scores)
            fail(entry.file.string() + ": scores of " + model + " in " + lang + " come from " + part.files.front().string() +
                 " too; give one of them, or name the models differently (MODEL=FILE)");
        part.scores = entry.lang.empty() ? rows_in(scores, lang) : scores;
        part.files.insert(part.files.begin(), entry.file);
    }
}

void add_states(const Entry& entry, ForeignParts& parts) {
    if (entry.lang.empty()) fail_language(entry.file);
    const std::string model = model_of(entry, "");
    ForeignPart& part = parts[{model, entry.lang}];
    if (part.states)
        fail(entry.file.string() + ": states of " + model + " in " + entry.lang + " are given twice; give one of them");
    part.states = read_foreign_states(entry.file);
    part.files.push_back(entry.file);
}

//! Of a file of states that has scores too.
void take_scores(ForeignPart& part) {
    if (part.scores || !part.states || part.states->chosen.empty()) return;
    const ForeignStates& states = *part.states;
    ForeignScores scores;
    scores.form = "scores beside states";
    scores.id = states.id;
    scores.subset = states.subset;
    scores.subset.resize(states.id.size());
    for (std::size_t i = 0; i < states.id.size(); ++i) {
        scores.scores.push_back({states.chosen[i], states.rejected[i]});
        scores.num_correct.push_back(1);
    }
    part.scores = std::move(scores);
}

}  // namespace

ForeignParts read_foreign_results(const std::vector<std::string>& files) {
    ForeignParts parts;
    for (const std::string& text : files) {
        const Entry entry = entry_of(text);
        if (holds_states(entry.file))
            add_states(entry, parts);
        else
            add_scores(entry, parts);
    }
    for (auto& [key, part] : parts) take_scores(part);
    return parts;
}

}  // namespace xlrm
