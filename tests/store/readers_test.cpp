// Helper of readers_test.py. Writes one of each file that other programs read into the folder named by XLRM_READERS_OUT, or
// says why xlrm refuses the file named by XLRM_READERS_IN.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "store/sample_cell.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/store/index.hpp"
#include "xlrm/store/items_file.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {
namespace {

TEST(Readers, FilesForThem) {
    const char* out = std::getenv("XLRM_READERS_OUT");
    if (out == nullptr) GTEST_SKIP() << "XLRM_READERS_OUT is not set: run readers_test.py";
    const std::filesystem::path folder(out);
    write_cell(folder / "cells/base.ko.s1/bench.es.h5", sample_cell(), {{"host", "node1"}});
    write_index(folder / "index.h5", collect_index(folder));
    IndexRow gone = index_row(folder, "cells/base.ko.s1/bench.es.h5");
    gone.file = "cells/base.ko.s1/gone.es.h5";
    write_index(folder / "dangling.h5", {gone});
    ItemSet set;
    set.tokens = {5, 6, 7, 8};
    set.answers = {{0, 3, 1}, {2, 2, 1}};
    set.items = {{"한-1", "ko", "chat", 0, 2, 1, 2.0F}};
    set.attributes = {{"template", "none"}};
    write_items(folder / "items.h5", set);
    const std::vector<std::byte> f32 = sample_bits(DType::f32, 6, 0);
    const std::vector<std::byte> bf16 = sample_bits(DType::bf16, 3, 0);
    write_safetensors(folder / "model.safetensors", {{"b.bf16", DType::bf16, {3}, bf16}, {"a.f32", DType::f32, {2, 3}, f32}});
}

template <class Read>
std::string verdict(Read read) {
    try {
        read();
        return "read";
    } catch (const Error& error) {
        return std::string("refused: ") + error.what();
    }
}

TEST(Readers, WhyAFileIsRefused) {
    const char* in = std::getenv("XLRM_READERS_IN");
    if (in == nullptr) GTEST_SKIP() << "XLRM_READERS_IN is not set: run readers_test.py";
    std::printf("cell %s\nitems %s\nindex %s\n", verdict([&] { read_cell_scores(in); }).c_str(),
                verdict([&] { read_items(in); }).c_str(), verdict([&] { read_index(in); }).c_str());
}

}  // namespace
}  // namespace xlrm
