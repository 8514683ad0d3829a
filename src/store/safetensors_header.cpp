#include "safetensors_header.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// Sorted keys: the header of a large model has thousands, which xlrm::Json would search one by one.
using Value = nlohmann::json;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr int kDeepest = 127;  // as in the reference library

// The types of safetensors 0.8.0 and their bits.
const std::map<std::string, std::uint64_t> kBits = {
    {"F64", 64},        {"F32", 32},        {"BF16", 16},   {"F16", 16},    {"C64", 64},    {"I64", 64},
    {"U64", 64},        {"I32", 32},        {"U32", 32},    {"I16", 16},    {"U16", 16},    {"I8", 8},
    {"U8", 8},          {"BOOL", 8},        {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F4", 4},
    {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}};

// Messages stay short whatever stands in the header, and a deeply nested value is not walked.
std::string shown(const Value& value) {
    if (value.is_structured()) return value.is_array() ? "a list" : "an object";
    const std::string text = value.dump(-1, ' ', true);  // ASCII, so that it can be cut anywhere
    return text.size() <= 60 ? text : text.substr(0, 60) + "…";
}

class HeaderReader {
public:
    explicit HeaderReader(const std::filesystem::path& path) : path_(path) {}

    [[noreturn]] void refuse(const std::string& what) const {
        fail(path_.string() + ": not a valid safetensors file: " + what + "; download or convert it again");
    }
    [[noreturn]] void refuse_tensor(const std::string& name, const std::string& what) const {
        refuse("tensor '" + name + "': " + what);
    }

    Value parse(std::string_view text) const {
        // The parser would skip a byte order mark, and end at a NUL.
        if (text.starts_with("\xEF\xBB\xBF")) refuse("the header begins with a byte order mark");
        if (text.find('\0') != std::string_view::npos) refuse("the header holds a NUL byte");
        // Of two equal names the last one counts, as in the reference library, but a field that is read may stand once only.
        std::vector<std::set<std::string>> fields;
        const auto watch = [&](int depth, Value::parse_event_t event, Value& value) {
            using Event = Value::parse_event_t;
            const bool begins = event == Event::object_start || event == Event::array_start;
            if (begins && depth >= kDeepest) refuse("the header is nested more than " + std::to_string(kDeepest) + " deep");
            if (event == Event::object_start) fields.emplace_back();
            if (event == Event::object_end) fields.pop_back();
            if (event != Event::key) return true;
            const auto& name = value.get_ref<const std::string&>();
            const bool read = depth == 1 ? name == "__metadata__"
                                         : depth == 2 && (name == "dtype" || name == "shape" || name == "data_offsets");
            if (read && !fields.back().insert(name).second) refuse("the field '" + name + "' is there twice");
            return true;
        };
        try {
            Value json = Value::parse(text, watch);
            if (!json.is_object()) refuse("the header is not an object");
            return json;
        } catch (const Value::exception& error) {
            std::string reason = error.what();  // it quotes bytes of the file as they are
            std::ranges::replace_if(
                reason, [](char c) { return c < ' ' || c > '~'; }, '?');
            refuse("broken header (" + reason + ")");
        }
    }

    std::map<std::string, std::string> metadata(const Value& object) const {
        if (object.is_null()) return {};
        if (!object.is_object()) refuse("__metadata__ is not an object");
        std::map<std::string, std::string> result;
        for (const auto& [key, value] : object.items()) {
            if (!value.is_string()) refuse("__metadata__ entry '" + key + "' is not a text");
            result.emplace(key, value.get<std::string>());
        }
        return result;
    }

    TensorEntry entry(const std::string& name, const Value& object) const {
        for (const char* field : {"dtype", "shape", "data_offsets"})
            if (!object.is_object() || !object.contains(field)) refuse_tensor(name, std::string("no ") + field);
        const Value& offsets = object["data_offsets"];
        if (!object["dtype"].is_string()) refuse_tensor(name, "dtype is not a text");
        if (!object["shape"].is_array()) refuse_tensor(name, "shape is not a list");
        if (!offsets.is_array() || offsets.size() != 2) refuse_tensor(name, "data_offsets are not two numbers");
        TensorEntry result{name, object["dtype"].get<std::string>(), {}, count(name, offsets[0]), count(name, offsets[1])};
        for (const Value& extent : object["shape"]) result.shape.push_back(count(name, extent));
        check_size(result);
        return result;
    }

private:
    std::int64_t count(const std::string& name, const Value& value) const {
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(kMost))
            refuse_tensor(name, "expected a count, found " + shown(value));
        return value.get<std::int64_t>();
    }

    void check_size(const TensorEntry& entry) const {
        const auto bits = kBits.find(entry.dtype);
        if (bits == kBits.end()) {
            fail(path_.string() + ": tensor '" + entry.name + "' is of type " + shown(entry.dtype) +
                 ", which safetensors 0.8.0 does not have (a later version's, or a damaged header); write the file with a type "
                 "that it has");
        }
        std::uint64_t size = 1;
        for (const std::int64_t extent : entry.shape)
            if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size))
                refuse_tensor(entry.name, "shape too large");
        if (__builtin_mul_overflow(size, bits->second, &size)) refuse_tensor(entry.name, "shape too large");
        if (size % 8 != 0) refuse_tensor(entry.name, "its shape does not end at a whole byte");
        if (entry.end < entry.begin) refuse_tensor(entry.name, "data_offsets run backwards");
        if (static_cast<std::uint64_t>(entry.end - entry.begin) != size / 8)
            refuse_tensor(entry.name, "dtype and shape need " + std::to_string(size / 8) + " bytes, data_offsets give " +
                                          std::to_string(entry.end - entry.begin));
    }

    const std::filesystem::path& path_;
};

}  // namespace

TensorHeader parse_safetensors_header(std::string_view text, std::int64_t data_bytes, const std::filesystem::path& path) {
    const HeaderReader reader(path);
    const Value json = reader.parse(text);
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
            reader.refuse_tensor(entry.name, "ends at byte " + std::to_string(entry.end) +
                                                 " of the data, but the file holds only " + std::to_string(data_bytes) +
                                                 " (truncated?)");
        if (entry.begin < next) reader.refuse_tensor(entry.name, "overlaps the tensor before it");
        if (entry.begin > next) reader.refuse_tensor(entry.name, "leaves a gap after the tensor before it");
        next = entry.end;
    }
    if (next != data_bytes) reader.refuse(std::to_string(data_bytes - next) + " bytes after the last tensor belong to none");
    return header;
}

}  // namespace xlrm
