#include "xlrm/data/row_form_options.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

constexpr const char* kOwnColumns[] = {"prompt", "chosen",   "rejected", "response",   "responses", "ranks",
                                       "labels", "messages", "text",     "id",         "lang",      "subset",
                                       "margin", "system",   "tools",    "num_correct"};

std::pair<std::string, std::string> option_parts(const std::string& entry) {
    const std::size_t equals = entry.find('=');
    std::string own = entry.substr(0, std::min(equals, entry.size()));
    if (equals == std::string::npos || own.empty()) fail("--columns: '" + entry + "' is not NAME=COLUMN", ExitCode::usage);
    if (std::ranges::find(kOwnColumns, own) == std::end(kOwnColumns)) {
        std::string known;
        for (const char* name : kOwnColumns) known += (known.empty() ? "" : ", ") + std::string(name);
        fail("--columns: '" + own + "' is no column that rows are read from (" + known +
                 "); write xlrm's name before the = and the file's after it",
             ExitCode::usage);
    }
    return {std::move(own), entry.substr(equals + 1)};
}

std::string rows_text(std::int64_t rows) { return std::to_string(rows) + (rows == 1 ? " row" : " rows"); }

void add_counts(std::vector<std::string>& lines, const std::string& title, const std::map<std::string, std::int64_t>& counts) {
    if (counts.empty()) return;
    std::string line = title;
    for (const auto& [name, rows] : counts)
        line.append(&counts.begin()->first == &name ? " " : ", ").append(name + " (" + rows_text(rows) + ")");
    lines.push_back(std::move(line));
}

}  // namespace

std::map<std::string, std::string> RowFormOptions::mapping() const {
    std::map<std::string, std::string> result;
    for (const std::string& entry : columns) {
        auto [own, column] = option_parts(entry);
        if (!result.emplace(own, std::move(column)).second) fail("--columns: '" + own + "' is given twice", ExitCode::usage);
    }
    return result;
}

std::optional<std::string> RowFormOptions::column(const std::string& own) const {
    for (const std::string& entry : columns) {
        if (entry.size() > own.size() && entry[own.size()] == '=' && entry.starts_with(own)) return entry.substr(own.size() + 1);
    }
    return std::nullopt;
}

Json RowFormOptions::content() const {
    Json json = Json::object();
    if (!columns.empty()) json["columns"] = mapping();
    if (prefer != "better") json["prefer"] = prefer;
    if (!pair_by.empty()) json["pair_by"] = pair_by;
    return json;
}

void describe(Options& options, RowFormOptions& forms) {
    options
        .add("columns", &forms.columns, "NAME=COLUMN,…",
             "rows whose columns have other names: prompt=question,chosen=best; labels=a+b: of several; prompt=: leave that "
             "column alone")
        .add_choice("prefer", &forms.prefer, {"better", "safer"},
                    "rows of PKU-SafeRLHF: the answer that is chosen; safer: for a model of harmlessness")
        .add("pair-by", &forms.pair_by, "NAME",
             "rated or ranked answers (HelpSteer2: helpfulness; UltraFeedback: overall_score; Nectar: rank; own rankings: ranks) "
             "as pairs: "
             "the best against the worst of each prompt (default: as the form is)");
}

void RowNotes::add(const RowNotes& other) {
    if (kind.empty()) kind = other.kind;
    for (const auto& [name, rows] : other.forms) forms[name] += rows;
    for (const auto& [name, rows] : other.unused) unused[name] += rows;
    for (const auto& [name, rows] : other.left_out) left_out[name] += rows;
    served.insert(other.served.begin(), other.served.end());
}

Json RowNotes::to_json() const {
    return {{"kind", kind}, {"forms", forms}, {"unused", unused}, {"left_out", left_out}, {"served", served}};
}

RowNotes RowNotes::from_json(const Json& json) {
    RowNotes notes;
    json.at("kind").get_to(notes.kind);
    json.at("forms").get_to(notes.forms);
    json.at("unused").get_to(notes.unused);
    json.at("left_out").get_to(notes.left_out);
    json.at("served").get_to(notes.served);
    return notes;
}

std::string RowNotes::form_line() const {
    std::vector<std::string> lines;
    add_counts(lines, "form:", forms);
    return lines.empty() ? "" : lines.front() + "; read as " + kind + " rows";
}

std::vector<std::string> RowNotes::lines() const {
    std::vector<std::string> lines;
    add_counts(lines, "left out:", left_out);
    add_counts(lines, "columns not used:", unused);
    return lines;
}

std::vector<std::string> RowNotes::unserved(const RowFormOptions& options) const {
    std::vector<std::string> lines;
    for (const auto& [own, column] : options.mapping()) {
        if (!column.empty() && !served.contains("columns " + own))
            lines.push_back("--columns " + own + "=" + column + ": no row has that column");
    }
    if (options.prefer != "better" && !served.contains("prefer"))
        lines.push_back("--prefer " + options.prefer + ": no row is of a form that has that choice");
    if (!options.pair_by.empty() && !served.contains("pair-by"))
        lines.push_back("--pair-by " + options.pair_by + ": no row has answers that are rated or ranked by it");
    return lines;
}

}  // namespace xlrm
