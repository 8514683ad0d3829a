#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

//! Typed access to a JSON object of settings (config.json, xlrm.json): a value of the wrong kind or size is an Error naming the
//! file and the key. JSON null counts as absent, as in transformers.
class ConfigReader {
public:
    ConfigReader(const Json& json, std::string what) : json_(json), what_(std::move(what)) {
        if (!json.is_object()) fail(what_ + ": not a JSON object but " + shown(json) + "; give the model's own file");
    }

    bool has(const std::string& key) const { return json_.contains(key) && !json_.at(key).is_null(); }

    //! Given, be it as null.
    bool present(const std::string& key) const { return json_.contains(key); }

    std::int64_t integer(const std::string& key, std::int64_t least, std::int64_t most) const {
        require_key(key);
        const Json& value = json_.at(key);
        if (!value.is_number_integer()) bad(key, "an integer");
        // A number beyond std::int64_t is unsigned, and would become a negative one.
        const bool beyond = value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(most);
        if (beyond || value.get<std::int64_t>() < least) bad(key, std::to_string(least) + " to " + std::to_string(most));
        return value.get<std::int64_t>();
    }
    //! A size is bounded where it is read, so that products of sizes cannot overflow.
    std::int64_t size(const std::string& key, std::int64_t most) const { return integer(key, 1, most); }

    double number(const std::string& key, double otherwise) const {
        if (!has(key)) return otherwise;
        if (!json_.at(key).is_number()) bad(key, "a number");
        return json_.at(key).get<double>();
    }

    double positive_number(const std::string& key, double otherwise) const {
        const double value = number(key, otherwise);
        if (!(value > 0)) bad(key, "a positive number");
        return value;
    }

    bool flag(const std::string& key, bool otherwise) const {
        if (!has(key)) return otherwise;
        if (!json_.at(key).is_boolean()) bad(key, "true or false");
        return json_.at(key).get<bool>();
    }

    std::string text(const std::string& key, const std::string& otherwise = "") const {
        if (!has(key)) return otherwise;
        if (!json_.at(key).is_string()) bad(key, "a text");
        return json_.at(key).get<std::string>();
    }

    //! A token id, or the first of a list of them; a negative one (older files write -1 for none) counts as absent.
    std::optional<std::int32_t> token(const std::string& key, std::optional<std::int32_t> otherwise = {}) const {
        if (!json_.contains(key)) return otherwise;
        const Json& value = json_.at(key);
        if (!value.is_array()) return token_id(key, value);
        for (const Json& id : value) token_id(key, id);
        return value.empty() ? std::nullopt : token_id(key, value.front());
    }

    const Json& object(const std::string& key) const {
        if (!json_.at(key).is_object()) bad(key, "an object");
        return json_.at(key);
    }

    const Json& json() const { return json_; }
    const std::string& what() const { return what_; }

    //! A value that no such file should have.
    [[noreturn]] void bad(const std::string& key, const std::string& expected) const {
        fail(what_ + ": '" + key + "' is " + shown(json_.at(key)) + " (expected " + expected +
             "); correct the file, or get it again");
    }
    //! A value that is right for some model, but not for one that xlrm can compute: changing the file would not help.
    [[noreturn]] void unsupported(const std::string& key, const std::string& why, const std::string& supported) const {
        fail(what_ + ": '" + key + "' is " + shown(json_.at(key)) + ", which is not supported (" + why +
             "); supported: " + supported);
    }
    void require_key(const std::string& key, const std::string& why = "the model's shape depends on it") const {
        if (!has(key)) fail(what_ + ": '" + key + "' is missing (" + why + "); add it");
    }

    //! A value for a message: short whatever it is.
    static std::string shown(const Json& value) {
        if (value.is_array()) return "a list of " + std::to_string(value.size());
        if (value.is_object()) return "an object";
        const std::string text = value.dump(-1, ' ', true);  // ASCII, so that it can be cut anywhere
        return text.size() <= 80 ? text : text.substr(0, 80) + "…";
    }

private:
    std::optional<std::int32_t> token_id(const std::string& key, const Json& id) const {
        if (id.is_null()) return {};
        if (!id.is_number_integer()) bad(key, "a token id or a list of them");
        constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
        if (id.is_number_unsigned() && id.get<std::uint64_t>() > kMost) bad(key, "a token id below 2^31");
        const auto value = id.get<std::int64_t>();
        return value < 0 ? std::nullopt : std::optional(static_cast<std::int32_t>(value));
    }

    const Json& json_;
    std::string what_;
};

}  // namespace xlrm
