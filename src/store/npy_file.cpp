#include "npy_file.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <regex>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/store/dtype.hpp"

namespace xlrm {

namespace {

constexpr std::size_t kMostHeader = 1 << 16;

[[noreturn]] void refuse(const NpyFile& file, const std::string& why) {
    fail(file.path.string() + ": " + why + "; save it with numpy.save(FILE, array)");
}

//! The text of a field of the header, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
std::string field(const NpyFile& file, const std::string& header, const std::string& name, const std::string& pattern) {
    std::smatch found;
    if (!std::regex_search(header, found, std::regex("'" + name + "'\\s*:\\s*" + pattern)))
        refuse(file, "its header has no field " + name + " of the form that numpy writes for arrays of floats");
    return found[1];
}

std::vector<std::int64_t> shape_of(const NpyFile& file, const std::string& text) {
    std::vector<std::int64_t> shape;
    const std::regex digits("[0-9]+");
    for (std::sregex_iterator at(text.begin(), text.end(), digits), end; at != end; ++at) {
        if (at->length() > 12) refuse(file, "the field shape has a size beyond reason: " + at->str());
        shape.push_back(std::stoll(at->str()));
    }
    return shape;
}

template <class T, class Convert>
std::vector<float> converted(const std::string& bytes, const Convert& convert) {
    std::vector<float> values(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < values.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        values[i] = convert(value);
    }
    return values;
}

}  // namespace

NpyFile open_npy(const std::filesystem::path& path) {
    NpyFile file{path, {}, 0, 0};
    const std::string begin = read_beginning(path, kMostHeader);
    if (begin.size() < 12 || begin.compare(0, 6, "\x93NUMPY") != 0) refuse(file, "not a numpy file (no \\x93NUMPY at its begin)");
    const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(begin[at])); };
    const std::size_t sizes = byte(6) == 1 ? 2 : 4;
    std::size_t length = 0;
    for (std::size_t i = 0; i < sizes; ++i) length |= byte(8 + i) << (8 * i);
    if (byte(6) < 1 || byte(6) > 3 || 8 + sizes + length > begin.size())
        refuse(file, "its header is of no known version or length");
    const std::string header = begin.substr(8 + sizes, length);
    const std::string type = field(file, header, "descr", "'([^']*)'");
    if (type != "<f2" && type != "<f4" && type != "<f8")
        refuse(file, "field descr: '" + type + "' is none of '<f2', '<f4', '<f8'; convert it with array.astype('<f4')");
    if (field(file, header, "fortran_order", "(True|False)") == "True")
        refuse(file, "field fortran_order: True; convert it with numpy.ascontiguousarray(array)");
    file.shape = shape_of(file, field(file, header, "shape", "\\(([0-9, ]*)\\)"));
    file.width = type[2] - '0';
    file.offset = static_cast<std::int64_t>(8 + sizes + length);
    std::int64_t bytes = file.width;
    for (const std::int64_t size : file.shape) {
        if (size > 0 && bytes > (std::int64_t{1} << 50) / size) refuse(file, "the field shape is beyond reason");
        bytes *= size;
    }
    const auto found = static_cast<std::int64_t>(std::filesystem::file_size(path)) - file.offset;
    if (found != bytes)
        refuse(file, "its header tells of " + std::to_string(bytes) + " bytes of values, and it has " + std::to_string(found));
    return file;
}

std::vector<float> NpyFile::read(std::int64_t first, std::int64_t count) const {
    std::ifstream stream(path, std::ios::binary);
    std::string bytes(static_cast<std::size_t>(count * width), '\0');
    stream.seekg(offset + first * width);
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!stream) fail(path.string() + ": cannot be read to its end", ExitCode::io);
    if (width == 2) return converted<std::uint16_t>(bytes, [](std::uint16_t bits) { return from_f16(bits); });
    if (width == 4) return converted<float>(bytes, [](float value) { return value; });
    return converted<double>(bytes, [](double value) { return static_cast<float>(value); });
}

}  // namespace xlrm
