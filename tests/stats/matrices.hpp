#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_qr.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/shared_data.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm::test {

inline at::Tensor matrix_of(const std::vector<double>& values, std::int64_t rows, std::int64_t columns) {
    at::Tensor out = at::empty({rows, columns}, at::kDouble);
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<double>());
    return out;
}

inline const Json& representation() {
    static const Json content = read_json(fixture("stats/representation.json"));
    return content;
}

struct Pair {
    at::Tensor x, y;
    Json packages;  //!< what other packages make of them
};
//! "v1": 100 examples of 10 features; "v2": 30 of 25, independent; "v3": 60 of 7 with an offset.
inline Pair matrices(const std::string& name) {
    const Json& one = representation().at("matrices").at(name);
    return {matrix_of(one.at("x"), one.at("n"), one.at("d")), matrix_of(one.at("y"), one.at("n"), one.at("d")),
            one.at("packages")};
}

inline at::Tensor normal_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
    Random random(seed);
    std::vector<double> values(static_cast<std::size_t>(rows * columns));
    for (double& value : values) value = random.normal();
    return matrix_of(values, rows, columns);
}

//! A random rotation (possibly with a reflection).
inline at::Tensor rotation(std::int64_t size, std::uint64_t seed) {
    return std::get<0>(at::linalg_qr(normal_matrix(size, size, seed)));
}

}  // namespace xlrm::test
