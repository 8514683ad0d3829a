#include "declared_head.hpp"

#include <algorithm>
#include <cctype>

#include "config_reader.hpp"
#include "families.hpp"

namespace xlrm {
namespace {

// Early files say LLaMAForCausalLM.
bool same_but_case(const std::string& a, const std::string& b) {
    return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string head_of_class(const std::string& name) {
    if (name.ends_with("ForTokenClassification")) return "its head labels tokens, not texts";
    if (name.ends_with("ForQuestionAnswering")) return "its head marks spans of a text";
    return "its head or its arithmetic may be another";
}

}  // namespace

std::string class_name(const std::string& family, HeadKind head) {
    const char* const kind = head == HeadKind::reward ? "ForSequenceClassification"
                             : head == HeadKind::lm   ? "ForCausalLM"
                                                      : "Model";
    return std::string(family_rules(family).class_stem) + kind;
}

std::optional<HeadKind> declared_head(const ModelConfig& config, const std::filesystem::path& file) {
    const ConfigReader reader(config.raw, file.string());
    if (!reader.has("architectures")) return {};
    const Json& names = config.raw.at("architectures");
    if (!names.is_array() || std::ranges::any_of(names, [](const Json& name) { return !name.is_string(); }))
        reader.bad("architectures", "a list with the name of the model's class");
    if (names.empty()) return {};
    if (names.size() > 1) reader.bad("architectures", "one class: which head counts would be open");
    const std::string name = names.front().get<std::string>();
    for (const HeadKind head : {HeadKind::reward, HeadKind::lm, HeadKind::none})
        if (same_but_case(name, class_name(config.family, head))) return head;
    fail(file.string() + ": 'architectures' names " + ConfigReader::shown(names.front()) + ", which is not supported (" +
         head_of_class(name) + "); supported for model_type " + reader.text("model_type") + ": " +
         class_name(config.family, HeadKind::reward) + ", " + class_name(config.family, HeadKind::lm) + " and " +
         class_name(config.family, HeadKind::none));
}

std::optional<std::int64_t> declared_labels(const ModelConfig& config, const std::filesystem::path& file) {
    const ConfigReader reader(config.raw, file.string());
    constexpr std::int64_t kMostLabels = std::int64_t{1} << 20U;
    std::optional<std::int64_t> labels;
    if (reader.has("num_labels")) labels = reader.size("num_labels", kMostLabels);
    if (!reader.has("id2label")) return labels;
    const auto named = static_cast<std::int64_t>(reader.object("id2label").size());
    if (labels && *labels != named) reader.bad("num_labels", "as many as id2label names, " + std::to_string(named));
    return named;
}

}  // namespace xlrm
