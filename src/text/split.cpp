#include <charconv>
#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/text/preference_row.hpp"

namespace xlrm {

std::string item_stem(const std::string& id) {
    const std::size_t digits = id.find_last_not_of("0123456789");
    if (digits == std::string::npos || digits + 1 == id.size() || digits < 1 || id[digits] != 'n' || id[digits - 1] != '-') return id;
    return id.substr(0, digits - 1);
}

Split::Split(const std::string& text) {
    double sum = 0.0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        const std::string entry = text.substr(at, end - at);
        const std::size_t equals = entry.find('=');
        double share = -1.0;
        if (equals != std::string::npos && equals > 0) {
            const char* last = entry.data() + entry.size();
            const auto read = std::from_chars(entry.data() + equals + 1, last, share);
            if (read.ec != std::errc() || read.ptr != last) share = -1.0;
        }
        if (!(share > 0.0)) fail("split '" + text + "': '" + entry + "' is not NAME=SHARE with a share above 0", ExitCode::usage);
        const std::string name = entry.substr(0, equals);
        for (const auto& [known, other] : parts_) {
            if (known == name) fail("split '" + text + "': part '" + name + "' is given twice", ExitCode::usage);
        }
        parts_.emplace_back(name, share);
        sum += share;
        at = end + 1;
    }
    if (!parts_.empty() && std::abs(sum - 1.0) > 1e-9) fail("split '" + text + "': the shares sum to " + std::to_string(sum) + " instead of 1", ExitCode::usage);
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
