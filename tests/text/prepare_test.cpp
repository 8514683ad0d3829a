#include "xlrm/text/prepare.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/store/items_file.hpp"
#include "xlrm/text/prepare_job.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// A folder that all ranks share; rank 0 fills it.
fs::path folder_of(const Communicator& comm, const std::string& name) {
    const fs::path folder = fs::temp_directory_path() / ("xlrm_prepare_test_" + name + "_" + std::to_string(comm.size()));
    if (comm.root()) {
        fs::remove_all(folder);
        fs::create_directories(folder);
        fs::copy(test::fixture("text/bpe_special.json"), folder / "tokenizer.json");
        std::ofstream(folder / "tokenizer_config.json") << R"({"eos_token": "<|end|>", "bos_token": "<s>"})";
    }
    comm.barrier();
    return folder;
}

// Two languages, 150 ids; a tied pair in each hundred.
void write_rows(const fs::path& path) {
    std::ofstream file(path);
    for (int i = 0; i < 150; ++i) {
        const std::string chosen = "yes " + std::string(static_cast<std::size_t>(i % 7), 'x');
        for (const std::string lang : {"en", "ko"}) {
            const Json row = {{"id", "i-" + std::to_string(i / 2) + "-n" + std::to_string(i % 2)}, {"lang", lang},
                              {"prompt", (lang == "ko" ? "질문 " : "question ") + std::to_string(i)}, {"chosen", chosen},
                              {"rejected", i % 100 == 5 ? chosen : "no"}};
            file << row.dump() << "\n";
        }
    }
}

struct World {
    Communicator comm = Communicator::world();
    std::unique_ptr<Tokenizer> tokenizer;
    std::unique_ptr<ChatTemplate> chat;
    fs::path folder;
    PrepareOptions options;

