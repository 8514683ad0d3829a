#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace xlrm {

//! Lower-case hexadecimal SHA-256 (64 characters), by OpenSSL.
std::string sha256(std::string_view bytes);
//! The same of a file's content, read in pieces. Throws Error(io).
std::string sha256_file(const std::filesystem::path& path);

//! Incremental form.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    void add(std::string_view bytes);
    //! Digest of all bytes added; the object may not be used afterwards.
    std::string hex();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace xlrm
