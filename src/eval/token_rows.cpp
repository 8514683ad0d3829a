#include "token_rows.hpp"

#include <algorithm>

#include "rounding.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {

std::vector<float> to_floats(const at::Tensor& tensor) {
    const at::Tensor flat = to_host(tensor.detach().to(at::kFloat).contiguous());
    const float* data = flat.const_data_ptr<float>();
    return {data, data + flat.numel()};
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
            PackedBatch batch = pack(set, std::span(&answer, 1));
            send(decoder.device(), {&batch.tokens, &batch.positions});
            decoder.forward(batch, {}, nullptr, [&](std::int64_t layer, const at::Tensor& residual) {
                for (TokenRows& rows : out) {
                    if (rows.layer != layer) continue;
                    const std::vector<float> values = to_floats(residual);
                    if (const auto value = first_overflow(values, rows.dtype)) fail_overflow(rows.layer, *value);
                    rows.item.push_back(i);
                    rows.row_size.push_back(static_cast<std::int32_t>(residual.size(0)));
                    append_rounded(values, rows.dtype, &rows.values);
                }
            });
        }
    }
    return result;
}

}  // namespace xlrm
