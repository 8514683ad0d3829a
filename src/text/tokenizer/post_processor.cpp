#include "post_processor.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

std::int32_t id_of(const nlohmann::json& object, const std::string& where) {
    const bool fits = object.is_number_integer() && !(object.is_number_unsigned() && object.get<std::uint64_t>() > INT32_MAX) &&
                      object.get<std::int64_t>() >= 0;
    if (!fits) fail(where + ": an id is expected (a whole number from 0 on)");
    return object.get<std::int32_t>();
}

PostProcessor read_template(const nlohmann::json& object, const std::string& where) {
    PostProcessor result;
    bool behind = false;
    for (const auto& part : object.at("single")) {
        if (part.contains("Sequence")) {
            if (behind || part.at("Sequence").at("id") != "A")
                fail(where + ": a template other than one sequence A is not supported");
            behind = true;
            continue;
        }
        const std::string name = part.at("SpecialToken").at("id").get<std::string>();
        for (const auto& id : object.at("special_tokens").at(name).at("ids"))
            (behind ? result.suffix : result.prefix).push_back(id_of(id, where));
    }
    require(behind, where + ": the template lacks the sequence A");
    return result;
}

}  // namespace

PostProcessor read_post_processor(const nlohmann::json& object, const std::string& where) {
    if (object.is_null()) return {};
    require(object.is_object() && object.contains("type"), where + ": an object with a type is expected");
    const std::string type = object.at("type").get<std::string>();
    if (type == "ByteLevel") return {};
    if (type == "TemplateProcessing") return read_template(object, where);
    if (type == "BertProcessing" || type == "RobertaProcessing") {
        return {{id_of(object.at("cls").at(1), where)}, {id_of(object.at("sep").at(1), where)}};
    }
    if (type != "Sequence") fail(where + ": " + type + " is not supported");
    PostProcessor all;
    for (const auto& part : object.at("processors")) {
        const PostProcessor one = read_post_processor(part, where);
        all.prefix.insert(all.prefix.begin(), one.prefix.begin(), one.prefix.end());
        all.suffix.insert(all.suffix.end(), one.suffix.begin(), one.suffix.end());
    }
    return all;
}

}  // namespace xlrm
