#include "xlrm/model/parameters.hpp"

#include <ATen/ops/empty.h>

#include <cassert>
#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

class LayoutBuilder {
public:
    void matrix(const std::string& name, std::int64_t rows, std::int64_t columns) {
        add(name + ".weight", {rows, columns}, true);
    }
    void vector(const std::string& name, std::int64_t size) { add(name, {size}, false); }
    ParameterLayout take() { return std::move(layout_); }

private:
    void add(const std::string& name, std::vector<std::int64_t> shape, bool decay) {
        std::int64_t elements = 1;
        for (const std::int64_t n : shape) elements *= n;
        layout_.tensors.push_back({name, std::move(shape), layout_.total, elements, decay});
        layout_.total += elements;
    }
    ParameterLayout layout_;
};

void add_layer(LayoutBuilder& builder, const ModelConfig& config, const std::string& layer) {
    const std::int64_t q = config.heads * config.head_dim;
    const std::int64_t kv = config.kv_heads * config.head_dim;
    const std::string attention = layer + "self_attn.";
    const std::string mlp = layer + "mlp.";
    builder.vector(layer + "input_layernorm.weight", config.hidden);
    builder.matrix(attention + "q_proj", q, config.hidden);
    builder.matrix(attention + "k_proj", kv, config.hidden);
    builder.matrix(attention + "v_proj", kv, config.hidden);
    if (config.qkv_bias) {
        builder.vector(attention + "q_proj.bias", q);
        builder.vector(attention + "k_proj.bias", kv);
        builder.vector(attention + "v_proj.bias", kv);
    }
    if (config.qk_norm) {
        builder.vector(attention + "q_norm.weight", config.head_dim);
        builder.vector(attention + "k_norm.weight", config.head_dim);
    }
    builder.matrix(attention + "o_proj", config.hidden, q);
    if (config.output_bias) builder.vector(attention + "o_proj.bias", config.hidden);
    builder.vector(layer + "post_attention_layernorm.weight", config.hidden);
    if (config.post_norms) builder.vector(layer + "pre_feedforward_layernorm.weight", config.hidden);
    builder.matrix(mlp + "gate_proj", config.intermediate, config.hidden);
    builder.matrix(mlp + "up_proj", config.intermediate, config.hidden);
    if (config.mlp_bias) {
        builder.vector(mlp + "gate_proj.bias", config.intermediate);
        builder.vector(mlp + "up_proj.bias", config.intermediate);
    }
    builder.matrix(mlp + "down_proj", config.hidden, config.intermediate);
    if (config.mlp_bias) builder.vector(mlp + "down_proj.bias", config.hidden);
    if (config.post_norms) builder.vector(layer + "post_feedforward_layernorm.weight", config.hidden);
}

void fill_normal(at::Tensor tensor, double deviation, std::uint64_t seed, std::uint64_t stream) {
    const at::Tensor values = at::empty(tensor.sizes(), at::TensorOptions().dtype(at::kDouble));
    Random random(seed, stream);
    double* out = values.data_ptr<double>();
    for (std::int64_t i = 0; i < values.numel(); ++i) out[i] = deviation * random.normal();
    tensor.copy_(values);
}

bool is_norm(const std::string& name) { return name.ends_with("norm.weight"); }
bool is_bias(const std::string& name) { return name.ends_with(".bias"); }

}  // namespace

at::ScalarType scalar_type(DType dtype) {
    switch (dtype) {
        case DType::f32:
            return at::kFloat;
        case DType::f64:
            return at::kDouble;
        case DType::bf16:
            return at::kBFloat16;
        case DType::f16:
            return at::kHalf;
    }
    return at::kFloat;
}

const ParameterInfo& ParameterLayout::find(const std::string& name) const {
    for (const ParameterInfo& info : tensors) {
        if (info.name == name) return info;
    }
    fail("the model has no tensor '" + name + "' (its head or family is another); use a model that has it");
}

bool ParameterLayout::contains(const std::string& name) const {
    for (const ParameterInfo& info : tensors) {
        if (info.name == name) return true;
    }
    return false;
}

Range ParameterLayout::layer_range(std::int64_t layer) const {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    Range range{total, 0};
    for (const ParameterInfo& info : tensors) {
        if (!info.name.starts_with(prefix)) continue;
        range.begin = std::min(range.begin, info.offset);
        range.end = std::max(range.end, info.offset + info.elements);
    }
    assert(range.begin < range.end);
    return range;
}

ParameterLayout make_layout(const ModelConfig& config, HeadKind head, std::int64_t labels) {
    LayoutBuilder builder;
    builder.matrix("model.embed_tokens", config.vocab_size, config.hidden);
    for (std::int64_t l = 0; l < config.layers; ++l) add_layer(builder, config, "model.layers." + std::to_string(l) + ".");
    builder.vector("model.norm.weight", config.hidden);
    if (head == HeadKind::reward) builder.matrix("score", labels, config.hidden);
    if (head == HeadKind::lm && !config.tied_embeddings) builder.matrix("lm_head", config.vocab_size, config.hidden);
    return builder.take();
}

at::Tensor Parameters::view_of(const at::Tensor& buffer, const std::string& name) const {
    const ParameterInfo& info = layout.find(name);
    return buffer.narrow(0, info.offset, info.elements).view(info.shape);
}

at::Tensor Parameters::merged(const at::Tensor& buffer, const std::string& first, const std::string& last) const {
    const ParameterInfo& begin = layout.find(first);
    const ParameterInfo& end = layout.find(last);
    const std::int64_t elements = end.offset + end.elements - begin.offset;
    assert(elements > 0 && begin.shape.size() == end.shape.size());
    const at::Tensor flat_part = buffer.narrow(0, begin.offset, elements);
    if (begin.shape.size() == 1) return flat_part;
    assert(begin.shape[1] == end.shape[1] && elements % begin.shape[1] == 0);
    return flat_part.view({elements / begin.shape[1], begin.shape[1]});
}

Parameters init_parameters(const ModelConfig& config, HeadKind head, std::uint64_t seed, at::ScalarType dtype,
                           at::Device device) {
    Parameters parameters;
    parameters.layout = make_layout(config, head);
    parameters.flat = flat_zeros(parameters.layout.total, dtype, device);
    std::uint64_t stream = 0;
    for (const ParameterInfo& info : parameters.layout.tensors) {
        ++stream;
        if (info.name == "score.weight" || is_bias(info.name)) continue;
        at::Tensor tensor = parameters.view(info.name);
        if (is_norm(info.name)) {
            tensor.fill_(config.norm_weight == NormWeight::one_plus ? 0.0 : 1.0);
        } else {
            fill_normal(tensor, config.initializer_range, seed, stream);
        }
    }
    if (config.pad) parameters.view("model.embed_tokens.weight").select(0, *config.pad).zero_();
    return parameters;
}

void init_reward_head(Parameters& parameters, const ModelConfig& config, const std::string& kind, std::uint64_t seed) {
    double deviation = 0.0;
    if (kind == "paper") {
        deviation = 1.0 / std::sqrt(static_cast<double>(config.hidden + 1));
    } else if (kind == "hf") {
        deviation = 0.02;
    } else if (kind != "zero") {
        fail("reward head initialisation '" + kind +
                 "' is not known (the head's first scores depend on it); use paper, hf or zero",
             ExitCode::usage);
    }
    at::Tensor head = parameters.view("score.weight");
    // A stream of its own, apart from those of the tensors (1, 2, …), so that the head does not depend on the model's depth.
    fill_normal(head, deviation, seed, ~std::uint64_t{0});
}

}  // namespace xlrm
