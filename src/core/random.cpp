#include "xlrm/core/random.hpp"

#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <utility>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
}

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream) : state_(mix(seed + kGolden) ^ mix(mix(stream + kGolden) + kGolden)) {}

std::uint64_t Random::next() {
    state_ += kGolden;
    return mix(state_);
}

std::uint64_t Random::below(std::uint64_t bound) {
    const std::uint64_t limit = -bound % bound;  // 2^64 mod bound: below it the range would be uneven
    for (;;) {
        const std::uint64_t value = next();
        if (value >= limit) return value % bound;
    }
}

double Random::uniform() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

double Random::normal() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    const double angle = 2.0 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
}

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
        counter = {static_cast<std::uint32_t>(second >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
                   static_cast<std::uint32_t>(first >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
        key[0] += 0x9E3779B9U;
        key[1] += 0xBB67AE85U;
    }
    return counter;
}

std::vector<std::int64_t> torch_randperm(std::int64_t n, std::uint64_t seed) {
    require(n >= 0 && n < INT64_C(4294967295) / 20,
            "torch_randperm: n must be below 2^32 / 20, where PyTorch changes its method");
    std::mt19937 generator(static_cast<std::uint32_t>(seed));  // PyTorch seeds its Mersenne Twister with the low 32 bits
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    for (std::int64_t i = 0; i + 1 < n; ++i) {
        const std::int64_t z = generator() % static_cast<std::uint32_t>(n - i);
        std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(z + i)]);
    }
    return order;
}

std::uint64_t stable_hash(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    return mix(hash);
}

}  // namespace xlrm
