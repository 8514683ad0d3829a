#include "xlrm/store/index.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "store/sample_cell.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

TEST(Index, ListsTheCellsThatVerify) {
    const TemporaryFolder root;
    EXPECT_TRUE(collect_index(root.path()).empty());
    write_cell(root / "cells/base.ko.s1/rb.v2.es.h5", sample_cell(), {});
    Cell base = sample_cell();
    base.model = "base";
    base.source_lang = "none";
    base.has_scores = false;
    base.max_answers = 2;
    for (auto* scores : {&base.chosen, &base.rejected, &base.response}) scores->clear();
    base.num_correct.clear();
    write_cell(root / "cells/base/rb.v2.es.h5", base, {});
    write_cell(root / "cells/base/rb.v2.ko.h5", base, {});
    std::ofstream(root / "cells/base/rb.v2.ko.h5", std::ios::app) << "x";
    std::vector<std::string> damaged;
    const std::vector<IndexRow> rows = collect_index(root.path(), &damaged);
    EXPECT_EQ(damaged, std::vector<std::string>{"cells/base/rb.v2.ko.h5"});
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].file, "cells/base/rb.v2.es.h5");
    EXPECT_TRUE(std::isnan(rows[0].accuracy));
    EXPECT_EQ(rows[1].file, "cells/base.ko.s1/rb.v2.es.h5");
    EXPECT_EQ(rows[1].sha256, sha256(read_file(root / rows[1].file)));
    EXPECT_EQ(rows[1].model, "base.ko.s1");
    EXPECT_EQ(rows[1].source_lang, "ko");
    EXPECT_EQ(rows[1].target_lang, "es");
    EXPECT_EQ(rows[1].benchmark, "rb.v2");
    EXPECT_EQ(rows[1].seed, 7);
    EXPECT_EQ(rows[1].items, 5);
    EXPECT_EQ(rows[1].accuracy, 0.6);  // of 1.5:0.5, -0.25:0.25, 3:-3, 0:0 and 1e-30:-1e10 three are right
}

TEST(Index, RoundTripAndEqualBytes) {
    const TemporaryFolder root;
    const std::vector<IndexRow> rows = {{"cells/m/b.ko.h5", std::string(64, 'a'), "m", "en", "ko", "b", 3, 500, 0.75},
                                        {"cells/m/b.es.h5", std::string(64, 'b'), "m", "en", "es", "b", 3, 0, std::nan("")}};
    write_index(root / "index.h5", rows);
    write_index(root / "again.h5", rows);
    EXPECT_EQ(read_file(root / "index.h5"), read_file(root / "again.h5"));
    const std::vector<IndexRow> read = read_index(root / "index.h5");
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read[0].file, rows[0].file);
    EXPECT_EQ(read[0].sha256, rows[0].sha256);
    EXPECT_EQ(read[0].source_lang, "en");
    EXPECT_EQ(read[0].target_lang, "ko");
    EXPECT_EQ(read[0].items, 500);
    EXPECT_EQ(read[0].accuracy, 0.75);
    EXPECT_TRUE(std::isnan(read[1].accuracy));
    write_index(root / "empty.h5", {});
    EXPECT_TRUE(read_index(root / "empty.h5").empty());
}

TEST(Index, RefusesLinksOutOfTheSweepFolder) {
    const TemporaryFolder root;
    IndexRow row;
    for (const char* file : {"/etc/passwd", "../x.h5", "cells/../../x.h5", ""}) {
        row.file = file;
        expect_error([&] { write_index(root / "index.h5", {row}); }, {"index.h5", std::string("'") + file + "'"});
    }
    row.file = "cells/m/b.ko.h5";
    expect_error([&] { write_index(root / "index.h5", {row, row}); }, {"index.h5", "twice"});
    EXPECT_TRUE(std::filesystem::is_empty(root.path()));
    write_cell(root / "cells/m/b.es.h5", sample_cell(), {});
    expect_error([&] { read_index(root / "cells/m/b.es.h5"); }, {"b.es.h5", "XLRM-index-1", "XLRM-1"});
}

}  // namespace
}  // namespace xlrm
