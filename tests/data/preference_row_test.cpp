#include "xlrm/data/preference_row.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <map>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

std::vector<std::string> texts_of(const PreferenceRow& row) {
    std::vector<std::string> texts;
    for (const RowAnswer& answer : row.answers) texts.push_back(answer.text());
    return texts;
}

PreferenceRow one(const std::string& json) {
    auto rows = parse_row(json, RowKind::preference, "f.jsonl:3", "f.jsonl:3", "en");
    EXPECT_EQ(rows.size(), 1U);
    return rows.front();
}

std::string error_of(const std::string& json, RowKind kind = RowKind::preference) {
    try {
        parse_row(json, kind, "f.jsonl:3", "f.jsonl:3", "en");
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

void expect_error(const std::string& json, const std::string& field, const std::string& problem,
                  RowKind kind = RowKind::preference) {
    const std::string message = error_of(json, kind);
    EXPECT_NE(message.find("f.jsonl:3"), std::string::npos) << message;
    EXPECT_NE(message.find(field), std::string::npos) << message;
    EXPECT_NE(message.find(problem), std::string::npos) << message;
}

TEST(PreferenceRow, OfStrings) {
    const PreferenceRow row = one(
        R"({"id": "x-17", "lang": "kor_Hang", "subset": "chat", "prompt": "P", "chosen": "C", "rejected": "R", "margin": 1.5, "system": "S"})");
    EXPECT_EQ(row.id, "x-17");
    EXPECT_EQ(row.lang, "ko");
    EXPECT_EQ(row.subset, "chat");
    ASSERT_EQ(row.prompt.size(), 2U);
    EXPECT_EQ(row.prompt[0].role + row.prompt[0].content, "systemS");
    EXPECT_EQ(row.prompt[1].role + row.prompt[1].content, "userP");
    EXPECT_EQ(texts_of(row), (std::vector<std::string>{"C", "R"}));
    EXPECT_EQ(row.num_correct, 1);
    EXPECT_EQ(row.margin, 1.5F);
}

TEST(PreferenceRow, DefaultsOfWhatIsAbsent) {
    const PreferenceRow row = one(R"({"prompt": "P", "chosen": "C", "rejected": "R", "margin": null})");
    EXPECT_EQ(row.id, "f.jsonl:3");
    EXPECT_EQ(row.lang, "en");
    EXPECT_EQ(row.subset, "");
    EXPECT_TRUE(std::isnan(row.margin));
}

TEST(PreferenceRow, OfPublishedForms) {
    const PreferenceRow multilingual = one(
        R"({"id": 31, "language": "spa_Latn", "source": "refusals-dangerous", "prompt": "P", "chosen": "C", "rejected": "R"})");
    EXPECT_EQ(multilingual.id, "31");
    EXPECT_EQ(multilingual.lang, "es");
    EXPECT_EQ(multilingual.subset, "refusals-dangerous");
    const PreferenceRow second =
        one(R"({"id": "9", "subset": "Ties", "prompt": "P", "chosen": ["a", "b"], "rejected": ["c", "d", "e"]})");
    EXPECT_EQ(texts_of(second), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
    EXPECT_EQ(second.num_correct, 2);
    const PreferenceRow dialogue = one(
        R"({"chosen": "\n\nHuman: hi\n\nAssistant: yes?\n\nHuman: go\n\nAssistant: ok", "rejected": "\n\nHuman: hi\n\nAssistant: yes?\n\nHuman: go\n\nAssistant: no"})");
    ASSERT_EQ(dialogue.prompt.size(), 3U);
    EXPECT_EQ(dialogue.prompt[1].role + dialogue.prompt[1].content, "assistantyes?");
    EXPECT_EQ(texts_of(dialogue), (std::vector<std::string>{"ok", "no"}));
}

TEST(PreferenceRow, OfMessageListsWithThePromptInside) {
    const std::string turns = R"({"role": "system", "content": "S"}, {"role": "user", "content": "P"})";
    const auto side = [&](const std::string& answer) {
        return std::string("[").append(turns).append(R"(, {"role": "assistant", "content": ")").append(answer).append("\"}]");
    };
    const std::string as_list = std::string(R"("prompt": [)").append(turns).append("], ");
    for (const std::string& prompt : {std::string(), std::string(R"("prompt": "P", )"), as_list}) {
        const PreferenceRow row = one("{" + prompt + "\"chosen\": " + side("C") + ", \"rejected\": " + side("R") + "}");
        ASSERT_EQ(row.prompt.size(), 2U) << prompt;
        EXPECT_EQ(row.prompt[0].content, "S");
        EXPECT_EQ(texts_of(row), (std::vector<std::string>{"C", "R"}));
    }
    const PreferenceRow outside = one(
        R"({"prompt": [{"role": "user", "content": "P"}], "chosen": [{"role": "assistant", "content": "C"}], "rejected": [{"role": "assistant", "content": "R"}]})");
    EXPECT_EQ(outside.prompt.size(), 1U);
    expect_error("{\"prompt\": \"Q\", \"chosen\": " + side("C") + ", \"rejected\": " + side("R") + "}", "'prompt'", "differs");
}

// Column names of the data as published.
TEST(PreferenceRow, OfTheRewardBenchFamily) {
    const PreferenceRow first = one(
        R"({"prompt": "P", "chosen": "C", "chosen_model": "a", "rejected": "R", "rejected_model": "b", "subset": "alpacaeval-easy", "id": 7})");
    EXPECT_EQ(first.id + first.lang + first.subset, "7enalpacaeval-easy");
    const PreferenceRow second =
        one(R"({"id": "ref:3", "prompt": "P", "chosen": ["a"], "rejected": ["b", "c", "d"], "num_correct": 1, "num_incorrect": 3,
        "total_completions": 4, "models": ["m", null], "subset": "Ties", "additional_metadata": {"method": null}})");
    EXPECT_EQ(texts_of(second), (std::vector<std::string>{"a", "b", "c", "d"}));
    EXPECT_EQ(second.id, "ref:3");
    EXPECT_EQ(second.num_correct, 1);
    const PreferenceRow multilingual = one(
        R"({"id": 31, "prompt": "P", "chosen": "C", "rejected": "R", "language": "zho_Hant", "chosen_model": "a", "rejected_model": "b",
        "source": "hep-cpp", "category": "Reasoning"})");
    EXPECT_EQ(multilingual.id + multilingual.lang + multilingual.subset, "31zh-hanthep-cpp");
    const PreferenceRow mm = one(
        R"({"prompt": "P", "chosen": "C", "rejected": "R", "language": "sw", "subset": "language_hallucination", "chosen_model": null,
        "rejected_model": null, "id": "q1", "__index_level_0__": 4})");
    EXPECT_EQ(mm.id + mm.lang + mm.subset, "q1swlanguage_hallucination");
    for (const char* name : {"question", "input"})
        EXPECT_EQ(one(std::string("{\"") + name + R"(": "P", "chosen": "C", "rejected": "R"})").prompt.front().content, "P");
}

