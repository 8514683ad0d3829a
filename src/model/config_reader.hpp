#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

//! Typed access to config.json: a value of the wrong kind is an Error naming the file and the key. JSON null counts as absent, as
//! in transformers.
class ConfigReader {
public:
    ConfigReader(const Json& json, std::string what) : json_(json), what_(std::move(what)) {
        if (!json.is_object()) fail(what_ + ": not a JSON object (a model's config.json is one); give the model's folder");
    }

    bool has(const std::string& key) const { return json_.contains(key) && !json_.at(key).is_null(); }

    //! Given, be it as null.
    bool present(const std::string& key) const { return json_.contains(key); }

    std::int64_t integer(const std::string& key) const {
        require_key(key);
        const Json& value = json_.at(key);
        if (!value.is_number_integer()) bad(key, "an integer");
        return value.get<std::int64_t>();
    }
    std::int64_t integer(const std::string& key, std::int64_t otherwise) const { return has(key) ? integer(key) : otherwise; }

    std::int64_t positive(const std::string& key) const {
        const std::int64_t value = integer(key);
        if (value <= 0) bad(key, "a positive integer");
        return value;
    }

    double number(const std::string& key, double otherwise) const {
        if (!has(key)) return otherwise;
        if (!json_.at(key).is_number()) bad(key, "a number");
        return json_.at(key).get<double>();
    }

    bool flag(const std::string& key, bool otherwise) const {
        if (!has(key)) return otherwise;
        if (!json_.at(key).is_boolean()) bad(key, "true or false");
        return json_.at(key).get<bool>();
    }

    std::string text(const std::string& key, const std::string& otherwise = "") const {
        if (!has(key)) return otherwise;
        if (!json_.at(key).is_string()) bad(key, "a string");
        return json_.at(key).get<std::string>();
    }

    //! A token id, or the first of a list of them; a negative one (older files write -1 for none) counts as absent.
    std::optional<std::int32_t> token(const std::string& key, std::optional<std::int32_t> otherwise = {}) const {
        if (!json_.contains(key)) return otherwise;
        const Json& value = json_.at(key);
        const Json& id = value.is_array() && !value.empty() ? value.front() : value;
        if (id.is_null()) return {};
        if (!id.is_number_integer()) bad(key, "a token id or a list of them");
        if (id.get<std::int64_t>() < 0) return {};
        return static_cast<std::int32_t>(id.get<std::int64_t>());
    }

    const Json& object(const std::string& key) const {
        if (!json_.at(key).is_object()) bad(key, "an object");
        return json_.at(key);
    }

    const std::string& what() const { return what_; }

    [[noreturn]] void bad(const std::string& key, const std::string& expected) const {
        fail(what_ + ": '" + key + "' is " + json_.at(key).dump() + " (expected " + expected + "); correct the file");
    }
    void require_key(const std::string& key) const {
        if (!has(key)) fail(what_ + ": '" + key + "' is missing (the model's shape depends on it); add it");
    }

private:
    const Json& json_;
    std::string what_;
};

}  // namespace xlrm
