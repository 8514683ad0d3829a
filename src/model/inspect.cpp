#include "xlrm/model/inspect.hpp"

#include <iomanip>
#include <sstream>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/model/generator.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/model/pooling.hpp"
#include "xlrm/ops/head.hpp"
#include "xlrm/store/states_file.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

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
    const at::Tensor rows = values.to(at::kFloat).contiguous();
    out.insert(out.end(), rows.const_data_ptr<float>(), rows.const_data_ptr<float>() + rows.numel());
}

void add_text(States& states, const Decoder& decoder, const LoadedModel& model, const ItemSet& set, std::int64_t text,
              Pooling pooling) {
    const std::int64_t only[] = {text};
    const auto hook = [&](std::int64_t layer, const at::Tensor& residual) {
        append(states.hidden[static_cast<int>(layer)], residual);
    };
    const at::Tensor normed = decoder.final_norm(decoder.forward(pack(set, only), {}, nullptr, hook));
    const Answer& answer = set.answers[static_cast<std::size_t>(text)];
    states.row_size.push_back(answer.length);
    if (model.head == HeadKind::lm) append(states.logits, lm_logits(decoder, normed));
    if (model.head == HeadKind::reward) {
        const std::int64_t row = pooled_index(pooling, set.answer_tokens(answer), model.config.pad);
        const at::Tensor head = model.parameters.view("score.weight");
        states.labels = head.size(0);
        for (std::int64_t label = 0; label < states.labels; ++label)
            append(states.score, reward_head(normed.narrow(0, row, 1), head[label]));
    }
}

std::string head_text(HeadKind head, bool tied, std::int64_t labels) {
    if (head == HeadKind::reward)
        return labels == 1 ? "reward (score.weight)" : "reward (score.weight), " + std::to_string(labels) + " labels";
    if (head == HeadKind::lm) return tied ? "language model, tied to the embedding" : "language model (lm_head.weight)";
    return "none";
}

std::string rope_text(const RopeConfig& rope) {
    std::ostringstream out;
    out << "theta " << rope.theta;
    if (rope.scaling == RopeConfig::Scaling::linear) out << ", linear scaling by " << rope.factor;
    if (rope.scaling == RopeConfig::Scaling::llama3) out << ", llama3 scaling by " << rope.factor;
    return out.str();
}

std::string tokenizer_text(const fs::path& folder) {
    if (!fs::exists(folder / "tokenizer.json") && !fs::exists(folder / "tokenizer.model")) return "none";
    const auto tokenizer = load_tokenizer(folder);
    return std::to_string(tokenizer->vocab_size()) + " pieces, sha256 " + tokenizer->sha256;
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
                     const std::string& pooling_rule) {
    const Pooling pooling = pooling_of(model_folder, pooling_rule);
    const ItemSet set = read_ids(input, read_model_config(model_folder / "config.json").vocab_size);
    const OutputLock lock(output, OutputKind::replaced);
    const LoadedModel model = load_model(model_folder, stored_head(model_folder), scalar_type(dtype), false, kAllLabels);
    const Decoder decoder(model.config, model.parameters);
    States states;
    states.features = model.config.hidden;
    states.vocab = model.config.vocab_size;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(set.answers.size()); ++i)
        add_text(states, decoder, model, set, i, pooling);
    lock.require_held();
    write_states(output, states);
}

std::string inspect_model(const fs::path& folder) {
    const HeadKind head = stored_head(folder);
    const CheckedModel model = check_model(folder, head, false, kAllLabels);
    const ModelConfig& config = model.config;
    const auto total = static_cast<double>(model.layout.total);
    const std::int64_t labels = head == HeadKind::reward ? model.layout.find("score.weight").shape[0] : 0;
    const auto chat = load_chat_template("auto", folder);
    std::ostringstream out;
    const auto line = [&](const char* name) -> std::ostream& { return out << std::left << std::setw(12) << name; };
    line("family") << config.raw.at("model_type").get<std::string>() << "\n";
    line("shape") << config.layers << " layers, " << config.hidden << " wide, " << config.heads << " heads, " << config.kv_heads
                  << " key heads of " << config.head_dim << ", MLP " << config.intermediate << "\n";
    line("rope") << rope_text(config.rope) << ", " << config.max_positions << " positions\n";
    line("tensors") << model.layout.tensors.size() << ", all present\n";
    for (const std::string& name : model.unused) line("not used") << name << "\n";
    line("parameters") << model.layout.total << ", " << config.body_parameters() << " of them without embeddings and head\n";
    line("memory") << "weights " << format_bytes(4 * total) << " in fp32, " << format_bytes(2 * total) << " in bf16; training "
                   << format_bytes(16 * total) << " without activations\n";
    line("head") << head_text(head, config.tied_embeddings, labels) << "\n";
    line("tokenizer") << tokenizer_text(folder) << "\n";
    line("template") << chat->name << "\n";
    line("sha256") << model_sha256(folder) << "\n";
    return out.str();
}

}  // namespace xlrm