TEST(PreferenceRow, OfSeveralAnswersAsMessages) {
    const auto chat = [](const std::string& prompt, const std::string& answer) {
        return R"([{"role": "user", "content": ")" + prompt + R"("}, {"role": "assistant", "content": ")" + answer + "\"}]";
    };
    const PreferenceRow row =
        one("{\"chosen\": [" + chat("P", "a") + "," + chat("P", "b") + "], \"rejected\": [" + chat("P", "c") + "]}");
    EXPECT_EQ(row.prompt.size(), 1U);
    EXPECT_EQ(texts_of(row), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(row.num_correct, 2);
    const PreferenceRow single = one(
        R"({"prompt": "P", "chosen": {"role": "assistant", "content": "C"}, "rejected": {"role": "assistant", "content": "R"}})");
    EXPECT_EQ(texts_of(single), (std::vector<std::string>{"C", "R"}));
}

std::string roles_of(const std::vector<ChatMessage>& turns) {
    std::string text;
    for (const ChatMessage& turn : turns) text += turn.role.substr(0, 1) + turn.content;
    return text;
}

// The common turns are those that extract_prompt of trl 1.16 finds in the same lists.
TEST(PreferenceRow, OfConversationsThatPartBeforeTheirLastTurns) {
    const auto row_of = [](const std::string& chosen, const std::string& rejected) {
        const auto list = [](const std::string& turns) {  // "uP aC": role and content of each
            Json out = Json::array();
            for (std::size_t at = 0; at < turns.size(); at += 3) {
                const std::string role = turns[at] == 'u' ? "user" : turns[at] == 'a' ? "assistant" : "system";
                out.push_back({{"role", role}, {"content", turns.substr(at + 1, 1)}});
            }
            return out;
        };
        return one(Json{{"chosen", list(chosen)}, {"rejected", list(rejected)}}.dump());
    };
    struct Expected {
        const char *chosen, *rejected, *prompt, *first, *second;
    };
    for (const Expected& expected :
         {Expected{"uP aC uQ aD", "uP aR uQ aS", "uP", "aCuQaD", "aRuQaS"},
          Expected{"uP aC uQ aD", "uP aC uR aS", "uPaC", "uQaD", "uRaS"}, Expected{"uP aC", "uP aC uQ aD", "uP", "aC", "aCuQaD"},
          Expected{"sA uP aC", "sB uP aR", "", "sAuPaC", "sBuPaR"}, Expected{"uP aC", "uP aC", "uP", "aC", "aC"}}) {
        const PreferenceRow row = row_of(expected.chosen, expected.rejected);
        EXPECT_EQ(roles_of(row.prompt), expected.prompt) << expected.chosen;
        EXPECT_EQ(roles_of(row.answers[0].turns), expected.first) << expected.chosen;
        EXPECT_EQ(roles_of(row.answers[1].turns), expected.second) << expected.chosen;
        EXPECT_FALSE(row.is_document());
    }
    const PreferenceRow dialogue = one(
        R"({"chosen": "\n\nHuman: hi\n\nAssistant: yes?\n\nHuman: go\n\nAssistant: ok", "rejected": "\n\nHuman: hi\n\nAssistant: no"})");
    EXPECT_EQ(roles_of(dialogue.prompt) + "|" + roles_of(dialogue.answers[0].turns) + "|" + roles_of(dialogue.answers[1].turns),
              "uhi|ayes?ugoaok|ano");
    const PreferenceRow system =
        one(R"({"system": "S", "chosen": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "C"}],
        "rejected": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}, {"role": "assistant", "content": "R"}]})");
    EXPECT_EQ(roles_of(system.prompt), "sS");
}

