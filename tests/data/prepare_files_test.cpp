#include <gtest/gtest.h>

#include "data/prepare_world.hpp"

namespace xlrm {
namespace {

// Rows give the items that the file prepared from them gives, at the same length and at a smaller one.
TEST(Prepare, RowsAndTheFileOfThemGiveTheSameItems) {
    World world("rows_and_file");
    const std::string begin = "the same beginning of an answer";
    world.rows(answers_row("a", begin + " good and long", begin + " good but bad") + answers_row("b", "yes", "no") +
               answers_row("c", "six", "six") + answers_row("d", begin, "no"));
    for (const OverLength policy : {OverLength::right, OverLength::left, OverLength::drop}) {
        for (const bool keep : {false, true}) {
            world.options.inputs = {world.folder / "rows.jsonl"};
            world.options.over_length = policy;
            world.options.keep_tied = keep;
            world.options.max_length = 40;
            const Prepared first = world.run();
            if (world.comm.root()) write_items(world.folder / "items.h5", first.set);
            world.comm.barrier();
            for (const std::int64_t length : {40, 17}) {
                world.options.max_length = length;
                world.options.inputs = {world.folder / "rows.jsonl"};
                const Prepared rows = world.run();
                world.options.inputs = {world.folder / "items.h5"};
                const Prepared file = world.run();
                EXPECT_EQ(file.set.tokens, rows.set.tokens) << length;
                ASSERT_EQ(file.set.items.size(), rows.set.items.size()) << length;
                for (std::size_t i = 0; i < rows.set.answers.size(); ++i)
                    EXPECT_EQ(file.set.answers[i].prompt, rows.set.answers[i].prompt) << i;
                EXPECT_EQ(file.report.at("en").kept, rows.report.at("en").kept) << length;
                if (keep) {
                    EXPECT_EQ(file.report.at("en").tied, rows.report.at("en").tied) << length;
                }
            }
        }
    }
}

TEST(Prepare, ItemsOfAnotherDateAreRefusedByIt) {
    World world("date", "llama-3.1");
    const auto accept = [&](const std::string& name, const std::string& date) {
        world.chat = load_chat_template(name, world.folder, date);
        if (name == "llama-3.1") world.chat->writes_bos = false;  // this tokenizer has another BOS
    };
    accept("llama-3.1", "26 Jul 2024");
    const Prepared first = world.run();
    if (world.comm.root()) write_items(world.folder / "items.h5", first.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
    EXPECT_EQ(world.error(), "");
    accept("llama-3.1", "2025-01-01");
    EXPECT_NE(world.error().find("items.h5: it was prepared with the date 26 Jul 2024, now 01 Jan 2025"), std::string::npos)
        << world.error();
    accept("none", "2025-01-01");
    EXPECT_NE(world.error().find("another chat template (llama-3.1, now none)"), std::string::npos) << world.error();
    world.options.inputs = {world.folder / "rows.jsonl"};
    const Prepared plain = world.run();
    if (world.comm.root()) write_items(world.folder / "items.h5", plain.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
    accept("none", "2026-02-02");  // no date is written
    EXPECT_EQ(world.error(), "");
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

TEST(PrepareKinds, PreparedItemsOfAnotherKindAreRefusedByName) {
    World world("kinds");
    for (const RowKind held : kAllKinds) {
        prepared_of(world, held, [](ItemSet&) {});
        for (const RowKind wanted : kAllKinds) {
            world.options.kind = wanted;
            const std::string error = world.error();
            if (held == wanted) {
                EXPECT_EQ(error, "");
                continue;
            }
            for (const std::string& part :
                 {std::string("items.h5"), std::string("kind ") + name_of(held), std::string(name_of(wanted)) + " rows"}) {
                EXPECT_NE(error.find(part), std::string::npos) << part << " in " << error;
            }
        }
        world.comm.barrier();
    }
}

TEST(PrepareKinds, ItemsThatAreNotWhatTheirFileSaysAreRefused) {
    World world("unlike");
    const auto refused = [&](RowKind kind, const char* part, const std::function<void(ItemSet&)>& spoil) {
        prepared_of(world, kind, spoil);
        const std::string error = world.error();
        EXPECT_NE(error.find("items.h5: item 'x'"), std::string::npos) << part << ": " << error;
        EXPECT_NE(error.find(part), std::string::npos) << error;
        world.comm.barrier();
    };
    const auto nan = std::numeric_limits<float>::quiet_NaN();
    const auto infinity = std::numeric_limits<float>::infinity();
    refused(RowKind::preference, "1 answer", [](ItemSet& set) { set.items[0].answers = 1; });
    refused(RowKind::preference, "0 right answers of 2", [](ItemSet& set) { set.items[0].num_correct = 0; });
    refused(RowKind::preference, "2 right answers of 2", [](ItemSet& set) { set.items[0].num_correct = 2; });
    refused(RowKind::preference, "1 labels", [](ItemSet& set) { set.items[0].labels = {1.0F}; });
    refused(RowKind::document, "a prompt", [](ItemSet& set) { set.answers[0].prompt = 1; });
    refused(RowKind::ranking, "2 labels", [](ItemSet& set) { set.items[0].labels.pop_back(); });
    refused(RowKind::ranking, "ascend", [](ItemSet& set) { std::swap(set.items[0].labels[0], set.items[0].labels[2]); });
    refused(RowKind::ranking, "no number", [&](ItemSet& set) { set.items[0].labels[1] = nan; });
    refused(RowKind::regression, "no number", [&](ItemSet& set) { set.items[0].labels[0] = infinity; });
    refused(RowKind::regression, "0 labels", [](ItemSet& set) { set.items[0].labels.clear(); });
}

TEST(PrepareKinds, AnEvaluationTakesRankingsThatHaveABestAnswer) {
    World world("rankings");
    world.options.rankings_too = true;
    prepared_of(world, RowKind::ranking, [](ItemSet&) {});
    world.options.kind = RowKind::preference;
    EXPECT_EQ(world.run().set.items.at(0).answers, 3);
    world.comm.barrier();
    prepared_of(world, RowKind::ranking, [](ItemSet& set) {
        set.items[0].labels = {1.0F, 1.0F, 1.0F};
        set.items[0].num_correct = 3;
    });
    EXPECT_NE(world.error().find("3 right answers of 3"), std::string::npos) << world.error();
    world.options.kind = RowKind::preference;
    prepared_of(world, RowKind::document, [](ItemSet&) {});
    world.options.kind = RowKind::preference;
    EXPECT_NE(world.error().find("kind document"), std::string::npos) << world.error();
}

}  // namespace
}  // namespace xlrm
