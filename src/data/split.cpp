#include <charconv>
#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/core/lists.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {

std::string item_stem(const std::string& id) {
    const std::size_t digits = id.find_last_not_of("0123456789");
    if (digits == std::string::npos || digits + 1 == id.size() || digits < 1 || id[digits] != 'n' || id[digits - 1] != '-')
        return id;
    return id.substr(0, digits - 1);
}

Split::Split(const std::string& text) {
    double sum = 0.0;
    for (const std::string& entry : split_list(text)) {
        const std::size_t equals = std::min(entry.find('='), entry.size());
        const std::string name = trimmed(entry.substr(0, equals));
        const std::string number = trimmed(entry.substr(std::min(equals + 1, entry.size())));
        double share = -1.0;
        const auto read = std::from_chars(number.data(), number.data() + number.size(), share);
        if (name.empty() || read.ec != std::errc() || read.ptr != number.data() + number.size()) share = -1.0;
        if (!(share > 0.0)) fail("split '" + text + "': '" + entry + "' is not NAME=SHARE with a share above 0", ExitCode::usage);
        for (const auto& [known, other] : parts_) {
            if (known == name) fail("split '" + text + "': part '" + name + "' is given twice", ExitCode::usage);
        }
        parts_.emplace_back(name, share);
        sum += share;
    }
    if (!parts_.empty() && std::abs(sum - 1.0) > 1e-9)
        fail("split '" + text + "': the shares sum to " + std::to_string(sum) + " instead of 1", ExitCode::usage);
}

std::string Split::part(const std::string& id) const {
    if (parts_.empty()) return "";
    double position = static_cast<double>(stable_hash(item_stem(id)) >> 11U) * 0x1p-53;
    for (const auto& [name, share] : parts_) {
        if (position < share) return name;
        position -= share;
    }
    return parts_.back().first;
}

std::vector<std::string> Split::names() const {
    std::vector<std::string> names;
    for (const auto& [name, share] : parts_) names.push_back(name);
    return names;
}

}  // namespace xlrm
