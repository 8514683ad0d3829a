#include <gtest/gtest.h>

#include "data/prepare_world.hpp"
#include "xlrm/data/prepare_job.hpp"

namespace xlrm {
namespace {

PrepareJob job_of(const World& world) {
    PrepareJob job;
    job.input = {(world.folder / "rows.jsonl").string()};
    job.model = world.folder.string();
    job.output = (world.folder / "pairs.h5").string();
    job.chat_template = "none";
    return job;
}

TEST(PrepareReport, CountsTokensAndCharacters) {
    LanguageReport report;
    report.read = 4;
    report.kept = 2;
    report.too_long = 1;
    report.tied = 1;
    report.lengths = {30, 10, 20, 40};
    report.characters = 50;
    const std::string table = format_report({{"ko", report}});
    EXPECT_NE(table.find("ko                    4        2        1      1         100     10     20     30     40     2.000"),
              std::string::npos)
        << table;
}

TEST(PrepareJob, WritesOneFileAPart) {
    const World world("job");
    PrepareJob job = job_of(world);
    job.split = "train=0.6,test=0.4";
    const std::string dry = job.run(world.comm, true);
    EXPECT_FALSE(fs::exists(world.folder / "pairs.train.h5"));
    EXPECT_NE(dry.find("part train"), std::string::npos);
    job.run(world.comm, false);
    const ItemSet train = read_items(world.folder / "pairs.train.h5");
    const ItemSet test = read_items(world.folder / "pairs.test.h5");
    EXPECT_EQ(train.items.size() + test.items.size(), 296U);
    EXPECT_GT(train.items.size(), test.items.size());
    EXPECT_FALSE(fs::exists(world.folder / "pairs.h5"));
    world.comm.barrier();
}

TEST(PrepareJob, TakesTheKindOfAPreparedFileFromTheFile) {
    World world("job_kind");
    prepared_of(world, RowKind::document, [](ItemSet&) {});
    PrepareJob job = job_of(world);
    job.input = {(world.folder / "items.h5").string()};
    job.run(world.comm, false);
    EXPECT_EQ(read_items(world.folder / "pairs.h5").attributes.at("kind"), "document");
    job.rows = "preference";
    EXPECT_THROW(job.run(world.comm, false), Error);
    world.comm.barrier();
}

TEST(PrepareJob, AnotherRunOnOneOfItsFilesIsRefused) {
    const World world("job_locks");
    PrepareJob job = job_of(world);
    job.split = "train=0.6,test=0.4";
    {
        std::optional<OutputLock> other;
        if (world.comm.root()) other.emplace(world.folder / "pairs.test.h5", OutputKind::replaced);
        world.comm.barrier();
        std::string message;
        try {
            job.run(world.comm, false);
        } catch (const Error& error) {
            message = error.what();
        }
        EXPECT_NE(message.find("another run is at work on "), std::string::npos) << message;
        EXPECT_NE(message.find("pairs.test.h5"), std::string::npos) << message;
        EXPECT_NE(job.run(world.comm, true), "") << "a dry run writes nothing";
        world.comm.barrier();
    }
    world.comm.barrier();
    EXPECT_FALSE(fs::exists(world.folder / "pairs.train.h5"));
    job.run(world.comm, false);
    EXPECT_TRUE(fs::exists(world.folder / "pairs.test.h5"));
    world.comm.barrier();
}

TEST(PrepareJob, RefusesATokenizerThatIsTooLargeForTheModel) {
    const World world("vocab");
    if (world.comm.root()) std::ofstream(world.folder / "config.json") << R"({"vocab_size": 100})";
    world.comm.barrier();
    EXPECT_THROW(job_of(world).run(world.comm, false), Error);
    world.comm.barrier();
    EXPECT_FALSE(fs::exists(world.folder / "pairs.h5"));
}

TEST(PrepareJob, TrainsASentencepieceModelAndUsesIt) {
    const World world("train");
    PrepareJob job = job_of(world);
    job.model.clear();
    job.train_sentencepiece = (world.folder / "sp").string();
    job.vocab_size = 290;
    const std::string report = job.run(world.comm, false);
    const auto tokenizer = load_tokenizer(world.folder / "sp");
    EXPECT_EQ(tokenizer->vocab_size(), 290);
    EXPECT_EQ(read_items(world.folder / "pairs.h5").attributes.at("tokenizer_sha256"), tokenizer->sha256);
    job.vocab_size = 100000;
    EXPECT_THROW(job.run(world.comm, false), Error);  // on every rank
    world.comm.barrier();
}

}  // namespace
}  // namespace xlrm
