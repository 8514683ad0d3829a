#include "xlrm/analysis/result_table.hpp"

#include <array>
#include <utility>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

constexpr std::array<std::pair<ColumnKind, const char*>, 6> kKinds = {{{ColumnKind::text, "text"},
                                                                       {ColumnKind::count, "count"},
                                                                       {ColumnKind::share, "share"},
                                                                       {ColumnKind::points, "points"},
                                                                       {ColumnKind::number, "number"},
                                                                       {ColumnKind::p, "p"}}};

std::string kind_name(ColumnKind kind) {
    for (const auto& [value, name] : kKinds)
        if (value == kind) return name;
    return {};
}

ColumnKind parse_kind(const std::string& name) {
    for (const auto& [value, text] : kKinds)
        if (text == name) return value;
    fail("a stored table has a column of the unknown kind '" + name + "'; remove the folder analysis/parts and run again");
}

Json number_json(const Estimate& estimate) { return estimate.defined() ? Json(estimate.value()) : Json(name_of(estimate.why())); }

Estimate number_from(const Json& json) {
    if (json.is_number()) return json.get<double>();
    for (int why = 0; why <= static_cast<int>(Undefined::not_estimated); ++why)
        if (name_of(static_cast<Undefined>(why)) == json.get<std::string>()) return static_cast<Undefined>(why);
    fail("a stored table has the unknown reason " + json.dump() + "; remove the folder analysis/parts and run again");
}

Json value_json(const TableValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return {{"t", *text}};
    if (const auto* count = std::get_if<std::int64_t>(&value)) return {{"n", *count}};
    if (const auto* estimate = std::get_if<Estimate>(&value)) return {{"v", number_json(*estimate)}};
    const auto& interval = std::get<EstimateWithInterval>(value);
    return {{"i",
             {number_json(interval.value), number_json(interval.standard_error), number_json(interval.low),
              number_json(interval.high)}}};
}

TableValue value_from(const Json& json) {
    if (json.contains("t")) return json.at("t").get<std::string>();
    if (json.contains("n")) return json.at("n").get<std::int64_t>();
    if (json.contains("v")) return number_from(json.at("v"));
    const Json& i = json.at("i");
    return EstimateWithInterval{number_from(i.at(0)), number_from(i.at(1)), number_from(i.at(2)), number_from(i.at(3))};
}

}  // namespace

void ResultTable::add(std::vector<TableValue> row) {
    if (row.size() != columns.size())
        fail("table " + name + ": a row of " + std::to_string(row.size()) + " values instead of " +
             std::to_string(columns.size()));
    for (std::size_t c = 0; c < row.size(); ++c) {
        const ColumnKind kind = columns[c].kind;
        const bool fits = kind == ColumnKind::text    ? std::holds_alternative<std::string>(row[c])
                          : kind == ColumnKind::count ? std::holds_alternative<std::int64_t>(row[c])
                          : columns[c].interval       ? std::holds_alternative<EstimateWithInterval>(row[c])
                                                      : std::holds_alternative<Estimate>(row[c]);
        if (!fits) fail("table " + name + ": a value of another kind than its column " + columns[c].name);
    }
    rows.push_back(std::move(row));
}

Json to_json(const ResultTable& table) {
    Json json = {
        {"name", table.name}, {"title", table.title}, {"note", table.note}, {"columns", Json::array()}, {"rows", Json::array()}};
    for (const Column& column : table.columns)
        json["columns"].push_back(
            {{"name", column.name}, {"kind", kind_name(column.kind)}, {"detail", column.detail}, {"interval", column.interval}});
    for (const auto& row : table.rows) {
        Json values = Json::array();
        for (const TableValue& value : row) values.push_back(value_json(value));
        json["rows"].push_back(std::move(values));
    }
    return json;
}

ResultTable table_from_json(const Json& json) {
    ResultTable table{json.at("name"), json.at("title"), json.at("note"), {}, {}};
    for (const Json& column : json.at("columns"))
        table.columns.push_back({column.at("name"), parse_kind(column.at("kind")), column.at("detail"), column.at("interval")});
    for (const Json& row : json.at("rows")) {
        std::vector<TableValue> values;
        for (const Json& value : row) values.push_back(value_from(value));
        table.add(std::move(values));
    }
    return table;
}

}  // namespace xlrm
