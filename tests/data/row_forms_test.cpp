#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/data/prepare.hpp"

// One row of each form, with the columns that its publisher gives it (the data set's card on huggingface.co, or the project
// named) and made-up content. What comes of it is the publisher's own rule: the card's text, or the code that is named.

namespace xlrm {
namespace {

// "system: … | user: … | assistant: …", each answer with what comes before it.
std::vector<std::string> conversations_of(const PreferenceRow& row) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < row.answers.size(); ++i) {
        std::string text;
        for (const ChatMessage& turn : row.conversation(i)) text += (text.empty() ? "" : " | ") + turn.role + ": " + turn.content;
        all.push_back(text);
    }
    return all;
}

using Texts = std::vector<std::string>;

struct Read {
    std::vector<PreferenceRow> rows;
    RowNotes notes;
    Texts texts() const { return rows.empty() ? Texts() : conversations_of(rows.front()); }
};

Read read(const std::string& json, RowKind kind, const RowFormOptions& options = {}) {
    Read result;
    result.rows = rows_of_json(Json::parse(json), kind, "f.jsonl:3", "f.jsonl:3", "en", options, &result.notes);
    return result;
}

void expect_form(const Read& result, const std::string& form) {
    EXPECT_EQ(result.notes.forms, (std::map<std::string, std::int64_t>{{form, 1}}));
}

std::string error_of(const std::string& json, RowKind kind, const std::vector<std::string>& parts,
                     const RowFormOptions& options = {}) {
    return expect_error([&] { read(json, kind, options); }, parts);
}

RowFormOptions pair_by(const std::string& name) {
    RowFormOptions options;
    options.pair_by = name;
    return options;
}

RowFormOptions columns(const std::vector<std::string>& list) {
    RowFormOptions options;
    options.columns = list;
    return options;
}

TEST(RowForms, SamplesOfXlrmGenerate) {
    const std::string row =
        R"({"id": "q", "occurrence": 0, "lang": "ko", "prompt": "Q", "sample": 1, "seed": 42, "text": "", "tokens": [2], "logprob": -1, "finish_reason": "stop"})";
    const Read answer = read(row, RowKind::response);
    EXPECT_EQ(answer.texts(), Texts{"user: Q | assistant: "});
    EXPECT_EQ(answer.rows.front().id, "q");
    EXPECT_EQ(answer.rows.front().lang, "ko");
    expect_form(answer, "samples");
    EXPECT_EQ(read(row, RowKind::prompt).rows.front().prompt.front().content, "Q");
    const std::string text = R"({"prompt": "Q", "sample": 1, "text": "T", "finish_reason": "stop"})";
    EXPECT_EQ(read(text, RowKind::document).rows.front().answers.front().text(),
              "T");  // a text to learn from, where that is asked for
    error_of(R"({"prompt": "Q", "sample": 1, "text": 5, "finish_reason": "stop"})", RowKind::response, {"'text'"});
}

