#include "xlrm/store/safetensors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "file_writer.hpp"
#include "safetensors_header.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian; other machines need a conversion");

constexpr std::uint64_t kLongestHeader = 100'000'000;  // as in the reference library
constexpr std::size_t kLengthBytes = 8;

[[noreturn]] void fail_system(const std::filesystem::path& path, const std::string& what) {
    fail(path.string() + ": " + what + ": " + std::strerror(errno), ExitCode::io);
}

std::optional<DType> float_type(const std::string& name) {
    if (name == "F32") return DType::f32;
    if (name == "F64") return DType::f64;
    if (name == "BF16") return DType::bf16;
    if (name == "F16") return DType::f16;
    return std::nullopt;
}

const char* file_name_of(DType dtype) {
    switch (dtype) {
        case DType::f32:
            return "F32";
        case DType::f64:
            return "F64";
        case DType::bf16:
            return "BF16";
        case DType::f16:
            return "F16";
    }
    fail("unknown number format");
}

}  // namespace

std::int64_t TensorView::elements() const {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;  // the product of the others may be beyond the type
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    return count;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path) {
    try {
        map_file();
        read_header();
    } catch (...) {
        close();
        throw;
    }
}

SafetensorsFile::~SafetensorsFile() { close(); }

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept { *this = std::move(other); }

SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&& other) noexcept {
    if (this == &other) return *this;
    close();
    path_ = std::move(other.path_);
    file_ = std::exchange(other.file_, -1);
    mapping_ = std::exchange(other.mapping_, nullptr);
    size_ = std::exchange(other.size_, 0);
    tensors_ = std::move(other.tensors_);
    unsupported_ = std::move(other.unsupported_);
    metadata_ = std::move(other.metadata_);
    return *this;
}

void SafetensorsFile::close() noexcept {
    if (mapping_ != nullptr) ::munmap(mapping_, size_);
    if (file_ >= 0) ::close(file_);
    mapping_ = nullptr;
    file_ = -1;
}

void SafetensorsFile::map_file() {
    file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) fail_system(path_, "cannot be opened");
    struct stat status {};
    if (::fstat(file_, &status) != 0) fail_system(path_, "cannot be looked at");
    size_ = static_cast<std::size_t>(status.st_size);
    if (!S_ISREG(status.st_mode) || size_ < kLengthBytes)
        fail(path_.string() +
             ": not a safetensors file (shorter than its first field, or not a regular file); download or convert it again");
    void* mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0);
    if (mapping == MAP_FAILED) fail_system(path_, "cannot be mapped");
    mapping_ = mapping;
}

void SafetensorsFile::read_header() {
    const char* begin = static_cast<const char*>(mapping_);
    if (std::string_view(begin, size_).starts_with("version https://git-lfs"))
        fail(path_.string() + ": a pointer of Git LFS, not the weights (they were not fetched); run git lfs pull in the folder");
    std::uint64_t length = 0;
    std::memcpy(&length, begin, kLengthBytes);
    if (length > kLongestHeader || length > size_ - kLengthBytes)
        fail(path_.string() + ": header of " + std::to_string(length) + " bytes is longer than the file (" +
             std::to_string(size_) +
             " bytes) or than 100 MB (truncated, or not a safetensors file); download or convert it again");
    const char* text = begin + kLengthBytes;
    const std::size_t data_bytes = size_ - kLengthBytes - length;
    TensorHeader header = parse_safetensors_header({text, length}, static_cast<std::int64_t>(data_bytes), path_);
    const auto* data = reinterpret_cast<const std::byte*>(text + length);
    for (TensorEntry& entry : header.entries) {
        const std::optional<DType> dtype = float_type(entry.dtype);
        if (!dtype) {
            unsupported_.emplace(entry.name, entry.dtype);
            continue;
        }
        const std::span<const std::byte> bytes(data + entry.begin, static_cast<std::size_t>(entry.end - entry.begin));
        tensors_.emplace(entry.name, TensorView{*dtype, std::move(entry.shape), bytes});
    }
    metadata_ = std::move(header.metadata);
}

void SafetensorsFile::read(const std::string& name, std::int64_t first, std::span<std::byte> to) const {
    const TensorView view = tensor(name);
    assert(first >= 0 && static_cast<std::size_t>(first) + to.size() <= view.bytes.size());
    const auto start = view.bytes.data() - static_cast<const std::byte*>(mapping_) + first;
    std::size_t done = 0;
    while (done < to.size()) {
        const ssize_t count = ::pread(file_, to.data() + done, to.size() - done, start + static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_system(path_, "tensor '" + name + "' cannot be read");
        if (count == 0)
            fail(path_.string() + ": the file became shorter while it was read; wait until it is whole", ExitCode::io);
        done += static_cast<std::size_t>(count);
    }
}

std::vector<std::string> SafetensorsFile::names() const {
    std::set<std::string> sorted;
    for (const auto& [name, view] : tensors_) sorted.insert(name);
    for (const auto& [name, dtype] : unsupported_) sorted.insert(name);
    return {sorted.begin(), sorted.end()};
}

bool SafetensorsFile::contains(const std::string& name) const { return tensors_.contains(name) || unsupported_.contains(name); }

TensorView SafetensorsFile::tensor(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found != tensors_.end()) return found->second;
    const auto other = unsupported_.find(name);
    if (other != unsupported_.end())
        fail(path_.string() + ": tensor '" + name + "' is of type " + other->second +
             " (the file is in order, but weights are read as F32, F64, BF16 or F16 only); store it in one of these");
    fail(path_.string() + ": no tensor '" + name + "'");
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorOut>& tensors,
                       const std::map<std::string, std::string>& metadata) {
    Json header = Json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::int64_t offset = 0;
    for (const TensorOut& tensor : tensors) {
        const TensorView view{tensor.dtype, tensor.shape, tensor.bytes};
        const auto bytes = static_cast<std::int64_t>(tensor.bytes.size());
        if (tensor.name == "__metadata__" || header.contains(tensor.name))
            fail(path.string() + ": the tensor name '" + tensor.name + "' is given twice or reserved");
        if (view.elements() * dtype_bytes(tensor.dtype) != bytes)
            fail(path.string() + ": tensor '" + tensor.name + "' has " + std::to_string(bytes) +
                 " bytes, its shape needs others");
        header[tensor.name] = {
            {"dtype", file_name_of(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + bytes}}};
        offset += bytes;
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    const std::uint64_t length = text.size();
    write_file_atomic(path, [&](const std::filesystem::path& temporary) {
        FileWriter file(temporary, path);
        file.append(std::as_bytes(std::span(&length, 1)));
        file.append(std::as_bytes(std::span(text)));
        for (const TensorOut& tensor : tensors) file.append(tensor.bytes);
    });
}

}  // namespace xlrm
