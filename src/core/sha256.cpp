#include "xlrm/core/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <fstream>

#include "xlrm/core/error.hpp"

namespace xlrm {

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    require(state_->context != nullptr && EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1,
            "OpenSSL cannot compute SHA-256");
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
    require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "OpenSSL cannot compute SHA-256");
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(state_->context, digest.data(), &size) == 1, "OpenSSL cannot compute SHA-256");
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += "0123456789abcdef"[digest[i] >> 4U];
        text += "0123456789abcdef"[digest[i] & 15U];
    }
    return text;
}

std::string sha256(std::string_view bytes) {
    Sha256 hash;
    hash.add(bytes);
    return hash.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    require(static_cast<bool>(file), "cannot read " + path.string(), ExitCode::io);
    Sha256 hash;
    std::string buffer(1U << 20U, '\0');
    while (file) {
        file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        hash.add(std::string_view(buffer).substr(0, static_cast<std::size_t>(file.gcount())));
    }
    require(file.eof(), "cannot read " + path.string() + " to its end", ExitCode::io);
    return hash.hex();
}

}  // namespace xlrm