TEST(RowForms, PkuSafeRlhf) {
    const std::string row =
        R"({"prompt": "Q", "response_0": "a", "response_1": "b", "better_response_id": 0, "safer_response_id": 1, "is_response_0_safe": false})";
    const Read better = read(row, RowKind::preference);
    EXPECT_EQ(better.texts(), (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
    expect_form(better, "pku-safe-rlhf");
    EXPECT_EQ(better.notes.unused, (std::map<std::string, std::int64_t>{{"safer_response_id", 1}, {"is_response_0_safe", 1}}));
    RowFormOptions safer;
    safer.prefer = "safer";
    EXPECT_EQ(read(row, RowKind::preference, safer).texts(), (Texts{"user: Q | assistant: b", "user: Q | assistant: a"}));
    EXPECT_TRUE(read(row, RowKind::preference, safer).notes.unserved(safer).empty());
    error_of(R"({"prompt": "Q", "response_0": "a", "response_1": "b", "better_response_id": 0})", RowKind::preference,
             {"f.jsonl:3: field 'safer_response_id' is missing"}, safer);
    error_of(R"({"prompt": "Q", "response_0": "a", "response_1": "b", "better_response_id": 2})", RowKind::preference,
             {"'better_response_id' is 2"});
    error_of(R"({"prompt": "Q", "response_0": "a", "response_1": 7, "better_response_id": 1})", RowKind::preference,
             {"'response_1' is not text"});
    error_of(row, RowKind::regression, {"pku-safe-rlhf", "preference", "regression rows are asked for"});
}

TEST(RowForms, OffsetBias) {
    const auto row = [](int label) {
        return R"({"instruction": "Q", "output_1": "a", "output_2": "b", "bias_type": "length", "label": )" +
               std::to_string(label) + "}";
    };
    EXPECT_EQ(read(row(1), RowKind::preference).texts(), (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
    EXPECT_EQ(read(row(2), RowKind::preference).texts(), (Texts{"user: Q | assistant: b", "user: Q | assistant: a"}));
    expect_form(read(row(2), RowKind::preference), "offsetbias");
    error_of(row(0), RowKind::preference, {"'label' is 0"});
}

// 1: human_ref_A is preferred (the card of stanfordnlp/SHP).
TEST(RowForms, StanfordHumanPreferences) {
    const std::string row =
        R"({"post_id": "x", "history": "Q", "human_ref_A": "a", "human_ref_B": "b", "labels": 0, "score_ratio": 2.0})";
    EXPECT_EQ(read(row, RowKind::preference).texts(), (Texts{"user: Q | assistant: b", "user: Q | assistant: a"}));
    expect_form(read(row, RowKind::preference), "shp");
}

// Below zero the first answer is preferred (nemo_rl/data/datasets, helpsteer3.py).
TEST(RowForms, HelpSteerPreferences) {
    const auto second = [](int strength) {
        return R"({"prompt": "Q", "response_1": "a", "response_2": "b", "preference_strength": )" + std::to_string(strength) +
               "}";
    };
    EXPECT_EQ(read(second(-2), RowKind::preference).texts(), (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
    EXPECT_EQ(read(second(1), RowKind::preference).texts(), (Texts{"user: Q | assistant: b", "user: Q | assistant: a"}));
    const Read draw = read(second(0), RowKind::preference);
    EXPECT_TRUE(draw.rows.empty());
    EXPECT_EQ(draw.notes.left_out, (std::map<std::string, std::int64_t>{{"answers of which none is better", 1}}));
    const std::string third =
        R"({"domain": "code", "language": "python", "context": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"},
        {"role": "user", "content": "R"}], "response1": "a", "response2": "b", "overall_preference": 3})";
    const Read read3 = read(third, RowKind::preference);
    EXPECT_EQ(read3.texts(),
              (Texts{"user: Q | assistant: A | user: R | assistant: b", "user: Q | assistant: A | user: R | assistant: a"}));
    EXPECT_EQ(read3.rows.front().lang + "|" + read3.rows.front().subset, "en|code");
    expect_form(read3, "helpsteer3");
}

TEST(RowForms, HelpSteer2) {
    const std::string row =
        R"({"prompt": "Q", "response": "a", "helpfulness": 4, "correctness": 3, "coherence": null, "complexity": 1, "verbosity": 2})";
    const Read ratings = read(row, RowKind::regression);
    ASSERT_EQ(ratings.rows.size(), 1U);
    ASSERT_EQ(ratings.rows.front().labels.size(), 5U);
    EXPECT_EQ(ratings.rows.front().labels[0], 4.0F);
    EXPECT_EQ(ratings.rows.front().labels[1], 3.0F);
    EXPECT_TRUE(std::isnan(ratings.rows.front().labels[2]));
    EXPECT_EQ(ratings.rows.front().labels[4], 2.0F);
    EXPECT_EQ(ratings.texts(), (Texts{"user: Q | assistant: a"}));
    EXPECT_TRUE(ratings.notes.unused.empty());
    expect_form(ratings, "helpsteer2");
    error_of(row, RowKind::preference, {"helpsteer2", "regression", "--pair-by"});
    // Turns as NeMo-Aligner's steerlm data have them (examples/nlp/data/steerlm/common.py).
    const Read turns = read(
        R"({"prompt": "Q\n<extra_id_1>Assistant\nA\n<extra_id_1>User\nR", "response": "a", "helpfulness": 4, "correctness": 3, "coherence": 1,
        "complexity": 1, "verbosity": 2})",
        RowKind::regression);
    EXPECT_EQ(turns.texts(), (Texts{"user: Q | assistant: A | user: R | assistant: a"}));
}

