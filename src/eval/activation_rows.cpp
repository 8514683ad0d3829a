#include "activation_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

//! Appends `count` values as `dtype`.
void append_rounded(const float* values, std::int64_t count, DType dtype, std::vector<std::byte>* out) {
    const std::size_t begin = out->size();
    out->resize(begin + static_cast<std::size_t>(count * dtype_bytes(dtype)));
    std::byte* target = out->data() + begin;
    if (dtype == DType::f32) {
        std::memcpy(target, values, static_cast<std::size_t>(count) * sizeof(float));
        return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint16_t bits = dtype == DType::f16 ? to_f16(values[i]) : to_bf16(values[i]);
        std::memcpy(target + 2 * i, &bits, 2);
    }
}

}  // namespace

std::vector<float> gather_floats(const Communicator& group, const std::vector<float>& mine) {
    if (group.size() == 1) return mine;
    const std::string bytes(reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(float));
    std::vector<float> all;
    for (const std::string& part : group.gather_text(bytes)) {
        const std::size_t begin = all.size();
        all.resize(begin + part.size() / sizeof(float));
        std::memcpy(all.data() + begin, part.data(), part.size());
    }
    return all;
}

std::vector<float> to_floats(const at::Tensor& tensor) {
    const at::Tensor flat = tensor.detach().to(at::kFloat).contiguous();
    const float* data = flat.const_data_ptr<float>();
    return {data, data + flat.numel()};
}

void require_storable(const at::Tensor& rows, int layer, DType dtype) {
    if (dtype != DType::f16) return;
    for (const float value : to_floats(rows)) {
        if (std::abs(value) <= 65504.0F) continue;
        fail("layer " + std::to_string(layer) + ": an activation of " + std::to_string(value) +
             " does not fit in fp16 (it would be stored as infinity); use --activation-dtype bf16 or fp32");
    }
}

LayerRows gather_layer(const Communicator& group, const at::Tensor& rows, int layer, DType dtype,
                       const std::vector<std::int64_t>& chosen, const std::vector<std::int64_t>& rejected) {
    const std::vector<float> all = gather_floats(group, to_floats(rows));
    LayerRows out;
    out.layer = layer;
    out.dtype = dtype;
    out.features = rows.size(1);
    if (!group.root()) return out;
    for (const auto& [sides, bytes] : {std::pair{&chosen, &out.chosen}, std::pair{&rejected, &out.rejected}}) {
        for (const std::int64_t answer : *sides) append_rounded(all.data() + answer * out.features, out.features, dtype, bytes);
    }
    return out;
}

std::map<std::string, std::vector<TokenRows>> capture_tokens(const Decoder& decoder, const ItemSet& set,
                                                             const std::vector<std::int64_t>& layers, std::int64_t items,
                                                             DType dtype, const std::vector<std::int64_t>& chosen,
                                                             const std::vector<std::int64_t>& rejected) {
    std::map<std::string, std::vector<TokenRows>> result;
    const std::int64_t count = std::min(items, static_cast<std::int64_t>(set.items.size()));
    for (const auto& [side, answers] : {std::pair{"chosen", &chosen}, std::pair{"rejected", &rejected}}) {
        std::vector<TokenRows>& out = result[side];
        for (const std::int64_t layer : layers) {
            TokenRows rows;
            rows.layer = static_cast<int>(layer);
            rows.dtype = layer == decoder.config().layers ? DType::f32 : dtype;
            rows.features = decoder.config().hidden;
            out.push_back(std::move(rows));
        }
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t answer = (*answers)[static_cast<std::size_t>(i)];
            const PackedBatch batch = pack(set, std::span(&answer, 1));
            decoder.forward(batch, {}, nullptr, [&](std::int64_t layer, const at::Tensor& residual) {
                for (TokenRows& rows : out) {
                    if (rows.layer != layer) continue;
                    require_storable(residual, rows.layer, rows.dtype);
                    const std::vector<float> values = to_floats(residual);
                    rows.item.push_back(i);
                    rows.row_size.push_back(static_cast<std::int32_t>(residual.size(0)));
                    append_rounded(values.data(), static_cast<std::int64_t>(values.size()), rows.dtype, &rows.values);
                }
            });
        }
    }
    return result;
}

}  // namespace xlrm
