#include "template_tokens.hpp"

#include "chat_template_sources.hpp"
#include "tokenizer/special_tokens.hpp"

namespace xlrm {
Json template_tokens(const std::filesystem::path& model_dir, const std::string& source) {
    const SpecialTokens special = read_special_tokens(model_dir);
    Json tokens = Json::object();
    if (special.config.empty() && special.named.empty()) {
        const FamilyTokens family = tokens_of_family(source);
        if (!family.bos.empty()) tokens["bos_token"] = std::string(family.bos);
        if (!family.eos.empty()) tokens["eos_token"] = std::string(family.eos);
    }
    for (const std::string& name : special.without) tokens[name] = nullptr;
    for (const NamedToken& named : special.named) tokens[named.name] = named.token.content;
    return tokens;
}

}  // namespace xlrm
