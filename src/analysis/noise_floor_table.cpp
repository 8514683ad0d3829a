#include "state_parts.hpp"

namespace xlrm {

std::vector<ResultTable> noise_floor_tables() {
    return {{"noise_floor",
             "What rounding alone moves, by layer and language",
             "The base evaluated in bf16 against the same in fp32, the measures of the table shift: a model whose values are no "
             "larger has not been shown to have moved. Without rows where the sweep has no such cells. It is the error of one "
             "arithmetic, not of training: other seeds differ by more.",
             shift_columns({{"base", ColumnKind::text},
                            {"benchmark", ColumnKind::text},
                            {"target", ColumnKind::text},
                            {"capture", ColumnKind::text},
                            {"layer", ColumnKind::count}}),
             {}},
            {"noise_floor_ratios",
             "What rounding alone changes of the singular-value ratio, by layer",
             "change: f of the base in bf16 minus f of the base, item by item (table ratios), interval clustered by item.",
             {{"base", ColumnKind::text},
              {"benchmark", ColumnKind::text},
              {"capture", ColumnKind::text},
              {"layer", ColumnKind::count},
              {"variant", ColumnKind::text},
              {"items", ColumnKind::count, true},
              {"change", ColumnKind::number, false, true}},
             {}}};
}

void add_noise_floor(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    if (set.floor.empty()) return;
    for (std::size_t t = 0; t < set.targets.size(); ++t) {
        const ShiftSide base(set.load(0, t, input.capture, input.layer, "chosen"), set.subset);
        const ShiftSide rounded(set.load(set.models.size(), t, input.capture, input.layer, "chosen"), set.subset);
        std::vector<TableValue> row = {set.base, set.benchmark, set.targets[t], input.capture,
                                       static_cast<std::int64_t>(input.layer)};
        for (TableValue& value : shift_values(base, rounded)) row.push_back(std::move(value));
        tables[0].add(std::move(row));
    }
    add_ratio_floor(input, tables[1]);
}

}  // namespace xlrm
