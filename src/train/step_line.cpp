#include "step_line.hpp"

#include <cstdio>

namespace xlrm {

std::string step_line(const Json& record) {
    std::string text = "loss ";
    const auto put = [&](const char* label, const char* key, const char* format) {
        if (!record.contains(key)) return;
        char number[32];
        std::snprintf(number, sizeof number, format, record[key].get<double>());
        text += std::string(label) + number;
    };
    put("", "loss", "%.4f");
    put(", accuracy ", "accuracy", "%.3f");
    put(", margin ", "margin", "%.3f");
    put(", accuracy ", "rewards/accuracies", "%.3f");
    put(", margin ", "rewards/margins", "%.3f");
    put(", token accuracy ", "mean_token_accuracy", "%.3f");
    put(", lm loss ", "lm_loss", "%.3f");
    put(", grad norm ", "grad_norm", "%.3g");
    put(", lr ", "learning_rate", "%.3g");
    put(", pairs/s ", "pairs_per_s", "%.3g");
    put(", rows/s ", "rows_per_s", "%.3g");
    put(", tokens/s ", "tokens_per_s", "%.0f");
    return text;
}

}  // namespace xlrm
