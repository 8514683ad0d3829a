#include "xlrm/store/analysis_file.hpp"

#include "h5_write.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

constexpr const char* kAnalysisConventions = "XLRM-analysis-1";
constexpr std::int64_t kAnalysisVersion = 1;

std::size_t rows_of(const AnalysisColumn& column) {
    return std::visit([](const auto& values) { return values.size(); }, column.values);
}

void put_table(const h5::OutGroup& root, const AnalysisTable& table, const std::string& file) {
    h5::OutGroup group = root.group(table.name);
    group.attribute("title", table.title);
    group.attribute("note", table.note);
    const std::size_t rows = table.columns.empty() ? 0 : rows_of(table.columns.front());
    group.dimension("row", static_cast<std::int64_t>(rows));
    for (const AnalysisColumn& column : table.columns) {
        const bool fits = rows_of(column) == rows && (column.undefined.empty() || column.undefined.size() == rows);
        if (!fits) fail(file + ":/" + table.name + "/" + column.name + ": its rows are not those of the table");
        if (const auto* texts = std::get_if<std::vector<std::string>>(&column.values)) {
            group.texts(column.name, "row", *texts);
        } else if (const auto* counts = std::get_if<std::vector<std::int64_t>>(&column.values)) {
            group.dataset(column.name, {"row"}, std::span<const std::int64_t>(*counts));
        } else {
            group.dataset(column.name, {"row"}, std::span<const double>(std::get<std::vector<double>>(column.values)));
            group.describe(column.name, "_FillValue", kUndefinedValue);
        }
        if (!column.undefined.empty()) group.texts(column.name + "_undefined", "row", column.undefined);
    }
}

}  // namespace

void write_analysis(const std::filesystem::path& path, const std::vector<AnalysisTable>& tables,
                    const std::vector<std::pair<std::string, std::string>>& attributes) {
    const h5::OutFile file(path.string());
    const h5::OutGroup root = file.root();
    root.attribute("Conventions", kAnalysisConventions);
    root.attribute("schema_version", kAnalysisVersion);
    for (const auto& [name, value] : attributes) root.attribute(name, value);
    for (const AnalysisTable& table : tables) put_table(root, table, path.string());
    write_file_atomic(path, file.image());
}

}  // namespace xlrm
