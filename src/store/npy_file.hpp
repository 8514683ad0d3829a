#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace xlrm {

//! An array of floats in numpy's own format (numpy.lib.format, versions 1 to 3): little-endian float16, float32 or float64, C
//! order.
struct NpyFile {
    std::filesystem::path path;
    std::vector<std::int64_t> shape;
    std::int64_t width = 0;   //!< bytes a value
    std::int64_t offset = 0;  //!< of the first value in the file

    //! `count` values from `first` on, in fp32. Throws Error naming the file.
    std::vector<float> read(std::int64_t first, std::int64_t count) const;
};

//! Reads the header. Throws Error naming file and field: no numpy file, another type or order, a file of another size.
NpyFile open_npy(const std::filesystem::path& path);

}  // namespace xlrm
