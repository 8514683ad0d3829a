#include "row_source.hpp"

#include <algorithm>

#include "raw_rows.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kBlock = 32;  // lines dealt to a rank at a time

}  // namespace

bool is_prepared(const std::filesystem::path& path) { return path.extension() == ".h5"; }

RowSource::RowSource(const PrepareOptions& options, int rank, int size)
    : options_(options), split_(options.split), wanted_(options.langs.begin(), options.langs.end()), rank_(rank), size_(size) {
    require(!options.inputs.empty(), "no input file is given (--input or --data)", ExitCode::usage);
    if (options.part.empty()) return;
    const auto names = split_.names();
    if (std::find(names.begin(), names.end(), options.part) == names.end()) {
        fail("the split '" + options.split + "' has no part '" + options.part + "'", ExitCode::usage);
    }
}

bool RowSource::chosen(const std::string& id, const std::string& lang) const {
    return (wanted_.empty() || wanted_.contains(lang)) && (options_.part.empty() || split_.part(id) == options_.part);
}

PreferenceRow RowSource::concatenated(std::vector<PreferenceRow>&& rows) const {
    Random random(options_.seed, stable_hash(rows.front().id));
    std::vector<std::string> languages;
    for (const PreferenceRow& row : rows) languages.push_back(row.lang);
    std::sort(languages.begin(), languages.end());
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
    PreferenceRow whole = std::move(rows.front());
    for (std::size_t i = 1; i < rows.size(); ++i) whole.answers.front().append(1, '\n').append(rows[i].answers.front());
    whole.lang = languages.front();
    for (std::size_t i = 1; i < languages.size(); ++i) whole.lang.append(1, '+').append(languages[i]);
    return whole;
}

std::vector<PreferenceRow> RowSource::rows_of(Json&& object, const std::filesystem::path& path, std::int64_t number) {
    const std::string suffix = std::string(":").append(std::to_string(number));
    auto rows = rows_of_json(object, options_.kind, path.string() + suffix, path.filename().string() + suffix, options_.default_lang);
    for (const PreferenceRow& row : rows) saw(row.lang);
    std::erase_if(rows, [&](const PreferenceRow& row) { return !chosen(row.id, row.lang); });
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
        for_each_raw_row(path, [&](std::int64_t number, const RawRow& raw) {
            const std::int64_t line = ++line_;
            if ((line / kBlock) % size_ != rank_) return;
            for (PreferenceRow& parsed : rows_of(raw(), path, number)) row(line, path.string() + ":" + std::to_string(number), std::move(parsed));
        });
    }
}

}  // namespace xlrm
