#include "rope_reader.hpp"

#include <algorithm>

namespace xlrm {
namespace {

constexpr const char* kWhy = "the rotary frequencies depend on it";

void require_whole(const ConfigReader& reader) {
    if (reader.number("partial_rotary_factor", 1.0) != 1.0)
        reader.unsupported("partial_rotary_factor", "only a part of each head would be rotated", "1");
}

void parse_llama3(const ConfigReader& scaling, std::int64_t max_positions, RopeConfig& rope) {
    rope.scaling = RopeConfig::Scaling::llama3;
    for (const char* key : {"low_freq_factor", "high_freq_factor"}) scaling.require_key(key, kWhy);
    rope.low_freq_factor = scaling.positive_number("low_freq_factor", 1.0);
    rope.high_freq_factor = scaling.positive_number("high_freq_factor", 4.0);
    rope.original_max_position = scaling.positive_number("original_max_position_embeddings", static_cast<double>(max_positions));
    if (!(rope.high_freq_factor > rope.low_freq_factor)) scaling.bad("high_freq_factor", "more than low_freq_factor");
}

RopeConfig parse_scaling(const ConfigReader& scaling, double theta, std::int64_t max_positions) {
    RopeConfig rope;
    const std::string type = scaling.text("rope_type", scaling.text("type", "default"));
    if (type != "default" && type != "linear" && type != "llama3") {
        fail(scaling.what() + ": rope type '" + type + "' is not supported (positions would be rotated wrongly); " +
             "supported are default, linear and llama3");
    }
    require_whole(scaling);
    rope.theta = scaling.positive_number("rope_theta", theta);
    if (type == "default") return rope;
    scaling.require_key("factor", kWhy);
    rope.factor = scaling.positive_number("factor", 1.0);
    if (type == "linear")
        rope.scaling = RopeConfig::Scaling::linear;
    else
        parse_llama3(scaling, max_positions, rope);
    return rope;
}

// Sets by layer type ({"full_attention": {…}, "sliding_attention": {…}}): each is looked at, and they may not differ.
RopeConfig parse_nested(const ConfigReader& reader, const std::string& key, const ConfigReader& scaling, double theta,
                        std::int64_t max_positions) {
    const Json* first = nullptr;
    RopeConfig rope;
    for (const auto& [type, values] : scaling.json().items()) {
        rope = parse_scaling(ConfigReader(values, scaling.what() + ": " + type), theta, max_positions);
        if (first != nullptr && *first != values)
            reader.unsupported(key, "it differs between the types of layers", "one for all layers");
        first = &values;
    }
    return rope;
}

RopeConfig parse_set(const ConfigReader& reader, const std::string& key, double theta, std::int64_t max_positions) {
    const ConfigReader scaling(reader.object(key), reader.what() + ": " + key);
    const Json& json = scaling.json();
    const bool nested = std::ranges::any_of(json, [](const Json& value) { return value.is_object(); });
    return nested ? parse_nested(reader, key, scaling, theta, max_positions) : parse_scaling(scaling, theta, max_positions);
}

}  // namespace

RopeConfig parse_rope(const ConfigReader& reader, std::int64_t max_positions) {
    RopeConfig rope;
    require_whole(reader);
    rope.theta = reader.positive_number("rope_theta", 10000.0);
    const auto given = [&](const char* key) {
        return reader.has(key) && !(reader.json().at(key).is_object() && reader.json().at(key).empty());
    };
    const bool older = given("rope_scaling"), newer = given("rope_parameters");
    if (older && newer && reader.json().at("rope_scaling") != reader.json().at("rope_parameters")) {
        fail(reader.what() +
             ": 'rope_scaling' and 'rope_parameters' differ (which one counts is open); keep the one that the model was trained "
             "with");
    }
    if (!older && !newer) return rope;
    return parse_set(reader, older ? "rope_scaling" : "rope_parameters", rope.theta, max_positions);
}

}  // namespace xlrm
