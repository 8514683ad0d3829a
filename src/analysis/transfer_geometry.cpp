#include "transfer_geometry.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "xlrm/core/error.hpp"
#include "xlrm/stats/mantel.hpp"

namespace xlrm {

namespace {

//! Rows of a table by column name.
class TableRows {
public:
    explicit TableRows(const ResultTable& table) : table_(table) {}

    std::string text(std::size_t row, const char* name) const { return std::get<std::string>(table_.rows[row][column(name)]); }
    std::int64_t count(std::size_t row, const char* name) const { return std::get<std::int64_t>(table_.rows[row][column(name)]); }
    Estimate number(std::size_t row, const char* name) const {
        const TableValue& value = table_.rows[row][column(name)];
        if (const auto* interval = std::get_if<EstimateWithInterval>(&value)) return interval->value;
        return std::get<Estimate>(value);
    }
    std::size_t rows() const { return table_.rows.size(); }

private:
    std::size_t column(const char* name) const {
        const auto found = std::ranges::find(table_.columns, name, &Column::name);
        if (found == table_.columns.end()) fail("table " + table_.name + " has no column " + name);
        return static_cast<std::size_t>(found - table_.columns.begin());
    }
    const ResultTable& table_;
};

using Pairs = std::map<std::pair<std::string, std::string>, double>;  //!< (source, target)

//! Gaps on all items by base and benchmark.
std::map<std::pair<std::string, std::string>, Pairs> gaps_of(const ResultTable& table) {
    const TableRows gaps(table);
    std::map<std::pair<std::string, std::string>, Pairs> all;
    for (std::size_t r = 0; r < gaps.rows(); ++r) {
        if (gaps.text(r, "category") != "all" || gaps.text(r, "kind") != "own") continue;
        const Estimate gap = gaps.number(r, "gap");
        if (gap.defined())
            all[{gaps.text(r, "base"), gaps.text(r, "benchmark")}][{gaps.text(r, "source"), gaps.text(r, "target")}] =
                gap.value();
    }
    return all;
}

//! What one row of the result is made of.
struct Group {
    std::string base, benchmark, capture, measure;
    std::int64_t layer = 0;
    auto operator<=>(const Group&) const = default;
};

//! Languages that have both values with one another, the measure symmetric: the one that lacks most is left out until none lacks
//! any.
std::vector<std::string> complete_languages(const Pairs& measure, const Pairs& gaps) {
    std::vector<std::string> languages;
    for (const auto& [pair, value] : measure)
        for (const std::string& name : {pair.first, pair.second})
            if (std::ranges::find(languages, name) == languages.end()) languages.push_back(name);
    const auto lacks = [&](const std::string& one) {
        return std::ranges::count_if(languages, [&](const std::string& two) {
            return one != two && (!gaps.contains({one, two}) || !gaps.contains({two, one}) ||
                                  (!measure.contains({one, two}) && !measure.contains({two, one})));
        });
    };
    while (!languages.empty()) {
        const auto worst = std::ranges::max_element(languages, {}, lacks);
        if (lacks(*worst) == 0) break;
        languages.erase(worst);
    }
    return languages;
}

}  // namespace

ResultTable transfer_geometry(const ResultTable& alignment, const ResultTable& gaps) {
    ResultTable out{
        "transfer_geometry",
        "Does the base model's geometry explain transfer?",
        "Spearman's r, over ordered pairs of languages, of a similarity of the two languages' states in the base model (table "
        "alignment) and the gap A[s,t] − A[t,t] (table gaps, all items). p: Mantel's test, which permutes language labels, since "
        "pairs that share a language depend on one another; with n languages no p is below 1/n! (5: 0.0083). Correlation, not "
        "cause, and many layers are looked at.",
        {{"base", ColumnKind::text},
         {"benchmark", ColumnKind::text},
         {"capture", ColumnKind::text},
         {"layer", ColumnKind::count},
         {"measure", ColumnKind::text},
         {"languages", ColumnKind::count},
         {"r", ColumnKind::number},
         {"p", ColumnKind::p},
         {"permutations", ColumnKind::count, true}},
        {}};
    const auto all_gaps = gaps_of(gaps);
    const TableRows states(alignment);
    std::map<Group, Pairs> groups;
    for (std::size_t r = 0; r < states.rows(); ++r) {
        if (!states.text(r, "source").empty()) continue;
        for (const char* measure : {"cka", "margin", "p_at_1"}) {
            const Group group{states.text(r, "base"), states.text(r, "benchmark"), states.text(r, "capture"), measure,
                              states.count(r, "layer")};
            const Estimate value = states.number(r, measure);
            Pairs& pairs = groups[group];
            if (value.defined()) pairs[{states.text(r, "first_target"), states.text(r, "second_target")}] = value.value();
        }
    }
    for (const auto& [group, measure] : groups) {
        const auto found = all_gaps.find({group.base, group.benchmark});
        if (found == all_gaps.end()) continue;
        const std::vector<std::string> languages = complete_languages(measure, found->second);
        const std::size_t n = languages.size();
        std::vector<double> x(n * n, 0.0), y(n * n, 0.0);
        for (std::size_t s = 0; s < n; ++s) {
            for (std::size_t t = 0; t < n; ++t) {
                if (s == t) continue;
                const auto pair = measure.find({languages[s], languages[t]});
                x[s * n + t] = pair != measure.end() ? pair->second : measure.at({languages[t], languages[s]});
                y[s * n + t] = found->second.at({languages[s], languages[t]});
            }
        }
        const Mantel test = mantel(x, y, static_cast<std::int64_t>(n), MantelKind::spearman);
        out.add({group.base, group.benchmark, group.capture, group.layer, group.measure, static_cast<std::int64_t>(n), test.r,
                 test.p, test.permutations});
    }
    return out;
}

}  // namespace xlrm
