#include "transfer_part.hpp"

#include <cmath>

namespace xlrm {

namespace {

Estimate number(double value, Undefined otherwise) { return std::isfinite(value) ? Estimate(value) : Estimate(otherwise); }

}  // namespace

PartResult transfer_part(const TransferTable& table) {
    ResultTable entries{
        "transfer",
        "Transfer table",
        "Strict accuracy pooled over seeds with the 95 % Wilson interval; gap: to the model trained on the target; floor: "
        "character n-grams trained on the source; score: by the rule of the benchmark that the subsets belong to.",
        {{"base", ColumnKind::text},
         {"benchmark", ColumnKind::text},
         {"subset", ColumnKind::text},
         {"source", ColumnKind::text},
         {"target", ColumnKind::text},
         {"items", ColumnKind::count},
         {"ties", ColumnKind::count, true},
         {"accuracy", ColumnKind::share, false, true},
         {"gap", ColumnKind::points},
         {"floor", ColumnKind::share},
         {"score", ColumnKind::share, true},
         {"left_out", ColumnKind::count, true}},
        {}};
    for (const TransferEntry& e : table.entries) {
        EstimateWithInterval accuracy{Undefined::no_items, Undefined::no_rule, Undefined::no_items, Undefined::no_items};
        if (e.pooled.items > 0) accuracy = {e.pooled.share(), Undefined::no_rule, e.pooled.wilson.low, e.pooled.wilson.high};
        entries.add({e.base, e.benchmark, e.subset, e.source, e.target, e.pooled.items, e.pooled.ties, accuracy,
                     number(e.gap, Undefined::missing_cell), number(e.floor, Undefined::no_items),
                     number(e.score(), Undefined::no_rule), e.left_out});
    }
    return {{std::move(entries)},
            {{"transfer.txt", format_text(table)}, {"transfer.md", format_markdown(table)}, {"transfer.csv", format_csv(table)}}};
}

}  // namespace xlrm