TEST(PreferenceRow, HoldsThePromptAgainstEachConversation) {
    const std::string user = R"({"role": "user", "content": "P"})", answer = R"({"role": "assistant", "content": "C"})",
                      other = R"({"role": "user", "content": "Q"})";
    const PreferenceRow follows =
        one(R"({"prompt": "P", "chosen": [)" + answer + "," + other + "," + answer + R"(], "rejected": "R"})");
    EXPECT_EQ(roles_of(follows.conversation(0)), "uPaCuQaC");
    EXPECT_EQ(roles_of(follows.conversation(1)), "uPaR");
    const PreferenceRow repeated = one("{\"prompt\": [" + user + "], \"chosen\": [" + user + "," + answer + "," + other + "," +
                                       answer + "], \"rejected\": [" + user + "," + answer + "]}");
    EXPECT_EQ(roles_of(repeated.conversation(0)), "uPaCuQaC");
    expect_error("{\"prompt\": \"P\", \"chosen\": [" + user + "," + answer + "], \"rejected\": [" + other + "," + answer + "]}",
                 "'prompt'", "in 'rejected'");
    const std::string lists = "[" + user + "," + answer + "], [" + other + "," + answer + "]";
    const PreferenceRow several = one("{\"chosen\": [" + lists + "], \"rejected\": [[" + user + "," + answer + "]]}");
    EXPECT_EQ(several.num_correct, 2);
    EXPECT_EQ(roles_of(several.conversation(1)), "uQaC");
}

