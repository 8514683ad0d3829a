#include "xlrm/store/index.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "cell_layout.hpp"
#include "h5_read.hpp"
#include "h5_write.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndexConventions = "XLRM-index-1";
constexpr std::int64_t kIndexVersion = 1;

//! "cells/m/bench.part.ko.h5" → "bench.part".
std::string benchmark_of(const fs::path& file) { return file.stem().stem().string(); }

double accuracy_of(const CellScores& cell) {
    if (!cell.has_scores || cell.id.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::int64_t right = 0;
    for (std::size_t i = 0; i < cell.chosen.size(); ++i) right += cell.chosen[i] > cell.rejected[i] ? 1 : 0;
    return static_cast<double>(right) / static_cast<double>(cell.chosen.size());
}

std::string text(const CellScores& cell, const std::string& name, const fs::path& file) {
    if (!cell.attributes.contains(name) || !cell.attributes[name].is_string())
        fail(file.string() + ": the attribute " + name + " is missing");
    return cell.attributes[name].get<std::string>();
}

void check_names(const std::vector<IndexRow>& rows, const std::string& name) {
    std::set<std::string> seen;
    for (const IndexRow& row : rows) {
        const fs::path file(row.file);
        const bool outside = std::find(file.begin(), file.end(), fs::path("..")) != file.end();
        if (file.empty() || file.is_absolute() || outside)
            fail(name + ": the cell '" + row.file + "' is not below the index's folder (the link would read any file)");
        if (!seen.insert(row.file).second) fail(name + ": the cell '" + row.file + "' is listed twice");
    }
}

template <class Get>
std::vector<std::string> texts_of(const std::vector<IndexRow>& rows, Get get) {
    std::vector<std::string> values;
    for (const IndexRow& row : rows) values.push_back(get(row));
    return values;
}

void put_cells(h5::OutGroup cells, const std::vector<IndexRow>& rows) {
    std::vector<std::int64_t> seed, items;
    std::vector<double> accuracy;
    for (const IndexRow& row : rows) {
        seed.push_back(row.seed);
        items.push_back(row.items);
        accuracy.push_back(row.accuracy);
    }
    cells.dimension("cell", static_cast<std::int64_t>(rows.size()));
    cells.texts("file", "cell", texts_of(rows, [](const IndexRow& r) { return r.file; }));
    cells.texts("sha256", "cell", texts_of(rows, [](const IndexRow& r) { return r.sha256; }));
    cells.texts("model", "cell", texts_of(rows, [](const IndexRow& r) { return r.model; }));
    cells.texts("source", "cell", texts_of(rows, [](const IndexRow& r) { return r.source_lang; }));
    cells.texts("target", "cell", texts_of(rows, [](const IndexRow& r) { return r.target_lang; }));
    cells.texts("benchmark", "cell", texts_of(rows, [](const IndexRow& r) { return r.benchmark; }));
    cells.dataset("seed", {"cell"}, std::span<const std::int64_t>(seed));
    cells.dataset("n", {"cell"}, std::span<const std::int64_t>(items));
    cells.dataset("accuracy", {"cell"}, std::span<const double>(accuracy));
    cells.describe("accuracy", "long_name", "share of items with chosen > rejected; NaN without scores");
}

void put_links(const h5::OutGroup& links, const std::vector<IndexRow>& rows) {
    std::map<std::string, h5::OutGroup> models;
    for (const IndexRow& row : rows) {
        const fs::path file(row.file);
        const std::string model = file.parent_path().filename().string();
        auto found = models.find(model);
        if (found == models.end()) found = models.emplace(model, links.group(model)).first;
        found->second.external_link(file.stem().string(), row.file);
    }
}

template <class T>
std::vector<T> column_of_numbers(const h5::InFile& file, const std::string& path, std::size_t rows) {
    std::vector<T> values = file.read<T>(path).values;
    if (values.size() != rows) fail(file.name() + ":" + path + ": has other rows than /cells/file");
    return values;
}

std::vector<std::string> column_of_texts(const h5::InFile& file, const std::string& path, std::size_t rows) {
    std::vector<std::string> values = file.texts(path);
    if (values.size() != rows) fail(file.name() + ":" + path + ": has other rows than /cells/file");
    return values;
}

}  // namespace

IndexRow index_row(const fs::path& root, const fs::path& file, FileHashes* hashes) {
    FileHashes own;  // one reading for all that follows
    if (hashes == nullptr) hashes = &own;
    const fs::path path = root / file;
    if (!cell_verifies(path, hashes)) fail(path.string() + ": the cell is missing or damaged, so it cannot be listed");
    const CellScores cell = read_cell_scores(path, hashes);
    IndexRow row;
    row.file = file.generic_string();
    row.sha256 = hashes->sha256(path);
    row.model = text(cell, "model", path);
    row.source_lang = text(cell, "source_lang", path);
    row.target_lang = text(cell, "target_lang", path);
    row.benchmark = benchmark_of(file);
    row.seed = cell.attributes.value("seed", std::int64_t{0});
    row.items = static_cast<std::int64_t>(cell.id.size());
    row.accuracy = accuracy_of(cell);
    return row;
}

std::vector<IndexRow> collect_index(const fs::path& root, std::vector<std::string>* damaged, FileHashes* hashes) {
    FileHashes own;
    if (hashes == nullptr) hashes = &own;
    std::vector<fs::path> files;
    const fs::path cells = root / "cells";
    if (fs::is_directory(cells))
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(cells))
            if (entry.path().extension() == ".h5" && !entry.path().filename().string().starts_with('.'))
                files.push_back(fs::relative(entry.path(), root));
    std::sort(files.begin(), files.end());
    std::vector<IndexRow> rows;
    for (const fs::path& file : files) {
        if (cell_verifies(root / file, hashes))
            rows.push_back(index_row(root, file, hashes));
        else if (damaged != nullptr)
            damaged->push_back(file.generic_string());
    }
    return rows;
}

void write_index(const fs::path& path, const std::vector<IndexRow>& rows) {
    check_names(rows, path.string());
    const h5::OutFile file(path.string());
    const h5::OutGroup root = file.root();
    root.attribute("Conventions", kIndexConventions);
    root.attribute("schema_version", kIndexVersion);
    put_cells(root.group("cells"), rows);
    put_links(root.group("links"), rows);
    write_file_atomic(path, file.image());
}

std::vector<IndexRow> read_index(const fs::path& path) {
    const h5::InFile file(path);
    file.require_schema(kIndexConventions, kIndexVersion);
    std::vector<std::string> files = file.texts("/cells/file");
    const std::size_t n = files.size();
    std::vector<std::string> hash = column_of_texts(file, "/cells/sha256", n), model = column_of_texts(file, "/cells/model", n),
                             source = column_of_texts(file, "/cells/source", n),
                             target = column_of_texts(file, "/cells/target", n),
                             benchmark = column_of_texts(file, "/cells/benchmark", n);
    const auto seed = column_of_numbers<std::int64_t>(file, "/cells/seed", n),
               items = column_of_numbers<std::int64_t>(file, "/cells/n", n);
    const auto accuracy = column_of_numbers<double>(file, "/cells/accuracy", n);
    std::vector<IndexRow> rows;
    for (std::size_t i = 0; i < n; ++i)
        rows.push_back({std::move(files[i]), std::move(hash[i]), std::move(model[i]), std::move(source[i]), std::move(target[i]),
                        std::move(benchmark[i]), seed[i], items[i], accuracy[i]});
    check_names(rows, file.name());
    return rows;
}

}  // namespace xlrm
