#include "xlrm/model/inspect.hpp"

#include <iomanip>
#include <sstream>

#include "xlrm/core/progress.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

std::string inspect_model(const fs::path& folder) {
    const HeadKind head = stored_head(folder);
    const CheckedModel model = check_model(folder, head, false, kAllLabels);
    const ModelConfig& config = model.config;
    const auto total = static_cast<double>(model.layout.total);
    const std::int64_t labels = head == HeadKind::reward ? model.layout.find(kScoreWeight).shape[0] : 0;
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