TEST(PreferenceRow, KeepsMessagesWhole) {
    const PreferenceRow row =
        one(R"({"tools": "[{\"name\": \"f\"}]", "documents": [{"title": "t"}], "chat_template_kwargs": {"enable_thinking": false},
        "chosen": [{"role": "user", "content": "P", "name": null}, {"role": "assistant", "content": null, "tool_calls": [{"name": "f"}]}],
        "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "image": null}]}]})");
    EXPECT_EQ(row.variables.at("tools").dump(), R"([{"name":"f"}])");
    EXPECT_EQ(row.variables.at("documents").dump(), R"([{"title":"t"}])");
    EXPECT_EQ(row.variables.at("enable_thinking").dump(), "false");
    EXPECT_EQ(row.prompt.size(), 1U);
    EXPECT_EQ(row.prompt[0].as_json().dump(), R"({"role":"user","content":"P"})");
    EXPECT_EQ(row.answers[0].turns[0].as_json().dump(), R"({"role":"assistant","tool_calls":[{"name":"f"}]})");
    EXPECT_EQ(row.answers[1].text(), "ab");
    EXPECT_EQ(row.answers[1].turns[0].as_json().dump(),
              R"({"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})");
    // A further field makes another message, as for trl.
    const PreferenceRow named =
        one(R"({"chosen": [{"role": "user", "content": "P", "name": "x"}, {"role": "assistant", "content": "C"}],
        "rejected": [{"role": "user", "content": "P", "name": "y"}, {"role": "assistant", "content": "R"}]})");
    EXPECT_TRUE(named.prompt.empty());
    EXPECT_FALSE(named.is_document());
}

TEST(PreferenceRow, RefusesWhatNoTemplateCouldWrite) {
    const auto with = [](const std::string& content, const std::string& more = "") {
        return R"({"chosen": [{"role": "user", "content": "P"}, {"role": "assistant", "content": )" + content +
               R"(}], "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "R"}])" + more + "}";
    };
    expect_error(with(R"([{"type": "image", "url": "u"}])"), "'chosen[1].content[0]'", "of type 'image'");
    expect_error(with(R"([{"type": "text"}])"), "'chosen[1].content[0].text'", "missing");
    expect_error(with(R"(["a"])"), "'chosen[1].content[0]'", "not a part");
    expect_error(with("null"), "'chosen[1]'", "role and content");
    expect_error(with(R"(null, "tool_calls": [])"), "'chosen[1]'", "role and content");
    expect_error(with("7"), "'chosen[1].content'", "number");
    expect_error(with(R"("C")", R"(, "tools": "[{")"), "'tools'", "not JSON");
    expect_error(with(R"("C")", R"(, "tools": ["f"])"), "'tools'", "list of objects");
    expect_error(with(R"("C")", R"(, "chat_template_kwargs": "x")"), "'chat_template_kwargs'", "string");
    expect_error(with(R"("C")", R"(, "chat_template_kwargs": {"messages": []})"), "'chat_template_kwargs.messages'",
                 "cannot be given");
}

TEST(PreferenceRow, WithEmptyAnswers) {
    EXPECT_EQ(texts_of(one(R"({"prompt": "P", "chosen": "C", "rejected": [{"role": "assistant", "content": ""}]})")),
              (std::vector<std::string>{"C", ""}));
    EXPECT_EQ(texts_of(one(R"({"prompt": "P", "chosen": ["C"], "rejected": ["", "R"]})")),
              (std::vector<std::string>{"C", "", "R"}));
    const PreferenceRow chat = one(
        R"({"chosen": [{"role": "system", "content": ""}, {"role": "user", "content": "P"}, {"role": "assistant", "content": "C"}],
        "rejected": [{"role": "system", "content": ""}, {"role": "user", "content": "P"}, {"role": "assistant", "content": ""}]})");
    EXPECT_EQ(chat.prompt.size(), 2U);
    EXPECT_EQ(texts_of(chat), (std::vector<std::string>{"C", ""}));
    const PreferenceRow dialogue =
        one(R"({"chosen": "\n\nHuman: hi\n\nAssistant: ok", "rejected": "\n\nHuman: hi\n\nAssistant:"})");
    EXPECT_EQ(texts_of(dialogue), (std::vector<std::string>{"ok", ""}));
    EXPECT_EQ(dialogue.prompt.front().content, "hi");
}

