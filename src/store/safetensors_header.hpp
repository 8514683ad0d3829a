#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! One tensor as the header of a safetensors file names it.
struct TensorEntry {
    std::string name;
    std::string dtype;  //!< as in the file: "F32", "BF16", "I64" …
    std::vector<std::int64_t> shape;
    std::int64_t begin = 0;  //!< bytes from the end of the header
    std::int64_t end = 0;
};

struct TensorHeader {
    std::vector<TensorEntry> entries;  //!< in the order of their bytes
    std::map<std::string, std::string> metadata;
};

//! Checked header of a file with `data_bytes` bytes after it. Takes what the reference library (safetensors 0.8.0) takes: blanks
//! around the object, "__metadata__": null, further fields of a tensor, every type of its list, of two equal names the last one;
//! all but its second spelling of an entry as a list, which no writer makes. Throws Error naming `path` and the tensor.
TensorHeader parse_safetensors_header(std::string_view text, std::int64_t data_bytes, const std::filesystem::path& path);

}  // namespace xlrm
