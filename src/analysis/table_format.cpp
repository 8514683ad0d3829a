#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>

#include "xlrm/analysis/grid.hpp"
#include "xlrm/analysis/transfer_table.hpp"

namespace xlrm {

namespace {

std::string number(double value, int digits) {
    if (std::isnan(value)) return "";
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string percent(double share) { return std::isnan(share) ? "–" : number(100.0 * share, 1); }

//! Entries of one base, benchmark and subset, by (source, target).
using Block = std::map<std::pair<std::string, std::string>, const TransferEntry*>;
using Grids = std::map<std::vector<std::string>, Block>;

Grids grids_of(const TransferTable& table) {
    Grids grids;
    for (const TransferEntry& entry : table.entries)
        grids[{entry.base, entry.benchmark, entry.subset}][{entry.source, entry.target}] = &entry;
    return grids;
}

bool is_given(const Block& grid) { return grid.begin()->first.first == kGivenModel; }

std::string title(const std::vector<std::string>& key, const Block& grid) {
    return (is_given(grid) ? "model " : "base ") + key[0] + ", benchmark " + key[1] +
           (key[2].empty() ? "" : ", subset " + key[2]);
}

std::string seeds_text(const TransferEntry& entry) {
    std::string text;
    for (const auto& [seed, accuracy] : entry.seeds) text += (text.empty() ? "" : " / ") + percent(accuracy.share());
    return text;
}

std::string padded(const std::string& text, std::size_t width) {
    std::size_t columns = 0;
    for (const char c : text) columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    return columns < width ? text + std::string(width - columns, ' ') : text;
}

bool has_scores(const Block& grid) {
    return std::any_of(grid.begin(), grid.end(), [](const auto& place) { return !place.second->scores.empty(); });
}

//! The rows of a block.
std::vector<std::string> sources_of(const TransferTable& table, const Block& grid) {
    return is_given(grid) ? std::vector<std::string>{kGivenModel} : table.sources;
}

//! The lines of one source: accuracy with its interval, each seed's, gap to the target's own model, floor; and the score where
//! the benchmark has a rule of its own.
std::vector<std::vector<std::string>> source_lines(const TransferTable& table, const Block& grid, const std::string& source) {
    std::vector<std::vector<std::string>> lines = {{source, "accuracy"}, {"", "seeds"}, {"", "gap"}, {"", "floor"}};
    for (const std::string& target : table.targets) {
        const auto found = grid.find({source, target});
        if (found == grid.end()) {
            for (auto& line : lines) line.push_back("–");
            continue;
        }
        const TransferEntry& e = *found->second;
        lines[0].push_back(percent(e.pooled.share()) + " [" + percent(e.pooled.wilson.low) + ", " +
                           percent(e.pooled.wilson.high) + "]");
        lines[1].push_back(seeds_text(e));
        lines[2].push_back(std::isnan(e.gap) ? "–" : (e.gap >= 0 ? "+" : "") + percent(e.gap));
        lines[3].push_back(std::isnan(e.floor) ? "–"
                                               : percent(e.floor) + " [" + percent(e.floor_wilson.low) + ", " +
                                                     percent(e.floor_wilson.high) + "]");
    }
    if (!has_scores(grid)) return lines;
    lines.push_back({"", "score"});
    for (const std::string& target : table.targets) {
        const auto found = grid.find({source, target});
        lines.back().push_back(found == grid.end() || found->second->scores.empty()
                                   ? "–"
                                   : percent(found->second->score()) + " " + found->second->rule);
    }
    return lines;
}

std::string gain_text(const PooledGain& g) {
    return "base " + g.base + ", benchmark " + g.benchmark + ": " + std::to_string(g.cells) + " off-diagonal cells, accuracy " +
           percent(g.accuracy.mean) + " %, floor " + percent(g.floor.mean) + " %, difference " + percent(g.gain.mean) +
           " points [" + percent(g.gain.interval.low) + ", " + percent(g.gain.interval.high) + "] (95 %, clustered over " +
           std::to_string(g.gain.clusters) + " items)";
}

std::string ratio_text(const RatioEntry& r) {
    std::string text = r.model + ", " + r.benchmark + ": f =";
    for (const auto& [variant, mean] : r.mean)
        text += (mean.defined() ? " " + number(mean.value(), 4) : " – [" + name_of(mean.why()) + "]") + " (" + variant + ")";
    return text + " over " + std::to_string(r.items) + " parallel items";
}

std::string left_out_text(const ItemsLeftOut& left) {
    const std::string place = "base " + left.base + ", benchmark " + left.benchmark + ", " + left.target + ": ";
    std::string text;
    const auto add = [&](std::int64_t count, const std::string& what) {
        if (count > 0)
            text +=
                (text.empty() ? place : "; ") + std::to_string(count) + " of " + std::to_string(left.items) + " items " + what;
    };
    add(left.too_long, "longer than max-length " + std::to_string(left.max_length) + " are left out");
    add(left.not_in_all, "that not every cell has are left out");
    add(left.without_floor, "have no verdict of a floor, which is not shown");
    return text;
}

const char* kLegend =
    "Rows: language the reward model was trained on. Columns: language it was evaluated in. Accuracy in %, strict (a tie is "
    "wrong), pooled over\n"
    "seeds, with 95 % Wilson interval; gap: points above the model trained on the target; floor: character n-grams trained on "
    "the source;\n"
    "score: by the rule of the benchmark that the subsets belong to, mean over seeds.\n";

}  // namespace

std::string format_text(const TransferTable& table) {
    std::string out = kLegend;
    for (const auto& [key, grid] : grids_of(table)) {
        out += "\n" + title(key, grid) + "\n" + padded("source", 12) + padded("", 10);
        for (const std::string& target : table.targets) out += padded(target, 21);
        out += "\n";
        for (const std::string& source : sources_of(table, grid)) {
            for (const auto& line : source_lines(table, grid, source)) {
                std::string row = padded(line[0], 12) + padded(line[1], 10);
                for (std::size_t i = 2; i < line.size(); ++i) row += padded(line[i], 21);
                out += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
            }
        }
    }
    if (!table.gains.empty()) out += "\nOff-diagonal cells against the floor\n";
    for (const PooledGain& gain : table.gains) out += gain_text(gain) + "\n";
    if (!table.ratios.empty())
        out +=
            "\nMean singular-value ratio f (last layer, pooled token, chosen answers; 1 = languages collapse to one direction)\n";
    for (const RatioEntry& ratio : table.ratios) out += ratio_text(ratio) + "\n";
    if (!table.left_out.empty()) out += "\nItems left out (of accuracy, seeds, gap, floor and score alike)\n";
    for (const ItemsLeftOut& left : table.left_out) out += left_out_text(left) + "\n";
    if (table.missing > 0) out += "\n" + std::to_string(table.missing) + " cells are missing: run the sweep again\n";
    return out;
}

std::string format_markdown(const TransferTable& table) {
    std::string out = std::string(kLegend);
    for (const auto& [key, grid] : grids_of(table)) {
        out += "\n### " + title(key, grid) + "\n\n| source | |";
        std::string rule = "|---|---|";
        for (const std::string& target : table.targets) {
            out += " " + target + " |";
            rule += "---|";
        }
        out += "\n" + rule + "\n";
        for (const std::string& source : sources_of(table, grid)) {
            for (const auto& line : source_lines(table, grid, source)) {
                out += "|";
                for (const std::string& cell : line) out += " " + cell + " |";
                out += "\n";
            }
        }
    }
    out += "\n";
    for (const PooledGain& gain : table.gains) out += "- " + gain_text(gain) + "\n";
    for (const RatioEntry& ratio : table.ratios) out += "- " + ratio_text(ratio) + "\n";
    for (const ItemsLeftOut& left : table.left_out) out += "- " + left_out_text(left) + "\n";
    return out;
}

std::string format_csv(const TransferTable& table) {
    std::string out =
        "base,benchmark,subset,source,target,seed,items,correct,ties,accuracy,low,high,gap,floor,floor_low,floor_high,rule,score,"
        "left_out\n";
    for (const TransferEntry& e : table.entries) {
        const auto line = [&](const std::string& seed, const Accuracy& a, double gap, double score) {
            out += e.base + "," + e.benchmark + "," + e.subset + "," + e.source + "," + e.target + "," + seed + "," +
                   std::to_string(a.items) + "," + std::to_string(a.correct) + "," + std::to_string(a.ties) + "," +
                   number(a.share(), 6) + "," + number(a.wilson.low, 6) + "," + number(a.wilson.high, 6) + "," + number(gap, 6) +
                   "," + number(e.floor, 6) + ",";
            out += (std::isnan(e.floor) ? "," : number(e.floor_wilson.low, 6) + "," + number(e.floor_wilson.high, 6)) + "," +
                   e.rule + "," + number(score, 6) + "," + std::to_string(e.left_out) + "\n";
        };
        line("all", e.pooled, e.gap, e.score());
        for (const auto& [seed, accuracy] : e.seeds)
            line(std::to_string(seed), accuracy, std::nan(""), e.scores.contains(seed) ? e.scores.at(seed) : std::nan(""));
    }
    return out;
}

}  // namespace xlrm