TEST(PreferenceRow, NamesFileLineAndFieldOfWhatIsWrong) {
    expect_error(R"({"prompt": "P", "chosen": "C", )", "f.jsonl:3", "");
    expect_error("[1]", "object", "array");
    expect_error(R"({"prompt": "P", "chosen": "C"})", "'rejected'", "missing");
    expect_error(R"({"prompt": "P", "chosen": null, "rejected": "R"})", "'chosen'", "missing");
    expect_error(R"({"prompt": "", "chosen": "C", "rejected": "R"})", "'prompt'", "empty");
    expect_error(R"({"prompt": "P", "chosen": "C", "rejected": []})", "'rejected'", "empty");
    expect_error(R"({"prompt": "P", "chosen": "C", "rejected": ""})", "'rejected'", "empty");
    expect_error(R"({"prompt": "P", "chosen": ["C", 3], "rejected": ["R"]})", "'chosen[1]'", "number");
    expect_error(R"({"prompt": "P", "chosen": ["C"], "rejected": ["R"], "total_completions": 4})", "'total_completions'",
                 "2 answers");
    expect_error(R"({"prompt": "P", "chosen": ["C"], "rejected": ["R"], "num_correct": 2})", "'num_correct'", "2 of 2");
    expect_error(R"({"prompt": "P", "chosen": ["C"], "rejected": ["R"], "num_correct": "1"})", "'num_correct'", "string");
    expect_error(R"({"chosen": "C", "rejected": "R"})", "'prompt'", "missing");
    expect_error(R"({"prompt": 7, "chosen": "C", "rejected": "R"})", "'prompt'", "number");
    expect_error(R"({"prompt": "P", "chosen": "C", "rejected": "R", "margin": "big"})", "'margin'", "string");
    expect_error(R"({"prompt": [{"role": "user"}], "chosen": "C", "rejected": "R"})", "prompt[0]", "message");
    expect_error(R"({"chosen": [{"role": "user", "content": "C"}], "rejected": [{"role": "user", "content": "R"}]})", "'chosen'",
                 "assistant");
}

TEST(Document, OneLanguageOrSeveral) {
    const auto parse = [](const std::string& json) { return parse_row(json, RowKind::document, "w", "d", "en"); };
    const auto plain = parse(R"({"text": "T", "lang": "it"})");
    ASSERT_EQ(plain.size(), 1U);
    EXPECT_EQ(plain[0].lang + plain[0].answers[0].text() + plain[0].id, "itTd");
    EXPECT_TRUE(plain[0].prompt.empty());
    const auto object = parse(R"({"id": "i", "text": {"en": "E", "zho_Hans": "Z", "ko": null}})");
    ASSERT_EQ(object.size(), 2U);
    EXPECT_EQ(object[1].lang + object[1].answers[0].text() + object[1].id, "zhZi");
    const auto fields = parse(R"({"key": "k", "en": "E", "id": "I", "pt-BR": "B", "topic": "x", "ko": null})");
    ASSERT_EQ(fields.size(), 3U);
    EXPECT_EQ(fields[1].lang + fields[1].answers[0].text() + fields[1].id, "idIk");
    EXPECT_EQ(fields[2].lang, "pt");
    expect_error(R"({"title": "x"})", "'text'", "missing", RowKind::document);
    expect_error(R"({"key": "k", "en": ""})", "'en'", "empty", RowKind::document);
}

TEST(ItemStem, IsTheIdWithoutItsSiblingSuffix) {
    EXPECT_EQ(item_stem("fcc-a/6#0-n12"), "fcc-a/6#0");
    for (const char* id : {"a-n", "a-x1", "n1", "-", "12", "", "a-n1b"}) EXPECT_EQ(item_stem(id), id);
}

TEST(RowBytes, AreEqualWhereRowsAreAndDifferInEveryMember) {
    const std::string line =
        R"({"id": "a", "lang": "ko", "subset": "s", "margin": 1, "prompt": "p", "chosen": "c", "rejected": "r"})";
    const auto bytes = [](const std::string& json) {
        return row_bytes(parse_row(json, RowKind::preference, "x:1", "d", "en").front());
    };
    EXPECT_EQ(
        bytes(line),
        bytes(
            R"({"rejected": "r", "chosen": "c", "prompt": "p", "margin": 1.0, "subset": "s", "language": "kor_Hang", "id": "a"})"));
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"\"a\"", "\"b\""},
                                                                                   {"ko", "es"},
                                                                                   {"\"s\"", "\"t\""},
                                                                                   {"1", "2"},
                                                                                   {"\"p\"", "\"q\""},
                                                                                   {"\"c\"", "\"d\""},
                                                                                   {"\"r\"", "\"cr\""}}) {
        std::string other = line;
        other.replace(other.find(from), from.size(), to);
        EXPECT_NE(bytes(line), bytes(other)) << other;
    }
    PreferenceRow row =
        parse_row(R"({"prompt": "p", "chosen": "c", "rejected": "r"})", RowKind::preference, "x:1", "d", "en").front();
    const std::string plain = row_bytes(row);
    row.answers = {plain_answer("cr"), plain_answer("")};
    EXPECT_NE(row_bytes(row), plain);
    row.answers = {plain_answer("c"), plain_answer("r")};
    EXPECT_EQ(row_bytes(row), plain);
    row.labels = {1.0F};
    EXPECT_NE(row_bytes(row), plain);
}

