#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace xlrm {

//! SplitMix64 stream: the same (seed, stream) gives the same numbers on every machine and rank count.
class Random {
public:
    explicit Random(std::uint64_t seed, std::uint64_t stream = 0);
    std::uint64_t next();
    //! Uniform in [0, bound), without modulo bias. REQUIRES: bound > 0.
    std::uint64_t below(std::uint64_t bound);
    //! Uniform in [0, 1), 53 bits.
    double uniform();
    //! N(0, 1), Box-Muller on two uniforms.
    double normal();

private:
    std::uint64_t state_;
    double spare_ = 0.0;
    bool has_spare_ = false;
};

//! Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four words that are a function of
//! counter and key alone, so any number of a stream is had without those before it.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

//! torch.randperm(n, generator=torch.Generator().manual_seed(seed)), exactly, for n < 2^32 / 20: the order of examples in
//! the Hugging Face trainer at epoch e is torch_randperm(n, seed + e).
std::vector<std::int64_t> torch_randperm(std::int64_t n, std::uint64_t seed);

//! Stable 64-bit hash of text (FNV-1a followed by SplitMix64's finaliser); used to split data by id.
std::uint64_t stable_hash(std::string_view text);

}  // namespace xlrm