TEST(RowForms, UltraFeedback) {
    const std::string row =
        R"({"source": "evol", "instruction": "Q", "models": ["m"], "completions": [{"model": "m", "response": "b", "overall_score": 3.0, "critique": "c"},
        {"response": "a", "overall_score": 7.5}, {"response": "c", "overall_score": 3.0}, {"response": "d", "overall_score": null}]})";
    const Read ranking = read(row, RowKind::ranking);
    EXPECT_EQ(ranking.texts(), (Texts{"user: Q | assistant: a", "user: Q | assistant: b", "user: Q | assistant: c"}));
    EXPECT_EQ(ranking.rows.front().labels, (std::vector<float>{-7.5F, -3.0F, -3.0F}));  // equal ones are not compared
    EXPECT_EQ(ranking.rows.front().subset, "evol");
    expect_form(ranking, "ultrafeedback");
    EXPECT_EQ(ranking.notes.unused, (std::map<std::string, std::int64_t>{{"models", 1}}));
    EXPECT_EQ(read(row, RowKind::preference, pair_by("overall_score")).texts(),
              (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
    error_of(row, RowKind::preference, {"ultrafeedback", "ranking", "--pair-by"});
    error_of(R"({"instruction": "Q", "completions": [{"response": "b", "overall_score": "7"}]})", RowKind::ranking,
             {"'completions[0].overall_score' is not a number"});
    const Read alone = read(R"({"instruction": "Q", "completions": [{"response": "b", "overall_score": 7}]})",
                            RowKind::preference, pair_by("overall_score"));
    EXPECT_TRUE(alone.rows.empty());
    EXPECT_EQ(alone.notes.left_out.size(), 1U);
}

TEST(RowForms, UltraFeedbackBinarized) {
    const std::string side = R"([{"content": "Q", "role": "user"}, {"content": ")";
    const std::string row = R"({"prompt": "Q", "prompt_id": "9", "chosen": )" + side +
                            R"(a", "role": "assistant"}], "rejected": )" + side + R"(b", "role": "assistant"}], "messages": )" +
                            side + R"(a", "role": "assistant"}], "score_chosen": 8.0, "score_rejected": 6.0})";
    const Read result = read(row, RowKind::preference);
    EXPECT_EQ(result.texts(), (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
    expect_form(result, "preference");
    EXPECT_EQ(result.notes.lines().back(),
              "columns not used: messages (1 row), prompt_id (1 row), score_chosen (1 row), score_rejected (1 row)");
}

TEST(RowForms, Nectar) {
    const std::string row =
        R"({"prompt": "\n\nHuman: Q\n\nAssistant: A\n\nHuman: R\n\nAssistant: ", "answers": [{"answer": "b", "model": "m", "rank": 2.0},
        {"answer": "a", "model": "n", "rank": 1.0}], "turns": 2, "num_responses": 2, "source": ["hh", "x"], "good_natured": true})";
    const Read ranking = read(row, RowKind::ranking);
    EXPECT_EQ(ranking.texts(),
              (Texts{"user: Q | assistant: A | user: R | assistant: a", "user: Q | assistant: A | user: R | assistant: b"}));
    EXPECT_EQ(ranking.rows.front().labels, (std::vector<float>{1, 2}));
    EXPECT_EQ(ranking.rows.front().subset, "hh+x");
    expect_form(ranking, "nectar");
    EXPECT_EQ(read(row, RowKind::preference, pair_by("rank")).rows.front().answers.size(), 2U);
    error_of(row, RowKind::preference, {"--pair-by rank"}, pair_by("helpfulness"));
}

