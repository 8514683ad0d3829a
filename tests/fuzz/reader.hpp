#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "xlrm/core/error.hpp"

//! What the readers' fuzz targets share. A target defines LLVMFuzzerTestOneInput, which gives one input to one reader of xlrm. It
//! is linked with libFuzzer (scripts/fuzz), or with replay.cpp, which runs kept inputs as a test.
namespace xlrm_fuzz {

//! The input as the file `name` of a folder that this process has to itself; written anew for each input.
std::filesystem::path as_file(const std::uint8_t* data, std::size_t size, const std::string& name);

//! A reader may take an input or refuse it with xlrm::Error; any other exception ends the process, which is a finding.
template <class Work>
int read(const Work& work) {
    try {
        work();
    } catch (const xlrm::Error&) {
        return 0;  // refused in words
    }
    return 0;
}

}  // namespace xlrm_fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