TEST(Split, KeepsSiblingsTogetherInTheirShares) {
    const Split split("train=0.6,test=0.4");
    EXPECT_EQ(split.names(), (std::vector<std::string>{"train", "test"}));
    std::map<std::string, int> counts;
    for (int i = 0; i < 5000; ++i) {
        const std::string id = "q" + std::to_string(i);
        const std::string part = split.part(id);
        ++counts[part];
        EXPECT_EQ(split.part(id + "-n0"), part);
        EXPECT_EQ(split.part(id + "-n1"), part);
    }
    EXPECT_NEAR(counts["train"], 3000, 150);  // four standard deviations
    EXPECT_EQ(counts["train"] + counts["test"], 5000);
    EXPECT_EQ(Split("").part("x"), "");
    EXPECT_EQ(Split(" train = 0.6 ,  test=0.4 ").names(), (std::vector<std::string>{"train", "test"}));
    for (const char* bad : {"train", "train=0.6", "a=0.5,a=0.5", "a=1.2,b=-0.2", "=1", "a=0.5x,b=0.5", "a=0.5,,b=0.5"})
        EXPECT_THROW(Split{bad}, Error) << bad;
}

TEST(ForEachRow, ReadsFilesAndFindsTheirKind) {
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("xlrm_rows_" + std::to_string(getpid()) + ".jsonl");
    std::ofstream(path)
        << "\n{\"prompt\": \"P\", \"chosen\": \"C\", \"rejected\": \"R\"}\r\n\n{\"prompt\": \"P\", \"chosen\": \"C\"}";
    EXPECT_EQ(detect_row_kind(path), RowKind::preference);
    std::vector<std::int64_t> lines;
    try {
        for_each_row(path, RowKind::preference, "en", [&](std::int64_t line, PreferenceRow&& row) {
            lines.push_back(line);
            EXPECT_EQ(row.id, path.filename().string() + ":2");
        });
        FAIL() << "the last row was accepted";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(path.string() + ":4: field 'rejected'"), std::string::npos) << error.what();
    }
    EXPECT_EQ(lines, std::vector<std::int64_t>{2});
    std::ofstream(path) << "{\"en\": \"E\"}\n";
    EXPECT_EQ(detect_row_kind(path), RowKind::document);
    std::filesystem::remove(path);
    EXPECT_THROW(detect_row_kind(path), Error);
}

TEST(ForEachRow, ReadsEveryPublishedRow) {
    const auto folder = test::shared_data();
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the published data are not here: " << folder;
    const std::map<std::string, int> preferences = {{"prefs/sib200_topic_dev.jsonl", 594},
                                                    {"prefs/xnli_dev.jsonl.gz", 5810},
                                                    {"prefs/wmt24_esa_en_zh_wave2.jsonl", 388},
                                                    {"prefs/hh_harmless_en_train.jsonl.gz", 1149},
                                                    {"prefs/dpo_demo_en_zh.jsonl.gz", 600}};
    for (const auto& [name, count] : preferences) {
        int rows = 0;
        for_each_row(folder / name, RowKind::preference, "en", [&](std::int64_t, PreferenceRow&&) { ++rows; });
        EXPECT_EQ(rows, count) << name;
    }
    int rows = 0;
    for_each_row(folder / "parallel/sib200_flores.jsonl.gz", RowKind::document, "en",
                 [&](std::int64_t, PreferenceRow&&) { ++rows; });
    EXPECT_EQ(rows, 800 * 17);
}

}  // namespace
}  // namespace xlrm
