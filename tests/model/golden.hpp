#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "xlrm/store/items.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm_test {

inline at::Tensor read_tensor(const xlrm::SafetensorsFile& file, const std::string& name) {
    const xlrm::TensorView view = file.tensor(name);
    const auto dtype = view.dtype == xlrm::DType::f64 ? at::kDouble : at::kFloat;
    return at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape, at::TensorOptions().dtype(dtype)).clone();
}

//! Norm of the difference over norm of `expected`.
inline double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
    const at::Tensor a = actual.to(at::kDouble).flatten();
    const at::Tensor e = expected.to(at::kDouble).flatten();
    return ((a - e).norm() / e.norm()).item<double>();
}

//! Texts of a golden file (make_gradients.py): answers in the file's order.
inline xlrm::ItemSet read_texts(const xlrm::SafetensorsFile& file) {
    const at::Tensor tokens = read_tensor(file, "tokens").to(at::kInt);
    const at::Tensor lengths = read_tensor(file, "lengths").to(at::kInt);
    const at::Tensor prompts = read_tensor(file, "prompts").to(at::kInt);
    xlrm::ItemSet set;
    set.tokens.assign(tokens.const_data_ptr<std::int32_t>(), tokens.const_data_ptr<std::int32_t>() + tokens.numel());
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < lengths.numel(); ++i) {
        const std::int32_t length = lengths.const_data_ptr<std::int32_t>()[i];
        set.answers.push_back({begin, length, prompts.const_data_ptr<std::int32_t>()[i]});
        begin += length;
    }
    return set;
}

inline std::filesystem::path fixture(const std::string& name) {
    return std::filesystem::path(XLRM_SOURCE_DIR) / "tests/fixtures/model" / name;
}

//! Folder of a shared data set, or empty when it is not there.
inline std::filesystem::path shared_data(const std::string& name) {
    const char* root = std::getenv("XLRM_SHARED");
    const std::filesystem::path base = root != nullptr ? root : std::filesystem::path(XLRM_SOURCE_DIR) / ".." / "shared";
    const std::filesystem::path path = base / "data" / name;
    return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace xlrm_test