TEST(RowForms, NemoRl) {
    const std::string row =
        R"({"context": [{"role": "user", "content": "Q"}], "completions": [{"rank": 1, "completion": [{"role": "assistant", "content": "b"}]},
        {"rank": 0, "completion": [{"role": "assistant", "content": "a"}]}]})";
    EXPECT_EQ(read(row, RowKind::preference).texts(), (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
    EXPECT_EQ(read(row, RowKind::ranking).texts(), (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
}

TEST(RowForms, ChatbotArena) {
    const auto row = [](const std::string& winner) {
        return R"({"conversation_a": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "a"}],
            "conversation_b": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "b"}], "language": "German", "winner": ")" +
               winner + "\"}";
    };
    const Read second = read(row("model_b"), RowKind::preference);
    EXPECT_EQ(second.texts(), (Texts{"user: Q | assistant: b", "user: Q | assistant: a"}));
    EXPECT_EQ(second.rows.front().lang, "de");
    EXPECT_TRUE(read(row("tie (bothbad)"), RowKind::preference).rows.empty());
    error_of(row("model_c"), RowKind::preference, {"'winner' is 'model_c'"});
}

// LLaMA-Factory, src/llamafactory/data/converter.py: AlpacaDatasetConverter.
TEST(RowForms, Alpaca) {
    const Texts expected = {"user: Add the numbers\ntwo and two | assistant: a",
                            "user: Add the numbers\ntwo and two | assistant: b"};
    const std::string sides = R"("chosen": "a", "rejected": "b")";
    const Read both = read(R"({"instruction": "Add the numbers", "input": "two and two", )" + sides + "}", RowKind::preference);
    EXPECT_EQ(both.texts(), expected);
    expect_form(both, "alpaca");
    EXPECT_TRUE(both.notes.unused.empty());
    EXPECT_EQ(
        read(R"({"instruction": "Add the numbers", "input": "two and two", "output": ["a", "b"]})", RowKind::preference).texts(),
        expected);
    for (const char* input : {R"("input": "", )", R"("input": null, )", ""}) {
        EXPECT_EQ(read(std::string(R"({"instruction": "Q", )") + input + sides + "}", RowKind::preference).texts(),
                  (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
    }
    EXPECT_EQ(read(R"({"instruction": "", "input": "Q", "output": "a"})", RowKind::response).texts(),
              (Texts{"user: Q | assistant: a"}));
    EXPECT_EQ(read(R"({"instruction": "R", "history": [["Q", "A"]], "system": "S", )" + sides + "}", RowKind::preference)
                  .texts()
                  .front(),
              "system: S | user: Q | assistant: A | user: R | assistant: a");
    error_of(R"({"instruction": "", "input": "", )" + sides + "}", RowKind::preference, {"'instruction' is empty"});
    error_of(R"({"prompt": "P", "instruction": "Q", )" + sides + "}", RowKind::preference,
             {"field 'instruction' is there beside 'prompt'", "--columns prompt=prompt"});
    error_of(R"({"prompt": "P", "question": "Q", )" + sides + "}", RowKind::preference, {"'question' is there beside 'prompt'"});
    EXPECT_EQ(read(R"({"prompt": "P", "instruction": "Q", )" + sides + "}", RowKind::preference, columns({"prompt=prompt"}))
                  .texts()
                  .front(),
              "user: P | assistant: a");
    EXPECT_EQ(read(R"({"prompt": "P", "instruction": "P", "input": "", "question": null, )" + sides + "}", RowKind::preference)
                  .texts()
                  .front(),
              "user: P | assistant: a");
}

// LLaMA-Factory: SharegptDatasetConverter; OpenAI's messages as its OpenAIDatasetConverter.
TEST(RowForms, ShareGpt) {
    const Texts expected = {"user: Q | assistant: a", "user: Q | assistant: b"};
    const std::string turns = R"({"conversations": [{"from": "human", "value": "Q"}], )";
    for (const char* sides :
         {R"("chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}})",
          R"("chosen": "a", "rejected": "b"})",
          R"("chosen": [{"from": "gpt", "value": "a"}], "rejected": {"role": "assistant", "content": "b"}})"}) {
        const Read result = read(turns + sides, RowKind::preference);
        EXPECT_EQ(result.texts(), expected) << sides;
        expect_form(result, "sharegpt");
    }
    EXPECT_EQ(
        read(
            R"({"messages": [{"role": "user", "content": "Q"}], "chosen": {"role": "assistant", "content": "a"}, "rejected": {"role": "assistant", "content": "b"}})",
            RowKind::preference)
            .texts(),
        expected);
    EXPECT_EQ(read(R"({"system": "S", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "a"}]})",
                   RowKind::response)
                  .texts(),
              (Texts{"system: S | user: Q | assistant: a"}));
    error_of(turns + R"("chosen": {"from": "gpt"}, "rejected": "b"})", RowKind::preference,
             {"'chosen' is no turn with from and value"});
    error_of(
        R"({"conversations": [{"from": "human", "value": "Q"}, {"from": "function_call", "value": "{}"}], "chosen": "a", "rejected": "b"})",
        RowKind::preference, {"'conversations[1].from' is function_call"});
}

