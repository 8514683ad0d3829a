#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "xlrm/store/dtype.hpp"

namespace xlrm {

//! A tensor within a safetensors file: bytes are little-endian, row-major.
struct TensorView {
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;  //!< valid as long as the file object lives; may lie at any address, so copy with memcpy
    std::int64_t elements() const;
};

//! A `*.safetensors` file, open for reading. Takes what the reference library takes (safetensors 0.8.0), and refuses, naming the
//! file and the tensor: a header longer than the file or 100 MB, broken JSON, offsets outside the data or overlapping or leaving
//! gaps, dtype x shape
//! != bytes, a dtype that is none of that library's. Tensors of its other types (integers, bool, float8, complex) are listed by
//! names(), and refused by name only when asked for.
class SafetensorsFile {
public:
    explicit SafetensorsFile(const std::filesystem::path& path);
    ~SafetensorsFile();
    SafetensorsFile(SafetensorsFile&&) noexcept;
    SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

    const std::filesystem::path& path() const { return path_; }
    //! Sorted.
    std::vector<std::string> names() const;
    bool contains(const std::string& name) const;
    //! Throws Error when absent or not of one of the types of DType. The bytes are mapped: what is looked at takes memory until
    //! the object ends, so a large tensor is read() instead.
    TensorView tensor(const std::string& name) const;
    //! Copies the tensor's bytes [first, first + to.size()) without holding any of the file in memory. REQUIRES: they are within
    //! the tensor. Throws Error like tensor(), and Error(io) where the file cannot be read or has become shorter.
    void read(const std::string& name, std::int64_t first, std::span<std::byte> to) const;
    const std::map<std::string, std::string>& metadata() const { return metadata_; }

private:
    void map_file();
    void read_header();
    void close() noexcept;

    std::filesystem::path path_;
    int file_ = -1;
    void* mapping_ = nullptr;
    std::size_t size_ = 0;
    std::map<std::string, TensorView> tensors_;
    std::map<std::string, std::string> unsupported_;  //!< name → dtype as in the file
    std::map<std::string, std::string> metadata_;
};

//! A tensor to be written.
struct TensorOut {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
};

//! Writes atomically, tensors in the order given, header padded to 8 bytes with blanks as the reference library does,
//! metadata {"format": "pt"} so that transformers opens it.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorOut>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace xlrm
