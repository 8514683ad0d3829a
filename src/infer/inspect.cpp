#include "xlrm/infer/inspect.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/infer/generator.hpp"
#include "xlrm/infer/pooling.hpp"
#include "xlrm/infer/reward_head.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/store/states_file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// The rows of a JSONL file as texts without a prompt.
ItemSet read_ids(const fs::path& input, std::int64_t vocab) {
    ItemSet set;
    for_each_line(input, [&](std::int64_t number, std::string_view line) {
        const std::string what = input.string() + ":" + std::to_string(number);
        const Json row = parse_json(line, what, kRowDepth);
        if (!row.is_object() || !row.contains("ids") || !row.at("ids").is_array() || row.at("ids").empty()) {
            fail(what + ": no list 'ids' (it holds the text's tokens); make the rows with xlrm_inspect tokenize");
        }
        Answer answer{static_cast<std::int64_t>(set.tokens.size()), 0, 0};
        for (const Json& id : row.at("ids")) {
            if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= vocab) {
                fail(what + ": 'ids' holds " + id.dump() + " (the model has tokens 0 to " + std::to_string(vocab - 1) +
                     "); use the model's own tokenizer");
            }
            set.tokens.push_back(id.get<std::int32_t>());
        }
        answer.length = static_cast<std::int32_t>(static_cast<std::int64_t>(set.tokens.size()) - answer.begin);
        set.answers.push_back(answer);
    });
    return set;
}

void append(std::vector<float>& out, const at::Tensor& values) {
    const at::Tensor rows = to_host(values.to(at::kFloat).contiguous());
    out.insert(out.end(), rows.const_data_ptr<float>(), rows.const_data_ptr<float>() + rows.numel());
}

void add_text(States& states, const Decoder& decoder, const LoadedModel& model, const ItemSet& set, std::int64_t text,
              Pooling pooling) {
    const std::int64_t only[] = {text};
    const auto hook = [&](std::int64_t layer, const at::Tensor& residual) {
        append(states.hidden[static_cast<int>(layer)], residual);
    };
    PackedBatch batch = pack(set, only);
    send(decoder.device(), {&batch.tokens, &batch.positions});
    const at::Tensor rows = decoder.forward(batch, {}, nullptr, hook);
    const Answer& answer = set.answers[static_cast<std::size_t>(text)];
    states.row_size.push_back(answer.length);
    if (model.head == HeadKind::lm) append(states.logits, lm_logits(decoder, decoder.final_norm(rows)));
    if (model.head == HeadKind::reward) {
        const std::int64_t row = pooled_rows(decoder, batch, set, only, pooling).front();
        const at::Tensor scores = reward_scores(decoder, decoder.final_norm(head_precision(rows.narrow(0, row, 1))));
        states.labels = scores.size(1);
        append(states.score, scores);
    }
}

// The rule by that name; auto: the one that the folder names.
Pooling pooling_of(const fs::path& folder, const std::string& name) {
    if (name != "auto") return parse_pooling(name);
    const fs::path notes = folder / "xlrm.json";
    const Json extra = fs::exists(notes) ? read_json(notes) : Json();
    if (!extra.is_object() || !extra.contains("pooling")) return Pooling::last;
    require(extra["pooling"].is_string(), notes.string() + ": 'pooling' is no name of a rule (last, hf or first_pad)");
    return parse_pooling(extra["pooling"].get<std::string>());
}

}  // namespace

void inspect_forward(const fs::path& model_folder, const fs::path& input, const fs::path& output, DType dtype,
                     const std::string& pooling_rule, at::Device device) {
    const Pooling pooling = pooling_of(model_folder, pooling_rule);
    const ItemSet set = read_ids(input, read_model_config(model_folder / "config.json").vocab_size);
    const OutputLock lock(output, OutputKind::replaced);
    const LoadedModel model = load_model(model_folder, stored_head(model_folder), scalar_type(dtype), false, kAllLabels, device);
    const Decoder decoder(model.config, model.parameters);
    States states;
    states.features = model.config.hidden;
    states.vocab = model.config.vocab_size;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(set.answers.size()); ++i)
        add_text(states, decoder, model, set, i, pooling);
    lock.require_held();
    write_states(output, states);
}

}  // namespace xlrm