TEST(RowForms, OfOtherColumns) {
    const std::string row = R"({"question": "Q", "winner": "a", "loser": "b", "uid": 7, "tongue": "ko", "note": "n"})";
    const RowFormOptions names = columns({"prompt=question", "chosen=winner", "rejected=loser", "id=uid", "lang=tongue"});
    const Read result = read(row, RowKind::preference, names);
    EXPECT_EQ(result.texts(), (Texts{"user: Q | assistant: a", "user: Q | assistant: b"}));
    EXPECT_EQ(result.rows.front().id + result.rows.front().lang, "7ko");
    EXPECT_EQ(result.notes.unused, (std::map<std::string, std::int64_t>{{"note", 1}}));
    EXPECT_TRUE(result.notes.unserved(names).empty());
    const RowFormOptions typo = columns({"chosen=winner", "rejected=loser", "margin=lead"});
    EXPECT_EQ(read(row, RowKind::preference, typo).notes.unserved(typo),
              (std::vector<std::string>{"--columns margin=lead: no row has that column"}));
    const Read labels =
        read(R"({"prompt": "Q", "response": "a", "wit": 3, "tact": 1.5})", RowKind::regression, columns({"labels=wit+tact"}));
    EXPECT_EQ(labels.rows.front().labels, (std::vector<float>{3, 1.5F}));
    EXPECT_TRUE(labels.notes.unused.empty());
    EXPECT_EQ(read(R"({"prompt": "<|user|>Q", "chosen": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "a"}],
        "rejected": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "b"}]})",
                   RowKind::preference, columns({"prompt="}))
                  .texts()
                  .front(),
              "user: Q | assistant: a");
    EXPECT_EQ(read(R"({"text": "T", "body": "B"})", RowKind::document, columns({"text=body"})).texts().front(), "assistant: B");
    for (const char* wrong : {"question", "=question", "best=winner"}) {
        expect_error([&] { columns({wrong}).mapping(); }, {"--columns"});
    }
    expect_error([&] { columns({"id=a", "id=b"}).mapping(); }, {"'id'", "twice"});
}

