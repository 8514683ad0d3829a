#include <cmath>
#include <cstdio>
#include <set>

#include "xlrm/analysis/result_table.hpp"

namespace xlrm {

namespace {

std::string formatted(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

//! Without the sign of a zero: "-0.0" would say that something is below it.
std::string fixed(double value, int digits, bool sign = false) {
    char text[64];
    std::snprintf(text, sizeof text, sign ? "%+.*f" : "%.*f", digits, value);
    std::string out = text;
    if (out.find_first_of("123456789") == std::string::npos && out.front() == '-') out.replace(0, 1, sign ? "+" : "");
    return out;
}

std::string shown(const Estimate& estimate, ColumnKind kind) {
    if (!estimate.defined()) return "–";
    const double value = estimate.value();
    switch (kind) {
        case ColumnKind::share:
            return fixed(100.0 * value, 1);
        case ColumnKind::points:
            return fixed(100.0 * value, 1, true);
        case ColumnKind::p:
            return value < 0.001 ? "<0.001" : fixed(value, 3);
        default:
            return fixed(value, 4);
    }
}

//! A value in a text: "72.1 [70.0, 74.1]".
std::string text_of(const TableValue& value, ColumnKind kind) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* count = std::get_if<std::int64_t>(&value)) return std::to_string(*count);
    if (const auto* estimate = std::get_if<Estimate>(&value)) return shown(*estimate, kind);
    const auto& i = std::get<EstimateWithInterval>(value);
    const std::string interval = i.low.defined() ? " [" + shown(i.low, kind) + ", " + shown(i.high, kind) + "]" : "";
    return shown(i.value, kind) + interval;
}

std::string csv_text(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
}

//! Adds the number to a CSV line, and to `reasons` where there is none.
void csv_number(const std::string& name, const Estimate& estimate, std::string* line, std::string* reasons) {
    if (estimate.defined())
        *line += formatted("%.10g", estimate.value());
    else
        *reasons += (reasons->empty() ? "" : ";") + name + ":" + name_of(estimate.why());
}

std::string latex_text(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '_' || c == '%' || c == '&' || c == '#' || c == '$' || c == '{' || c == '}')
            out += std::string("\\") + c;
        else if (c == '\\')
            out += "\\textbackslash{}";
        else if (c == '~' || c == '^')
            out += std::string("\\") + c + "{}";
        else if (c == '<')
            out += "$<$";
        else
            out += c;
    }
    return out;
}

std::string latex_value(const TableValue& value, ColumnKind kind) {
    if (const auto* estimate = std::get_if<Estimate>(&value))
        return estimate->defined() ? "\\xlrmvalue{" + latex_text(shown(*estimate, kind)) + "}" : "--";
    const auto* i = std::get_if<EstimateWithInterval>(&value);
    if (i == nullptr) return latex_text(text_of(value, kind));
    if (!i->value.defined()) return "--";
    std::string out = "\\xlrmvalue{" + latex_text(shown(i->value, kind)) + "}";
    if (i->low.defined()) out += "\\xlrmci{" + shown(i->low, kind) + "}{" + shown(i->high, kind) + "}";
    return out;
}

//! The reasons of a table's undefined values that are shown, for the line below it.
std::set<std::string> reasons_of(const ResultTable& table) {
    std::set<std::string> reasons;
    for (const auto& row : table.rows) {
        for (std::size_t c = 0; c < row.size(); ++c) {
            if (table.columns[c].detail) continue;
            if (const auto* estimate = std::get_if<Estimate>(&row[c]); estimate != nullptr && !estimate->defined())
                reasons.insert(name_of(estimate->why()));
            if (const auto* i = std::get_if<EstimateWithInterval>(&row[c])) {
                if (!i->value.defined()) reasons.insert(name_of(i->value.why()));
                if (i->value.defined() && !i->low.defined()) reasons.insert(name_of(i->low.why()));
            }
        }
    }
    return reasons;
}

std::string joined(const std::set<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
    return out;
}

std::string unit(ColumnKind kind) { return kind == ColumnKind::share ? " %" : kind == ColumnKind::points ? " (points)" : ""; }

}  // namespace

std::string format_csv(const ResultTable& table) {
    std::string out;
    bool has_numbers = false;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const std::string& name = table.columns[c].name;
        const bool interval = table.columns[c].interval;
        has_numbers = has_numbers || (table.columns[c].kind != ColumnKind::text && table.columns[c].kind != ColumnKind::count);
        out += (c == 0 ? "" : ",") + name + (interval ? "," + name + "_se," + name + "_low," + name + "_high" : "");
    }
    out += has_numbers ? ",undefined\n" : "\n";
    for (const auto& row : table.rows) {
        std::string line, reasons;
        for (std::size_t c = 0; c < row.size(); ++c) {
            const std::string& name = table.columns[c].name;
            if (c > 0) line += ",";
            if (const auto* text = std::get_if<std::string>(&row[c])) line += csv_text(*text);
            if (const auto* count = std::get_if<std::int64_t>(&row[c])) line += std::to_string(*count);
            if (const auto* estimate = std::get_if<Estimate>(&row[c])) csv_number(name, *estimate, &line, &reasons);
            if (const auto* i = std::get_if<EstimateWithInterval>(&row[c])) {
                csv_number(name, i->value, &line, &reasons);
                csv_number(name + "_se", i->standard_error, &(line += ","), &reasons);
                csv_number(name + "_low", i->low, &(line += ","), &reasons);
                csv_number(name + "_high", i->high, &(line += ","), &reasons);
            }
        }
        out += line + (has_numbers ? "," + reasons : "") + "\n";
    }
    return out;
}

std::string format_markdown(const ResultTable& table) {
    std::string out = "### " + table.title + "\n\n" + table.note + "\n\n";
    if (table.rows.empty()) return out + "No rows.\n";
    std::string rule;
    for (const Column& column : table.columns) {
        if (column.detail) continue;
        out += "| " + column.name + unit(column.kind) + " ";
        rule += column.kind == ColumnKind::text ? "|---" : "|---:";
    }
    out += "|\n" + rule + "|\n";
    for (const auto& row : table.rows) {
        for (std::size_t c = 0; c < row.size(); ++c)
            if (!table.columns[c].detail) out += "| " + text_of(row[c], table.columns[c].kind) + " ";
        out += "|\n";
    }
    const auto reasons = reasons_of(table);
    return out + (reasons.empty() ? "" : "\n– or no interval: not defined (" + joined(reasons) + ")\n");
}

std::string format_latex(const ResultTable& table) {
    std::string out =
        "% \\usepackage{booktabs}. Values and intervals are macros: define them before \\input to show them otherwise.\n"
        "\\providecommand{\\xlrmvalue}[1]{#1}\n"
        "\\providecommand{\\xlrmci}[2]{ [#1, #2]}\n";
    std::string head, columns;
    for (const Column& column : table.columns) {
        if (column.detail) continue;
        head += (head.empty() ? "" : " & ") + latex_text(column.name + unit(column.kind));
        columns += column.kind == ColumnKind::text ? "l" : "r";
    }
    out += "% " + table.title + "\n\\begin{tabular}{" + columns + "}\n\\toprule\n" + head + " \\\\\n\\midrule\n";
    for (const auto& row : table.rows) {
        std::string line;
        bool first = true;
        for (std::size_t c = 0; c < row.size(); ++c) {
            if (table.columns[c].detail) continue;
            line += (first ? "" : " & ") + latex_value(row[c], table.columns[c].kind);
            first = false;
        }
        out += line + " \\\\\n";
    }
    return out + "\\bottomrule\n\\end{tabular}\n";
}

}  // namespace xlrm
