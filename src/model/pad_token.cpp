#include "pad_token.hpp"

#include <set>

#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

std::optional<std::int32_t> tokenizer_pad(const fs::path& folder) {
    if (folder.empty() || !(fs::exists(folder / "tokenizer.json") || fs::exists(folder / "tokenizer.model"))) return {};
    return load_tokenizer(folder)->pad;
}

std::set<std::int32_t> end_tokens(const ModelConfig& config) {
    std::set<std::int32_t> out;
    if (config.eos) out.insert(*config.eos);
    if (config.raw.is_object() && config.raw.contains("eos_token_id") && config.raw.at("eos_token_id").is_array()) {
        for (const Json& id : config.raw.at("eos_token_id"))
            if (id.is_number_integer()) out.insert(id.get<std::int32_t>());  // their range is checked where they are read
    }
    return out;
}

}  // namespace

PadChoice choose_pad(const ModelConfig& config, const fs::path& tokenizer_from) {
    if (config.pad_added) return {config.pad, "agrees with pooling 'last'"};
    const std::set<std::int32_t> ends = end_tokens(config);
    std::optional<std::int32_t> pad = tokenizer_pad(tokenizer_from);
    // transformers refuses a pad id that has no embedding.
    if (!pad || *pad >= config.vocab_size) pad = config.pad;
    if (!pad && config.bos && !ends.contains(*config.bos)) pad = config.bos;
    if (!pad) return {pad, "agrees for one text at a time: there is no pad token that is not also an end token"};
    if (!ends.contains(*pad)) return {pad, "agrees with pooling 'last'"};
    return {pad,
            "differs from pooling 'last' for texts that end with token " + std::to_string(*pad) +
                ": it is both pad and end token, so transformers reads the token before it; score with pooling 'hf' to compare"};
}

}  // namespace xlrm
