#include "xlrm/store/ledger.hpp"

#include "xlrm/core/file.hpp"
#include "xlrm/core/json_line.hpp"

namespace xlrm {

Ledger::Ledger(std::filesystem::path path) : path_(std::move(path)) {}

void Ledger::append(const Json& entry) const { append_line(path_, dump_line(entry)); }

std::vector<Json> Ledger::read(int* damaged) const {
    int bad = 0;
    std::vector<Json> entries;
    std::error_code error;
    if (std::filesystem::exists(path_, error)) {
        const std::string text = read_file(path_);
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = text.find('\n', begin);
            if (end == std::string::npos) break;  // torn by a kill: what it reports is not known to have happened
            Json entry = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                     text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
            if (entry.is_object())
                entries.push_back(std::move(entry));
            else
                ++bad;
            begin = end + 1;
        }
    }
    if (damaged != nullptr) *damaged = bad;
    return entries;
}

}  // namespace xlrm
