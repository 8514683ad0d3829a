#include "post_processor.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

std::int32_t id_of(const nlohmann::json& json, const std::string& where) {
    const bool fits = json.is_number_integer() && !(json.is_number_unsigned() && json.get<std::uint64_t>() > INT32_MAX) &&
                      json.get<std::int64_t>() >= 0;
    if (!fits) fail(where + ": an id is expected (a whole number from 0 on)");
    return json.get<std::int32_t>();
}

PostProcessor read_template(const nlohmann::json& json, const std::string& where) {
    PostProcessor result;
    bool behind = false;
    for (const auto& part : json.at("single")) {
        if (part.contains("Sequence")) {
            if (behind || part.at("Sequence").at("id") != "A")
                fail(where + ": a template other than one sequence A is not supported");
            behind = true;
            continue;
        }
        const std::string name = part.at("SpecialToken").at("id").get<std::string>();
        for (const auto& id : json.at("special_tokens").at(name).at("ids"))
            (behind ? result.suffix : result.prefix).push_back(id_of(id, where));
    }
    require(behind, where + ": the template lacks the sequence A");
    return result;
}

}  // namespace

PostProcessor read_post_processor(const nlohmann::json& json, const std::string& where) {
    if (json.is_null()) return {};
    require(json.is_object() && json.contains("type"), where + ": an object with a type is expected");
    const std::string type = json.at("type").get<std::string>();
    if (type == "ByteLevel") return {};
    if (type == "TemplateProcessing") return read_template(json, where);
    if (type == "BertProcessing" || type == "RobertaProcessing") {
        return {{id_of(json.at("cls").at(1), where)}, {id_of(json.at("sep").at(1), where)}};
    }
    if (type != "Sequence") fail(where + ": " + type + " is not supported");
    PostProcessor all;
    for (const auto& part : json.at("processors")) {
        const PostProcessor one = read_post_processor(part, where);
        all.prefix.insert(all.prefix.begin(), one.prefix.begin(), one.prefix.end());
        all.suffix.insert(all.suffix.end(), one.suffix.begin(), one.suffix.end());
    }
    return all;
}

}  // namespace xlrm
