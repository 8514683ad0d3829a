#include "ops/cpu/amx_attention.hpp"

// A head's part of a page: its keys in groups of 32 as right operands of a product over the width, then its values as those of a
// product over the keys.
namespace xlrm::cpu {
namespace {

//! Element i of key `key` of a group that pack_as_columns packs.
std::int64_t key_place(std::int64_t key, std::int64_t i) {
    return i / 32 * 2 * kTile + key / 16 * kTile + i % 32 / 2 * 32 + key % 16 * 2 + i % 2;
}

//! Element i of the value of key `key` of a group that pack_as_depth packs.
std::int64_t value_place(std::int64_t key, std::int64_t i) {
    return i / 32 * 2 * kTile + i % 32 / 16 * kTile + key / 2 * 32 + i % 16 * 2 + key % 2;
}

}  // namespace

std::int64_t amx_page_bytes(std::int64_t head_dim) { return 2 * kPageKeys * up_to_32(head_dim) * std::int64_t(sizeof(Bf16)); }

void amx_put_keys(const PageRows<Bf16>& args) {
    const std::int64_t d = args.head_dim, group = 32 * up_to_32(d);
    Bf16* keys = reinterpret_cast<Bf16*>(args.part);
    Bf16* values = keys + kPageKeys / 32 * group;
    for (std::int64_t r = 0; r < args.count;) {
        const std::int64_t key = args.first + r, before = key / 32 * group;
        if (key % 32 == 0 && args.count - r >= 32) {
            pack_as_columns({args.k, args.k_token, args.count, d}, r, keys + before);
            pack_as_depth({args.v, args.v_token, args.count, d}, r, values + before);
            r += 32;
            continue;
        }
        for (std::int64_t i = 0; i < d; ++i) {
            keys[before + key_place(key % 32, i)] = args.k[r * args.k_token + i];
            values[before + value_place(key % 32, i)] = args.v[r * args.v_token + i];
        }
        ++r;
    }
}

}  // namespace xlrm::cpu