    explicit World(const std::string& name, const std::string& chat_template = "none") : folder(folder_of(comm, name)) {
        tokenizer = load_tokenizer(folder);
        chat = load_chat_template(chat_template, folder);
        if (comm.root()) write_rows(folder / "rows.jsonl");
        comm.barrier();
        options.inputs = {folder / "rows.jsonl"};
    }
    Prepared run() const { return prepare(comm, options, *tokenizer, *chat); }
    std::string error() const {
        try {
            run();
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }
    // `lines` replaces the rows.
    void rows(const std::string& lines) const {
        if (comm.root()) std::ofstream(folder / "rows.jsonl") << lines;
        comm.barrier();
    }
};

std::vector<std::int32_t> tokens(const ItemSet& set, std::size_t answer) {
    const auto span = set.answer_tokens(set.answers[answer]);
    return {span.begin(), span.end()};
}

TEST(Prepare, GivesTheItemsThatOneRankGives) {
    const World world("ranks");
    const Prepared all = world.run();
    const Prepared alone = prepare(Communicator::self(), world.options, *world.tokenizer, *world.chat);
    write_items(world.folder / ("all" + std::to_string(world.comm.rank()) + ".h5"), all.set);
    write_items(world.folder / ("one" + std::to_string(world.comm.rank()) + ".h5"), alone.set);
    EXPECT_EQ(read_file(world.folder / ("all" + std::to_string(world.comm.rank()) + ".h5")),
              read_file(world.folder / ("one" + std::to_string(world.comm.rank()) + ".h5")));
    EXPECT_EQ(format_report(all.report), format_report(alone.report));
    EXPECT_EQ(all.report.at("ko").read, 150);
    EXPECT_EQ(all.report.at("ko").tied, 2);
    EXPECT_EQ(all.set.items.size(), 296U);
    EXPECT_EQ(all.set.items[1].lang, "ko");  // input order
    EXPECT_EQ(all.set.items[2].id, "i-0-n1");
}

TEST(Prepare, PutsBosBeforeAndEosBehindPlainText) {
    const World world("plain");
    world.rows(R"({"prompt": "one", "chosen": "two", "rejected": "three"})");
    const ItemSet set = world.run().set;
    std::vector<std::int32_t> expected = world.tokenizer->encode("one\ntwo", false);
    const std::vector<std::int32_t> prompt = world.tokenizer->encode("one\n", false);
    expected.insert(expected.begin(), *world.tokenizer->bos);
    expected.push_back(*world.tokenizer->eos);
    ASSERT_EQ(set.answers.size(), 2U);
    EXPECT_EQ(tokens(set, 0), expected);
    EXPECT_EQ(set.answers[0].prompt, static_cast<std::int32_t>(prompt.size()) + 1);
    EXPECT_EQ(set.answers[1].prompt, set.answers[0].prompt);
}

TEST(Prepare, KeepsTiedPairsWhereTheyCount) {
    World world("tied");
    world.rows(R"({"id": "a", "prompt": "one", "chosen": "two", "rejected": "two"})" "\n" R"({"id": "b", "prompt": "one", "chosen": "two", "rejected": "six"})");
    const Prepared dropped = world.run();
    EXPECT_EQ(dropped.set.items.size(), 1U);
    EXPECT_EQ(dropped.report.at("en").tied, 1);
    world.options.keep_tied = true;
    const Prepared kept = world.run();
    ASSERT_EQ(kept.set.items.size(), 2U);
    EXPECT_EQ(kept.set.items[0].id, "a");
    EXPECT_EQ(tokens(kept.set, 0), tokens(kept.set, 1));
    EXPECT_EQ(kept.report.at("en").tied, 1);
    EXPECT_EQ(kept.report.at("en").kept, 2);
    EXPECT_EQ(dropped.set.attributes.at("ties"), "drop");
    EXPECT_EQ(kept.set.attributes.at("ties"), "keep");
}

TEST(Prepare, KeepsEmptyAnswersAndCountsThem) {
    const World world("empty");
    world.rows(R"({"prompt": "one", "chosen": "two", "rejected": [""]})" "\n" R"({"prompt": "one", "chosen": "two", "rejected": "six"})");
    const Prepared prepared = world.run();
    ASSERT_EQ(prepared.set.items.size(), 2U);
    std::vector<std::int32_t> expected = world.tokenizer->encode("one\n", false);
    expected.insert(expected.begin(), *world.tokenizer->bos);
    expected.push_back(*world.tokenizer->eos);
    EXPECT_EQ(tokens(prepared.set, 1), expected);
    EXPECT_EQ(prepared.set.answers[1].prompt, static_cast<std::int32_t>(expected.size()) - 1);  // the answer is its EOS
    EXPECT_EQ(prepared.report.at("en").empty, 1);
    EXPECT_NE(format_report(prepared.report).find("en: 1 items with an empty answer"), std::string::npos);
}

TEST(Prepare, TakesVeryLongAnswers) {
    World world("long");
    std::string answer;
    for (int i = 0; answer.size() < 400000; ++i) answer += "word" + std::to_string(i) + (i % 50 == 0 ? "\n" : " ");
    world.rows(Json({{"prompt", "one"}, {"chosen", answer}, {"rejected", answer + "!"}}).dump());
    EXPECT_EQ(world.run().report.at("en").too_long, 1);
    EXPECT_EQ(world.run().set.items.size(), 0U);
    std::vector<std::int32_t> whole = world.tokenizer->encode("one\n" + answer, false);
    world.options.over_length = OverLength::left;
    const ItemSet left = world.run().set;
    ASSERT_EQ(left.items.size(), 1U);
    EXPECT_EQ(left.answers[0].length, 2048);
    EXPECT_EQ(left.answers[0].prompt, 0);
    EXPECT_EQ(tokens(left, 0).back(), *world.tokenizer->eos);
    EXPECT_TRUE(std::equal(whole.end() - 2047, whole.end(), tokens(left, 0).begin()));
    world.options.max_length = 4000000;
    world.options.over_length = OverLength::error;
    EXPECT_EQ(world.run().set.answers[0].length, static_cast<std::int32_t>(whole.size()) + 2);
}

// No blank where the answer begins or anywhere: the boundary is that of the prompt all the same.
TEST(Prepare, FindsTheBoundaryInScriptsWithoutSpaces) {
    const World world("scripts", "chatml");
    const std::vector<std::array<std::string, 3>> texts = {{"\u6c34\u306e\u6cb8\u70b9\u306f\uff1f\u3000", "\u767e\u5ea6\u3067\u3059\u3002", "\u96f6\u5ea6\u3067\u3059\u3002"},
                                                        {"\u0e19\u0e49\u0e33\u0e40\u0e14\u0e37\u0e2d\u0e14\u0e17\u0e35\u0e48\u0e01\u0e35\u0e48\u0e2d\u0e07\u0e28\u0e32", "\u0e23\u0e49\u0e2d\u0e22", "\u0e28\u0e39\u0e19\u0e22\u0e4c"},
                                                        {"\u6c34\u7684\u6cb8\u70b9\u662f\u591a\u5c11\uff1f", "\u4e00\u767e\u5ea6", "\u96f6\u5ea6"}};
    std::string rows;
    for (const auto& [prompt, chosen, rejected] : texts) rows += Json({{"prompt", prompt}, {"chosen", chosen}, {"rejected", rejected}}).dump() + "\n";
    world.rows(rows);
    const ItemSet set = world.run().set;
    ASSERT_EQ(set.items.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        for (std::size_t side = 0; side < 2; ++side) {
            const Answer& answer = set.answers[2 * i + side];
            const auto all = set.answer_tokens(answer);
            const std::vector<std::int32_t> prompt(all.begin(), all.begin() + answer.prompt);
            EXPECT_EQ(world.tokenizer->decode(prompt), "<|im_start|>user\n" + texts[i][0] + "<|im_end|>\n<|im_start|>assistant\n");
            EXPECT_EQ(world.tokenizer->decode({all.begin() + answer.prompt, all.end()}), texts[i][side + 1] + "<|im_end|>\n");
        }
    }
}

TEST(Prepare, LeavesSpecialTokensToATemplateThatWritesThem) {
    const World world("chatml", "chatml");
    world.rows(R"({"prompt": "one", "chosen": "two", "rejected": "three"})");
    const ItemSet set = world.run().set;
    EXPECT_EQ(tokens(set, 0), world.tokenizer->encode("<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\ntwo<|im_end|>\n", false));
    EXPECT_EQ(set.attributes.at("template"), "chatml");
}

TEST(Prepare, TheSharedPrefixIsAFunctionOfOneTextAlone) {
    const World world("prefix");
    // Both answers begin alike; that must not move the boundary into them.
    world.rows(R"({"prompt": "one", "chosen": "same two", "rejected": "same three"})");
    const ItemSet set = world.run().set;
    EXPECT_EQ(set.answers[0].prompt, static_cast<std::int32_t>(world.tokenizer->encode("one\n", false).size()) + 1);
}

TEST(Prepare, AppliesEachOverLengthPolicy) {
    World world("long");
    world.rows(R"({"prompt": "a", "chosen": "b", "rejected": "c"})" "\n"
               R"({"prompt": "a", "chosen": "bbbbbbbbbbbbbbbbbbbbbbbbb", "rejected": "c"})" "\n"
               R"({"prompt": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "chosen": "b", "rejected": "c"})" "\n");
    world.options.max_length = 12;
    const auto whole = [&] {
        PrepareOptions unlimited = world.options;
        unlimited.max_length = 1000;
        return prepare(world.comm, unlimited, *world.tokenizer, *world.chat).set;
    }();
    ASSERT_EQ(whole.items.size(), 3U);
    ASSERT_GT(whole.answers[2].length, 12);
    ASSERT_LE(whole.answers[3].length, 12);
    ASSERT_GT(whole.answers[4].prompt, 12);
    world.options.over_length = OverLength::drop;
    Prepared prepared = world.run();
    EXPECT_EQ(prepared.set.items.size(), 1U);
    EXPECT_EQ(prepared.report.at("en").too_long, 2);
    EXPECT_EQ(prepared.report.at("en").kept, 1);
    world.options.over_length = OverLength::right;
    prepared = world.run();
    EXPECT_EQ(prepared.set.items.size(), 2U) << "of the third nothing of the answer is left";
    const auto full = tokens(whole, 2);
    EXPECT_EQ(tokens(prepared.set, 2), (std::vector<std::int32_t>{full.begin(), full.begin() + 12}));
    world.options.over_length = OverLength::left;
    prepared = world.run();
    EXPECT_EQ(prepared.set.items.size(), 3U);
    EXPECT_EQ(tokens(prepared.set, 2), (std::vector<std::int32_t>{full.end() - 12, full.end()}));
    EXPECT_EQ(prepared.set.answers[4].length, 12);
    EXPECT_EQ(prepared.set.answers[4].prompt, whole.answers[4].prompt - (whole.answers[4].length - 12));
    world.options.over_length = OverLength::error;
    EXPECT_NE(world.error().find("rows.jsonl:2"), std::string::npos) << world.error();
}

TEST(Prepare, KeepsTheChosenLanguagesAndPart) {
    World world("parts");
    world.options.langs = {"ko"};
    world.options.split = "a=0.5,b=0.5";
    std::size_t items = 0;
    for (const std::string part : {"a", "b"}) {
        world.options.part = part;
        for (const Item& item : world.run().set.items) {
            EXPECT_EQ(item.lang, "ko");
            EXPECT_EQ(Split(world.options.split).part(item.id), part);
            ++items;
        }
    }
    EXPECT_EQ(items, 148U);
    world.options.langs = {"ko", "zh"};
    EXPECT_NE(world.error().find("'zh' (the data have: en, ko)"), std::string::npos) << world.error();
}

TEST(Prepare, ThrowsTheFirstErrorOfTheInputOnEveryRank) {
    const World world("errors");
    std::string lines;
    for (int i = 0; i < 400; ++i) {
        lines += i == 391 || i == 207 ? "{\"prompt\": \"p\"}\n" : "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"r\"}\n";
    }
    world.rows(lines);
    EXPECT_NE(world.error().find("rows.jsonl:208: field 'chosen' is missing"), std::string::npos) << world.error();
}

TEST(Prepare, NamesAFileThatIsMissing) {
    World world("missing");
    world.options.inputs.push_back(world.folder / "none.jsonl");
    EXPECT_NE(world.error().find("none.jsonl"), std::string::npos) << world.error();
}

TEST(Prepare, ReadsPreparedItemsOfTheSameTokenizerAndTemplateOnly) {
    World world("again");
    const Prepared first = world.run();
    if (world.comm.root()) write_items(world.folder / "items.h5", first.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
    const Prepared second = world.run();
    EXPECT_EQ(second.set.tokens, first.set.tokens);
    EXPECT_EQ(second.set.items.size(), first.set.items.size());
    world.chat = load_chat_template("chatml", world.folder);
    EXPECT_NE(world.error().find("another chat template"), std::string::npos) << world.error();
    world.tokenizer->sha256[0] = world.tokenizer->sha256[0] == '0' ? '1' : '0';
    EXPECT_NE(world.error().find("another tokenizer"), std::string::npos) << world.error();
}

TEST(PrepareDocuments, StandAloneOrOneForALine) {
    World world("documents");
    std::string lines;
    for (int i = 0; i < 60; ++i) lines += "{\"key\": \"k" + std::to_string(i) + "\", \"en\": \"english\", \"ko\": \"한국\", \"zh\": \"中\"}\n";
    world.rows(lines);
    world.options.kind = RowKind::document;
    Prepared prepared = world.run();
    EXPECT_EQ(prepared.set.items.size(), 180U);
    EXPECT_EQ(prepared.set.answers[0].prompt, 0);
    std::vector<std::int32_t> expected = world.tokenizer->encode("english", false);
    expected.insert(expected.begin(), *world.tokenizer->bos);
    expected.push_back(*world.tokenizer->eos);
    EXPECT_EQ(tokens(prepared.set, 0), expected);

    world.options.concatenate = true;
    world.options.langs = {"en", "ko"};
    prepared = world.run();
    ASSERT_EQ(prepared.set.items.size(), 60U);
    EXPECT_EQ(prepared.set.items[0].lang, "en+ko");
    std::map<std::string, int> orders;
    for (std::size_t i = 0; i < 60; ++i) {
        std::vector<std::int32_t> ids = tokens(prepared.set, i);
        ids.erase(ids.begin());
        ids.pop_back();
        ++orders[world.tokenizer->decode(ids)];
    }
    EXPECT_EQ(orders.size(), 2U);
    EXPECT_EQ(orders["english\n한국"] + orders["한국\nenglish"], 60);
    EXPECT_GT(orders["english\n한국"], 15);
    EXPECT_LT(orders["english\n한국"], 45);
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
    EXPECT_NE(table.find("ko                    4        2        1      1         100     10     20     30     40     2.000"), std::string::npos) << table;
}

PrepareJob job_of(const World& world) {
    PrepareJob job;
    job.input = {(world.folder / "rows.jsonl").string()};
    job.model = world.folder.string();
    job.output = (world.folder / "pairs.h5").string();
    job.chat_template = "none";
    return job;
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
