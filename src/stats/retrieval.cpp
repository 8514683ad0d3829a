#include "xlrm/stats/retrieval.hpp"

#include <algorithm>
#include <vector>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

//! Whether each row's diagonal entry is above all others of the row.
std::vector<bool> diagonal_wins(const at::Tensor& scores) {
    const at::Tensor whole = scores.contiguous();
    const std::int64_t n = whole.size(0);
    std::vector<bool> wins;
    for (std::int64_t i = 0; i < n; ++i) {
        const double* row = whole.const_data_ptr<double>() + i * n;
        bool best = true;
        for (std::int64_t j = 0; j < n && best; ++j) best = j == i || row[i] > row[j];
        wins.push_back(best);
    }
    return wins;
}

double share(const std::vector<bool>& wins) {
    return static_cast<double>(std::count(wins.begin(), wins.end(), true)) / static_cast<double>(wins.size());
}

//! Mean of the k largest entries of each row.
at::Tensor nearest_mean(const at::Tensor& cosines, std::int64_t k) { return std::get<0>(cosines.topk(k, 1)).mean(1); }

}  // namespace

at::Tensor without_mean(const at::Tensor& x) {
    matrix::require_matrix(x, "centring");
    return matrix::centred(x);
}

Retrieval retrieval(const at::Tensor& x, const at::Tensor& y, std::int64_t csls_k) {
    matrix::require_rows(x, y, "retrieval");
    require(x.size(1) == y.size(1) && csls_k > 0, "retrieval needs equal numbers of features, and k > 0");
    Retrieval result;
    const std::int64_t n = x.size(0);
    if (n < 2) {
        for (Estimate* value : {&result.x_to_y, &result.y_to_x, &result.csls, &result.mexa, &result.margin})
            *value = Undefined::too_few_items;
        return result;
    }
    const at::Tensor cosines = matrix::unit_rows(x).matmul(matrix::unit_rows(y).t());
    const std::vector<bool> rows = diagonal_wins(cosines), columns = diagonal_wins(cosines.t());
    result.x_to_y = share(rows);
    result.y_to_x = share(columns);
    std::vector<bool> both;
    for (std::size_t i = 0; i < rows.size(); ++i) both.push_back(rows[i] && columns[i]);
    result.mexa = share(both);
    const std::int64_t k = std::min(csls_k, n);
    const at::Tensor corrected =
        cosines.mul(2.0).sub(nearest_mean(cosines, k).unsqueeze(1)).sub(nearest_mean(cosines.t().contiguous(), k).unsqueeze(0));
    result.csls = share(diagonal_wins(corrected));
    const double own = matrix::total(cosines.diagonal());
    const auto count = static_cast<double>(n);
    result.margin = own / count - (matrix::total(cosines) - own) / (count * (count - 1.0));
    return result;
}

}  // namespace xlrm
