#include "analysis_files.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/store/analysis_file.hpp"

namespace xlrm {

namespace {

constexpr std::array kIntervalParts = {"", "_se", "_low", "_high"};

//! The numbers of a value by the suffix of their column.
std::vector<Estimate> numbers_of(const TableValue& value) {
    if (const auto* estimate = std::get_if<Estimate>(&value)) return {*estimate};
    const auto& i = std::get<EstimateWithInterval>(value);
    return {i.value, i.standard_error, i.low, i.high};
}

Json row_json(const ResultTable& table, const std::vector<TableValue>& row) {
    Json json = Json::object();
    Json undefined = Json::object();
    for (std::size_t c = 0; c < row.size(); ++c) {
        const std::string& name = table.columns[c].name;
        if (const auto* text = std::get_if<std::string>(&row[c])) {
            json[name] = *text;
        } else if (const auto* count = std::get_if<std::int64_t>(&row[c])) {
            json[name] = *count;
        } else {
            const std::vector<Estimate> numbers = numbers_of(row[c]);
            for (std::size_t k = 0; k < numbers.size(); ++k) {
                const std::string full = name + kIntervalParts[k];
                json[full] = numbers[k].defined() ? Json(numbers[k].value()) : Json(nullptr);
                if (!numbers[k].defined()) undefined[full] = name_of(numbers[k].why());
            }
        }
    }
    if (!undefined.empty()) json["undefined"] = std::move(undefined);
    return json;
}

//! A column of numbers, `part` of the four of an interval.
AnalysisColumn number_column(const ResultTable& table, std::size_t c, std::size_t part) {
    AnalysisColumn column{table.columns[c].name + kIntervalParts[part], std::vector<double>(), {}};
    bool all_defined = true;
    for (const auto& row : table.rows) {
        const Estimate number = numbers_of(row[c])[part];
        all_defined = all_defined && number.defined();
        std::get<std::vector<double>>(column.values).push_back(number.value_or(kUndefinedValue));
        column.undefined.push_back(number.defined() ? "" : name_of(number.why()));
    }
    if (all_defined) column.undefined.clear();
    return column;
}

AnalysisTable stored(const ResultTable& table) {
    AnalysisTable out{table.name, table.title, table.note, {}};
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const Column& column = table.columns[c];
        if (column.kind == ColumnKind::text) {
            AnalysisColumn texts{column.name, std::vector<std::string>(), {}};
            for (const auto& row : table.rows)
                std::get<std::vector<std::string>>(texts.values).push_back(std::get<std::string>(row[c]));
            out.columns.push_back(std::move(texts));
        } else if (column.kind == ColumnKind::count) {
            AnalysisColumn counts{column.name, std::vector<std::int64_t>(), {}};
            for (const auto& row : table.rows)
                std::get<std::vector<std::int64_t>>(counts.values).push_back(std::get<std::int64_t>(row[c]));
            out.columns.push_back(std::move(counts));
        } else {
            for (std::size_t part = 0; part < (column.interval ? kIntervalParts.size() : 1); ++part)
                out.columns.push_back(number_column(table, c, part));
        }
    }
    return out;
}

}  // namespace

void write_part(const std::filesystem::path& path, const std::string& identity, const PartResult& part) {
    Json json = {{"identity", identity}, {"tables", Json::array()}, {"files", Json::object()}};
    for (const ResultTable& table : part.tables) json["tables"].push_back(to_json(table));
    for (const auto& [name, text] : part.files) json["files"][name] = text;
    write_file_atomic(path, json.dump() + "\n");
}

PartResult read_part(const std::filesystem::path& path, const std::string& identity, bool* found) {
    PartResult part;
    *found = false;
    if (!std::filesystem::exists(path)) return part;
    const Json json = Json::parse(read_file(path), nullptr, false);
    if (!json.is_object() || json.value("identity", "") != identity) return part;
    for (const Json& table : json.at("tables")) part.tables.push_back(table_from_json(table));
    for (const auto& [name, text] : json.at("files").items()) part.files[name] = text.get<std::string>();
    *found = true;
    return part;
}

Json summary_json(const Json& head, const Statements& statements, const std::map<std::string, bool>& parts,
                  const std::vector<ResultTable>& tables) {
    Json json = head;
    json["statements"] = Json::array();
    for (const Statement& s : statements) json["statements"].push_back({{"code", s.code}, {"place", s.place}, {"text", s.text}});
    json["parts"] = Json::object();
    for (const auto& [name, done] : parts) json["parts"][name] = done ? "done" : "not computed";
    json["tables"] = Json::object();
    for (const ResultTable& table : tables) {
        Json columns = Json::array();
        for (const Column& column : table.columns) columns.push_back(column.name);
        Json rows = Json::array();
        for (const auto& row : table.rows) rows.push_back(row_json(table, row));
        json["tables"][table.name] = {{"title", table.title}, {"note", table.note}, {"columns", columns}, {"rows", rows}};
    }
    return json;
}

void write_tables(const std::filesystem::path& folder, const PartResult& all) {
    std::vector<AnalysisTable> tables;
    for (const ResultTable& table : all.tables) {
        std::map<std::string, std::string> texts = {{table.name + ".csv", format_csv(table)},
                                                    {table.name + ".md", format_markdown(table)},
                                                    {table.name + ".tex", format_latex(table)}};
        for (const auto& [name, text] : texts)
            if (!all.files.contains(name)) write_file_atomic(folder / name, text);
        tables.push_back(stored(table));
    }
    for (const auto& [name, text] : all.files) write_file_atomic(folder / name, text);
    write_analysis(folder / "analysis.h5", tables, {});
}

}  // namespace xlrm
