#include "safetensors_header.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

class HeaderReader {
public:
    explicit HeaderReader(const std::filesystem::path& path) : path_(path) {}

    [[noreturn]] void refuse(const std::string& what) const {
        fail(path_.string() + ": " + what + " (not a valid safetensors file) download or convert it again");
    }
    [[noreturn]] void refuse_tensor(const std::string& name, const std::string& what) const {
        refuse("tensor '" + name + "': " + what);
    }

    //! The parser itself would let the last of two equal keys win.
    Json parse(std::string_view text) const {
        std::vector<std::set<std::string>> keys;
        const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
            if (depth > 3) refuse("header nested too deeply");
            if (event == Json::parse_event_t::object_start) keys.emplace_back();
            if (event == Json::parse_event_t::object_end) keys.pop_back();
            if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
                refuse("the name '" + value.get<std::string>() + "' occurs twice in the header");
            return true;
        };
        try {
            return Json::parse(text, watch);
        } catch (const Json::exception& error) {
            refuse(std::string("broken header: ") + error.what());
        }
    }

    std::map<std::string, std::string> metadata(const Json& object) const {
        if (!object.is_object()) refuse("__metadata__ is not an object");
        std::map<std::string, std::string> result;
        for (const auto& [key, value] : object.items()) {
            if (!value.is_string()) refuse("__metadata__ entry '" + key + "' is not a text");
            result.emplace(key, value.get<std::string>());
        }
        return result;
    }

    std::int64_t count(const std::string& name, const Json& value) const {
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(kMost))
            refuse_tensor(name, "expected a count, found " + value.dump());
        return value.get<std::int64_t>();
    }

    TensorEntry entry(const std::string& name, const Json& object) const {
        for (const char* field : {"dtype", "shape", "data_offsets"})
            if (!object.is_object() || !object.contains(field)) refuse_tensor(name, std::string("no ") + field);
        const Json& offsets = object["data_offsets"];
        if (object.size() != 3) refuse_tensor(name, "has other fields than dtype, shape and data_offsets");
        if (!object["dtype"].is_string()) refuse_tensor(name, "dtype is not a text");
        if (!object["shape"].is_array()) refuse_tensor(name, "shape is not a list");
        if (!offsets.is_array() || offsets.size() != 2) refuse_tensor(name, "data_offsets are not two numbers");
        TensorEntry result{name, object["dtype"].get<std::string>(), {}, count(name, offsets[0]), count(name, offsets[1])};
        for (const Json& extent : object["shape"]) result.shape.push_back(count(name, extent));
        check_size(result);
        return result;
    }

private:
    void check_size(const TensorEntry& entry) const {
        static const std::map<std::string, std::int64_t> kBytes = {{"F64", 8}, {"F32", 4}, {"BF16", 2}, {"F16", 2},
                                                                   {"I64", 8}, {"U64", 8}, {"I32", 4},  {"U32", 4},
                                                                   {"I16", 2}, {"U16", 2}, {"I8", 1},   {"U8", 1},
                                                                   {"BOOL", 1}};
        const auto found = kBytes.find(entry.dtype);
        if (found == kBytes.end()) refuse_tensor(entry.name, "dtype " + entry.dtype + " is not supported");
        std::int64_t bytes = found->second;
        for (const std::int64_t extent : entry.shape)
            if (__builtin_mul_overflow(bytes, extent, &bytes)) refuse_tensor(entry.name, "shape too large");
        if (entry.end < entry.begin) refuse_tensor(entry.name, "data_offsets run backwards");
        if (entry.end - entry.begin != bytes)
            refuse_tensor(entry.name, "dtype and shape need " + std::to_string(bytes) + " bytes, data_offsets give " +
                                          std::to_string(entry.end - entry.begin));
    }

    const std::filesystem::path& path_;
};

}  // namespace

TensorHeader parse_safetensors_header(std::string_view text, std::int64_t data_bytes, const std::filesystem::path& path) {
    const HeaderReader reader(path);
    if (text.empty() || text.front() != '{') reader.refuse("the header does not begin with '{'");
    const Json json = reader.parse(text);
    TensorHeader header;
    for (const auto& [name, object] : json.items()) {
        if (name == "__metadata__")
            header.metadata = reader.metadata(object);
        else
            header.entries.push_back(reader.entry(name, object));
    }
    // Empty tensors first among those that begin at the same byte, so that the next must begin where the last one ended.
    std::stable_sort(header.entries.begin(), header.entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::int64_t next = 0;
    for (const TensorEntry& entry : header.entries) {
        if (entry.end > data_bytes)
            reader.refuse_tensor(entry.name, "ends at byte " + std::to_string(entry.end) + " of the data, but the file holds only " +
                                                 std::to_string(data_bytes) + " (truncated?)");
        if (entry.begin < next) reader.refuse_tensor(entry.name, "overlaps the tensor before it");
        if (entry.begin > next) reader.refuse_tensor(entry.name, "leaves a gap behind the tensor before it");
        next = entry.end;
    }
    if (next != data_bytes)
        reader.refuse(std::to_string(data_bytes - next) + " bytes behind the last tensor belong to none");
    return header;
}

}  // namespace xlrm
