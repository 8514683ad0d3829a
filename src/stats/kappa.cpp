#include "xlrm/stats/kappa.hpp"

#include <array>
#include <vector>

#include "xlrm/core/error.hpp"

namespace xlrm {

Estimate cohen_kappa(std::span<const std::int64_t> table, std::int64_t categories) {
    const auto k = static_cast<std::size_t>(categories);
    require(categories > 0 && table.size() == k * k, "Cohen's kappa of a table that is not square");
    std::vector<double> rows(k, 0.0), columns(k, 0.0);
    double total = 0.0;
    double agreed = 0.0;
    for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = 0; j < k; ++j) {
            const auto count = static_cast<double>(table[i * k + j]);
            require(count >= 0.0, "Cohen's kappa of counts below 0");
            rows[i] += count;
            columns[j] += count;
            total += count;
            agreed += i == j ? count : 0.0;
        }
    }
    if (total == 0.0) return Undefined::no_items;
    double chance = 0.0;
    for (std::size_t i = 0; i < k; ++i) chance += rows[i] * columns[i];
    const double whole = total * total;
    if (chance == whole) return Undefined::no_variation;
    return (agreed * total - chance) / (whole - chance);
}

Estimate kappa_of_correctness(const PairedCounts& counts) {
    return cohen_kappa(std::array{counts.both, counts.first, counts.second, counts.neither}, 2);
}

Estimate kappa_of_order(const PairedCounts& counts) {
    if (counts.items() == 0) return Undefined::no_items;
    return 2.0 * static_cast<double>(counts.both + counts.neither) / static_cast<double>(counts.items()) - 1.0;
}

Estimate fleiss_kappa(std::span<const std::int64_t> counts, std::int64_t categories) {
    const auto k = static_cast<std::size_t>(categories);
    require(categories > 0 && counts.size() % k == 0, "Fleiss' kappa of a table that is not (subject, category)");
    if (counts.empty()) return Undefined::no_items;
    std::vector<double> totals(k, 0.0);
    std::int64_t raters = -1;
    double agreement = 0.0;
    for (std::size_t begin = 0; begin < counts.size(); begin += k) {
        std::int64_t row = 0;
        double squares = 0.0;
        for (std::size_t j = 0; j < k; ++j) {
            const std::int64_t count = counts[begin + j];
            row += count;
            squares += static_cast<double>(count) * static_cast<double>(count);
            totals[j] += static_cast<double>(count);
        }
        if (raters < 0) raters = row;
        require(row == raters && raters > 1, "Fleiss' kappa needs the same number of raters, two or more, for every subject");
        const auto n = static_cast<double>(raters);
        agreement += (squares - n) / (n * (n - 1.0));
    }
    const auto subjects = static_cast<double>(counts.size() / k);
    const double all = subjects * static_cast<double>(raters);
    double chance = 0.0;
    for (const double total : totals) chance += (total / all) * (total / all);
    if (chance >= 1.0) return Undefined::no_variation;
    return (agreement / subjects - chance) / (1.0 - chance);
}

}  // namespace xlrm