TEST(RowForms, OfNoKnownFormSaysWhatThereIs) {
    for (const RowKind kind : {RowKind::preference, RowKind::ranking, RowKind::response, RowKind::document}) {
        error_of(
            R"({"url": "x", "post": "y"})", kind,
            {"f.jsonl:3: field '", "it has the columns url, post;", "pku-safe-rlhf (prompt, response_0", "--columns prompt="});
    }
    error_of("{}", RowKind::preference, {"f.jsonl:3: ", "no columns"});
}

TEST(RowForms, TheFirstRowsFormSaysTheKindOfAFile) {
    const TemporaryFolder folder;
    const std::pair<const char*, RowKind> rows[] = {
        {R"({"prompt": "Q", "response_0": "a", "response_1": "b", "better_response_id": 0})", RowKind::preference},
        {R"({"prompt": "Q", "response": "a", "helpfulness": 4, "correctness": 3, "coherence": 1, "complexity": 1, "verbosity": 2})",
         RowKind::regression},
        {R"({"instruction": "Q", "completions": [{"response": "b", "overall_score": 7}]})", RowKind::ranking},
        {R"({"instruction": "Q", "output": "a"})", RowKind::response},
        {R"({"instruction": "Q", "output": ["a", "b"]})", RowKind::preference},
        {R"({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "a"}]})", RowKind::response},
        {R"({"history": "Q", "human_ref_A": "a", "human_ref_B": "b", "labels": 0})", RowKind::preference},
        {R"({"en": "E"})", RowKind::document}};
    for (const auto& [row, kind] : rows) {
        write_file_atomic(folder / "rows.jsonl", std::string(row) + "\n");
        EXPECT_EQ(detect_row_kind(folder / "rows.jsonl"), kind) << row;
    }
}

// Ratings of one prompt's answers follow one another, as in HelpSteer2.
TEST(RowForms, RatedAnswersBecomePairs) {
    const TemporaryFolder folder;
    std::ofstream file(folder / "rows.jsonl");
    const auto add = [&](const char* prompt, const char* response, int helpfulness) {
        file << Json({{"prompt", prompt},
                      {"response", response},
                      {"helpfulness", helpfulness},
                      {"correctness", 5 - helpfulness},
                      {"coherence", 1},
                      {"complexity", 1},
                      {"verbosity", 1}})
                    .dump()
             << "\n";
    };
    add("P", "b", 1);
    add("P", "a", 4);
    add("Q", "tie", 2);
    add("Q", "tie too", 2);
    add("R", "alone", 3);
    add("S", "middle", 2);
    add("S", "worst", 0);
    add("S", "best", 4);
    file.close();
    PrepareOptions options;
    options.inputs = {folder / "rows.jsonl"};
    options.forms = pair_by("helpfulness");
    EXPECT_EQ(detect_row_kind(options.inputs.front(), options.forms), RowKind::preference);
    const auto pairs = [&] {
        Texts texts;
        read_rows(options, [&](std::int64_t, PreferenceRow&& row) {
            texts.push_back(row.id + " " + conversations_of(row)[0] + " > " + conversations_of(row)[1]);
        });
        return texts;
    };
    EXPECT_EQ(pairs(), (Texts{"rows.jsonl:1 user: P | assistant: a > user: P | assistant: b",
                              "rows.jsonl:6 user: S | assistant: best > user: S | assistant: worst"}));
    options.forms = pair_by("correctness");
    EXPECT_EQ(pairs().front(), "rows.jsonl:1 user: P | assistant: b > user: P | assistant: a");
}

