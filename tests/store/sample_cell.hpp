#pragma once

#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "xlrm/store/cell_file.hpp"

namespace xlrm {

//! value(i) = sin-free, exactly representable in 16 bits: multiples of 1/8 in [-8, 8).
inline float sample_value(std::size_t i) { return static_cast<float>((i * 37U) % 128U) / 8.0F - 8.0F; }

inline std::vector<std::byte> sample_bits(DType dtype, std::size_t count, std::size_t start) {
    std::vector<std::byte> bytes(count * static_cast<std::size_t>(dtype_bytes(dtype)));
    for (std::size_t i = 0; i < count; ++i) {
        const float value = sample_value(start + i);
        const std::uint16_t half = dtype == DType::bf16 ? to_bf16(value) : to_f16(value);
        if (dtype == DType::f32)
            std::memcpy(bytes.data() + 4 * i, &value, 4);
        else
            std::memcpy(bytes.data() + 2 * i, &half, 2);
    }
    return bytes;
}

inline RowSource sample_rows(DType dtype, std::int64_t rows, std::int64_t features, std::size_t start) {
    return rows_in_memory(sample_bits(dtype, static_cast<std::size_t>(rows * features), start), features * dtype_bytes(dtype));
}

//! Five items, three layers (bf16, fp16 and, last, fp32), two captures, tokens of two items, four answers at most.
inline Cell sample_cell() {
    constexpr std::int64_t kFeatures = 6;
    Cell cell;
    cell.model = "base.ko.s1";
    cell.source_lang = "ko";
    cell.target_lang = "es";
    cell.pooling = "last";
    cell.head = "score";
    cell.chat_template = "none";
    cell.template_sha256 = std::string(64, 'a');
    cell.tokenizer_sha256 = std::string(64, 'b');
    cell.model_sha256 = std::string(64, 'c');
    cell.dtype = "fp32";
    cell.seed = 7;
    cell.provenance = {
        {"options", {{"capture", "last,mean"}}}, {"code", "0.1.0"}, {"inputs", {{"x.jsonl", std::string(64, 'd')}}}};
    cell.id = {"a-1", "b – 한국어", "c", "d", ""};
    cell.subset = {"chat", "chat", "", "reasoning", "안전"};
    cell.lang = std::vector<std::string>(5, "es");
    cell.occurrence = {0, 2, 0, 0, 1};
    cell.chosen = {1.5F, -0.25F, 3.0F, 0.0F, 1e-30F};
    cell.rejected = {0.5F, 0.25F, -3.0F, 0.0F, -1e10F};
    cell.chosen_tokens = {10, 20, 30, 40, 50};
    cell.rejected_tokens = {11, 21, 31, 41, 51};
    cell.max_answers = 4;
    const float none = std::numeric_limits<float>::quiet_NaN();
    cell.response = {1.5F,  0.5F,  none, none, -0.25F, 0.25F, 0.125F, none,   3.0F, -3.0F,
                     -4.0F, -5.0F, 0.0F, 0.0F, none,   none,  1e-30F, -1e10F, none, none};
    cell.num_correct = {1, 1, 1, 1, 1};
    const std::vector<std::pair<int, DType>> layers = {{0, DType::bf16}, {1, DType::f16}, {2, DType::f32}};
    for (const std::string capture : {"last", "mean"})
        for (const auto& [layer, dtype] : layers)
            cell.activations[capture].push_back({layer, dtype, kFeatures,
                                                 sample_rows(dtype, 5, kFeatures, static_cast<std::size_t>(layer)),
                                                 sample_rows(dtype, 5, kFeatures, static_cast<std::size_t>(layer) + 100U)});
    for (const std::string side : {"chosen", "rejected"})
        cell.token_activations[side].push_back(
            {1, DType::bf16, kFeatures, {0, 3}, {2, 3}, sample_bits(DType::bf16, 5 * kFeatures, 50)});
    cell.final_norm = {1.0F, 0.5F, 2.0F, 1.0F, 1.0F, -1.0F};
    cell.norm_eps = 1e-5;
    cell.head_weight = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
    return cell;
}

}  // namespace xlrm
