#include <gtest/gtest.h>

#include "data/prepare_world.hpp"

namespace xlrm {
namespace {

std::vector<std::int32_t> occurrences(const ItemSet& set) {
    std::vector<std::int32_t> list;
    for (const Item& item : set.items) list.push_back(item.occurrence);
    return list;
}

TEST(Prepare, CountsItemsOfOneIdBeforeAnyIsLeftOut) {
    World world("occurrence");
    const auto line = [](const char* id, const char* lang, const char* prompt, const char* chosen) {
        return Json{{"id", id}, {"lang", lang}, {"prompt", prompt}, {"chosen", chosen}, {"rejected", "two"}}.dump() + "\n";
    };
    const char* long_prompt = "one two three four five six seven eight nine ten one two three four five six seven eight nine ten";
    world.rows(line("a", "en", long_prompt, "six") + line("a", "ko", "one", "six") + line("a", "en", "one", "two") +
               line("a", "en", "one", "six") + line("b", "en", "one", "six") + line("a", "ko", "one", "six"));
    world.options.max_length = 40;
    const ItemSet set = world.run().set;  // too long, and tied: the first two of a in English
    EXPECT_EQ(occurrences(set), (std::vector<std::int32_t>{0, 2, 0, 1}));
    // What was prepared so keeps its counts.
    const auto file = world.folder / ("items" + std::to_string(world.comm.rank()) + ".h5");
    write_items(file, set);
    PrepareOptions again = world.options;
    again.inputs = {file};
    EXPECT_EQ(occurrences(prepare(Communicator::self(), again, *world.tokenizer, *world.chat).set),
              (std::vector<std::int32_t>{0, 2, 0, 1}));
}

TEST(Prepare, KeepsTiedPairsWhereTheyCount) {
    World world("tied");
    world.rows(R"({"id": "a", "prompt": "one", "chosen": "two", "rejected": "two"})"
               "\n"
               R"({"id": "b", "prompt": "one", "chosen": "two", "rejected": "six"})");
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

// What is scored decides, so texts that differ beyond the cut are a tied pair.
TEST(Prepare, PairsThatAreEqualWhenCutAreTied) {
    World world("tied_when_cut");
    const std::string begin = "the same beginning of an answer";
    world.rows(answers_row("a", begin + " good", begin + " bad") + answers_row("b", "yes", "no") +
               answers_row("c", "six", "six"));
    world.options.over_length = OverLength::right;
    world.options.max_length = 12;
    const Prepared dropped = world.run();
    ASSERT_EQ(dropped.set.items.size(), 1U);
    EXPECT_EQ(dropped.set.items[0].id, "b");
    EXPECT_EQ(dropped.report.at("en").tied, 2);
    EXPECT_EQ(dropped.report.at("en").too_long, 1);
    world.options.keep_tied = true;
    EXPECT_EQ(world.run().report.at("en").kept, 3);
    world.options.over_length = OverLength::drop;  // what is dropped is not tied too
    EXPECT_EQ(world.run().report.at("en").tied, 1);
}

TEST(Prepare, AnEvaluationRefusesAFileWithoutItsTiedPairs) {
    World world("tied_dropped");
    world.rows(answers_row("a", "six", "six") + answers_row("b", "yes", "no"));
    const Prepared dropped = world.run();
    if (world.comm.root()) write_items(world.folder / "items.h5", dropped.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
    EXPECT_EQ(world.run().set.items.size(), 1U);  // training has no use for them
    world.options.keep_tied = true;
    EXPECT_NE(world.error().find("prepared without its 1 tied pairs"), std::string::npos) << world.error();
    world.options.langs = {"ko"};
    EXPECT_EQ(world.error().find("tied"), std::string::npos) << world.error();
}

TEST(Prepare, CountsIdsThatOccurMoreThanOnce) {
    World world("repeated");
    const std::string korean = R"({"id": "b", "lang": "ko", "prompt": "p", "chosen": "x", "rejected": "y"})"
                               "\n";
    world.rows(answers_row("a", "1", "2") + answers_row("b", "1", "2") + answers_row("a", "3", "4") + answers_row("a", "5", "6") +
               korean);
    Prepared prepared = world.run();
    EXPECT_EQ(prepared.report.at("en").repeated, 1);
    EXPECT_EQ(prepared.report.at("ko").repeated, 0);  // a translation is no repetition
    const std::string report = format_report(prepared.report);
    EXPECT_NE(report.find("en: 1 id occurs more than once (an item is its id and occurrence)\n"), std::string::npos) << report;
    EXPECT_EQ(report.find("occur", report.find("occur") + 1), report.find("occurrence")) << report;
    world.rows(answers_row("a", "1", "2") + answers_row("b", "1", "2") + answers_row("a", "3", "4") + answers_row("b", "5", "6"));
    EXPECT_NE(format_notes(world.run().report).find("en: 2 ids occur more than once"), std::string::npos);
}

}  // namespace
}  // namespace xlrm
