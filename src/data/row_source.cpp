#include "row_source.hpp"

#include <algorithm>
#include <set>

#include "raw_rows.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kBlock = 32;     // lines dealt to a rank at a time
constexpr char kBetweenNames = '\x1F';  // of a document in several languages; no name holds a control character

}  // namespace

RowSource::RowSource(const PrepareOptions& options, int rank, int size)
    : options_(options), split_(options.split), rank_(rank), size_(size) {
    require(!options.inputs.empty(), "no input file is given (--input or --data)", ExitCode::usage);
    if (options.part.empty()) return;
    const auto names = split_.names();
    if (std::find(names.begin(), names.end(), options.part) == names.end()) {
        fail("the split '" + options.split + "' has no part '" + options.part + "'", ExitCode::usage);
    }
}

bool RowSource::may_be_wanted(const std::string& lang_name) {
    if (options_.langs.empty()) return true;
    if (const auto found = wanted_.find(lang_name); found != wanted_.end()) return found->second;
    // No other name is in this input, so a row without a region may still be meant by a code with one.
    LanguageNames alone;
    alone.add(lang_name);
    return wanted_[lang_name] =
               std::ranges::any_of(options_.langs, [&](const std::string& lang) { return alone.means(lang, lang_name); });
}

bool RowSource::chosen(const std::string& id, const std::string& lang_name) {
    return may_be_wanted(lang_name) && (options_.part.empty() || split_.part(id) == options_.part);
}

PreferenceRow RowSource::concatenated(std::vector<PreferenceRow>&& rows) const {
    Random random(options_.seed, stable_hash(rows.front().id));
    std::string names;
    for (const PreferenceRow& row : rows) names.append(names.empty() ? "" : std::string(1, kBetweenNames)).append(row.lang_name);
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
    PreferenceRow whole = std::move(rows.front());
    std::string& text = whole.answers.front().turns.front().content;
    for (std::size_t i = 1; i < rows.size(); ++i) text.append(1, '\n').append(rows[i].answers.front().text());
    whole.lang_name = names;
    return whole;
}

std::vector<PreferenceRow> RowSource::rows_of(Json&& object, const std::filesystem::path& path, std::int64_t number) {
    const std::string suffix = std::string(":").append(std::to_string(number));
    auto rows = rows_of_json(object, options_.kind, path.string() + suffix, path.filename().string() + suffix,
                             options_.default_lang, options_.forms, &notes_);
    for (const PreferenceRow& row : rows) saw(row.lang_name);
    std::erase_if(rows, [&](const PreferenceRow& row) { return !chosen(row.id, row.lang_name); });
    if (options_.keep_columns && rows.size() == 1) rows.front().columns = std::move(object);
    if (!options_.concatenate || rows.size() < 2) return rows;
    std::vector<PreferenceRow> one;
    one.push_back(concatenated(std::move(rows)));
    return one;
}

void RowSource::for_each(const std::function<void(std::int64_t line, const std::string& where, PreferenceRow&& row)>& row) {
    line_ = 0;
    for (const auto& path : options_.inputs) {
        ++line_;  // the file itself: what goes wrong at opening comes before its lines
        if (is_prepared(path)) continue;
        bool empty = true;
        for_each_rated_row(path, options_.forms, [&](std::int64_t number, const RawRow& raw) {
            empty = false;
            const std::int64_t line = ++line_;
            if ((line / kBlock) % size_ != rank_) return;
            for (PreferenceRow& parsed : rows_of(raw(), path, number))
                row(line, path.string() + ":" + std::to_string(number), std::move(parsed));
        });
        if (empty) fail(path.string() + ": the file has no rows");
    }
}

SettledLanguages::SettledLanguages(const LanguageNames& names, const std::vector<std::string>& wanted) {
    for (const auto& [name, rows] : names.rows()) {
        const bool meant =
            wanted.empty() || std::ranges::any_of(wanted, [&](const std::string& lang) { return names.means(lang, name); });
        languages_[name] = {names.of(name), meant};
    }
}

std::string SettledLanguages::of(const std::string& lang_name) const {
    if (const auto found = languages_.find(lang_name); found != languages_.end()) return found->second.name;
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= lang_name.size();) {
        const std::size_t end = std::min(lang_name.find(kBetweenNames, at), lang_name.size());
        parts.push_back(languages_.at(lang_name.substr(at, end - at)).name);
        at = end + 1;
    }
    std::ranges::sort(parts);
    std::string text;
    for (const std::string& part : parts) text.append(text.empty() ? "" : "+").append(part);
    return text;
}

bool SettledLanguages::wanted(const std::string& lang_name) const {
    const auto found = languages_.find(lang_name);
    return found == languages_.end() || found->second.wanted;
}

std::vector<std::string> require_languages(const LanguageNames& names, const std::vector<std::string>& wanted) {
    require(!names.rows().empty(), "the input has no rows");
    std::string list;
    for (const std::string& lang : names.languages()) list += (list.empty() ? "" : ", ") + lang;
    std::vector<std::string> found;
    for (const std::string& lang : wanted) {
        const auto meant = std::ranges::find_if(names.rows(), [&](const auto& entry) { return names.means(lang, entry.first); });
        if (meant == names.rows().end()) {
            const LanguageTag tag = parse_language(lang);
            std::string other;  // the data may have another region of it alone, which is called by its code
            for (const auto& [name, rows] : names.rows())
                other += parse_language(name).code == tag.code ? (other.empty() ? "" : ", ") + name : "";
            fail("no row is in language '" + tag.full() + "' (the data have: " + list +
                 (other.empty() ? "" : ", named " + other) + "); correct --langs or add the data");
        }
        const bool whole = parse_language(lang).region.empty();
        found.push_back(whole ? canonical_language(lang) : names.of(meant->first));
    }
    return found;
}

void warn_of_input(const std::vector<std::filesystem::path>& inputs, const LanguageNames& names, const RowNotes& notes,
                   const RowFormOptions& options) {
    if (inputs.empty()) return;
    static std::set<std::string> said;
    std::vector<std::string> lines = notes.unserved(options);
    for (const std::string& note : names.merged()) lines.push_back("languages: " + note);
    const std::string where = inputs.front().filename().string() + (inputs.size() > 1 ? ", …: " : ": ");
    for (const std::string& line : lines) {
        if (said.insert(where + line).second) log_root(LogLevel::warning, where + line);
    }
}

}  // namespace xlrm