const char* const kRows[] = {
    R"({"prompt": "Q", "response_0": "a", "response_1": "b", "better_response_id": 0, "safer_response_id": 1})",
    R"({"instruction": "Q", "output_1": "a", "output_2": "b", "label": 1})",
    R"({"history": "Q", "human_ref_A": "a", "human_ref_B": "b", "labels": 0})",
    R"({"prompt": "Q", "response_1": "a", "response_2": "b", "preference_strength": -1})",
    R"({"context": [{"role": "user", "content": "Q"}], "response1": "a", "response2": "b", "overall_preference": 2, "domain": "code", "language": "python"})",
    R"({"conversation_a": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "a"}],
        "conversation_b": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "b"}], "winner": "model_a"})",
    R"({"prompt": "Q", "response": "a", "helpfulness": 4, "correctness": 3, "coherence": 1, "complexity": 1, "verbosity": 2})",
    R"({"instruction": "Q", "completions": [{"response": "b", "overall_score": 7}, {"response": "a", "overall_score": 8}]})",
    R"({"prompt": "\n\nHuman: Q\n\nAssistant: ", "answers": [{"answer": "b", "rank": 2}, {"answer": "a", "rank": 1}], "source": ["x"]})",
    R"({"context": [{"role": "user", "content": "Q"}], "completions": [{"rank": 1, "completion": [{"role": "assistant", "content": "b"}]},
        {"rank": 0, "completion": [{"role": "assistant", "content": "a"}]}]})",
    R"({"conversations": [{"from": "human", "value": "Q"}], "chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}, "system": "S"})",
    R"({"instruction": "Q", "input": "R", "history": [["Q", "A"]], "output": ["a", "b"]})",
    R"({"messages": [{"role": "user", "content": "Q"}], "chosen": {"role": "assistant", "content": "a"}, "rejected": "b", "margin": 1, "id": "i"})",
    R"({"prompt": "Q", "responses": ["a", [{"role": "assistant", "content": "b"}]], "ranks": [1, 2], "lang": "ko"})",
    R"({"prompt": "Q", "chosen": ["a"], "rejected": ["b", "c"], "num_correct": 1, "total_completions": 3, "subset": "s"})",
};

void add_places(const Json& value, const Json::json_pointer& here, std::vector<Json::json_pointer>& places) {
    if (!here.empty()) places.push_back(here);
    if (value.is_object()) {
        for (const auto& [name, inner] : value.items()) add_places(inner, here / name, places);
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) add_places(value[i], here / i, places);
    }
}

// Whatever stands in whichever place: a row, or an Error of one line that names the row.
TEST(RowForms, AnythingAnywhereIsReadOrRefused) {
    const Json odd[] = {nullptr,
                        true,
                        -1,
                        1.5,
                        1e300,
                        18446744073709551615U,
                        "",
                        "x",
                        Json::array(),
                        Json::array({1}),
                        Json::array({Json::array()}),
                        Json::array({nullptr}),
                        Json::object(),
                        {{"a", 1}},
                        Json::array({{{"from", "human"}}}),
                        Json::array({{{"role", "user"}, {"content", nullptr}}}),
                        Json::array({{{"answer", 1}, {"rank", "x"}}}),
                        Json::array({{{"response", 2}}}),
                        std::string(1, '\0'),
                        Json::binary(std::vector<std::uint8_t>())};
    std::int64_t refused = 0, taken = 0;
    for (const char* text : kRows) {
        const Json good = Json::parse(text);
        std::vector<Json::json_pointer> places;
        add_places(good, Json::json_pointer(), places);
        for (const auto& place : places) {
            for (const Json& value : odd) {
                Json row = good;
                row[place] = value;
                for (const RowKind kind :
                     {RowKind::preference, RowKind::ranking, RowKind::regression, RowKind::response, RowKind::document}) {
                    for (const char* name : {"", "rank", "helpfulness"}) {
                        try {
                            rows_of_json(row, kind, "f.jsonl:3", "f.jsonl:3", "en", pair_by(name));
                            ++taken;
                        } catch (const Error& error) {
                            ++refused;
                            const std::string message = error.what();
                            EXPECT_EQ(message.rfind("f.jsonl:3: ", 0), 0U) << message << "\n" << row;
                        }
                    }
                }
            }
        }
    }
    EXPECT_GT(taken, 1000);
    EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace xlrm
