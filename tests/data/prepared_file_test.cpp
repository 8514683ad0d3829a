#include "xlrm/data/prepared_file.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {
namespace {

const std::filesystem::path kTokenizer = std::string(XLRM_SOURCE_DIR) + "/tests/fixtures/train/trl_run/model";

std::string row(const std::string& id, const std::string& lang, const std::string& chosen, const std::string& text) {
    const Json rejected = text.empty() ? Json::array({{{"role", "assistant"}, {"content", ""}}}) : Json(text);
    return Json{{"id", id}, {"lang", lang}, {"prompt", lang + " " + id + "?"}, {"chosen", chosen}, {"rejected", rejected}}
               .dump() +
           "\n";
}

//! Interleaved languages, one of them under two names, ties, long and empty answers, ids that come twice.
std::string rows() {
    std::string text;
    for (int i = 0; i < 40; ++i) {
        for (const char* lang : {"en", "spa_Latn", "ko", "kor_Hang", "zh"}) {
            const std::string n = std::to_string(i % 17);
            const std::string yes = i % 7 == 0 ? "same" : i % 11 == 0 ? "word " + std::string(400, 'x') : "yes " + n;
            text += row("r-" + n, lang, yes, i % 7 == 0 ? "same" : i % 13 == 0 ? "" : "no " + n);
        }
    }
    return text;
}

class PreparedFileTest : public testing::Test {
protected:
    PreparedFileTest() {
        write_file_atomic(file_, rows());
        tokenizer_ = load_tokenizer(kTokenizer);
        template_ = load_chat_template("none", kTokenizer);
    }

    PrepareOptions options(const std::vector<std::string>& langs) const {
        PrepareOptions options;
        options.inputs = {file_};
        options.langs = langs;
        options.max_length = 100;
        options.keep_tied = true;
        return options;
    }

    Prepared from_rows(const PrepareOptions& options) const {
        return prepare(Communicator::world(), options, *tokenizer_, *template_);
    }

    //! Writes the file of these options in all languages of the grid.
    std::filesystem::path write(PrepareOptions options) const {
        options.langs = {"en", "es", "ko", "zh"};
        const std::filesystem::path path = folder_ / "prepared.h5";
        write_prepared(path, from_rows(options), {{"files_sha256", {sha256_file(file_)}}});
        return path;
    }

    static void expect_equal(const Prepared& a, const Prepared& b) {
        EXPECT_EQ(a.set.attributes.dump(), b.set.attributes.dump());
        EXPECT_EQ(a.set.tokens, b.set.tokens);
        ASSERT_EQ(a.set.items.size(), b.set.items.size());
        ASSERT_EQ(a.set.answers.size(), b.set.answers.size());
        for (std::size_t i = 0; i < a.set.items.size(); ++i) {
            const Item& x = a.set.items[i];
            const Item& y = b.set.items[i];
            EXPECT_EQ(std::tie(x.id, x.lang, x.subset, x.first_answer, x.answers, x.num_correct, x.labels, x.occurrence),
                      std::tie(y.id, y.lang, y.subset, y.first_answer, y.answers, y.num_correct, y.labels, y.occurrence));
        }
        for (std::size_t i = 0; i < a.set.answers.size(); ++i) {
            const Answer& x = a.set.answers[i];
            const Answer& y = b.set.answers[i];
            EXPECT_EQ(std::tie(x.begin, x.length, x.prompt, x.lead), std::tie(y.begin, y.length, y.prompt, y.lead));
        }
        EXPECT_EQ(format_report(a.report), format_report(b.report));
        EXPECT_EQ(format_notes(a.report), format_notes(b.report));
    }

    const TemporaryFolder folder_;
    const std::filesystem::path file_ = folder_ / "rows.jsonl";
    std::unique_ptr<Tokenizer> tokenizer_;
    std::unique_ptr<ChatTemplate> template_;
};

TEST_F(PreparedFileTest, GivesWhatPrepareMakesOfTheRows) {
    for (const OverLength policy : {OverLength::drop, OverLength::left, OverLength::right}) {
        for (const std::string split : {"", "train=0.5,test=0.5"}) {
            PrepareOptions wanted = options({});
            wanted.over_length = policy;
            wanted.split = split;
            wanted.part = split.empty() ? "" : "test";
            const std::filesystem::path path = write(wanted);
            for (const std::vector<std::string>& langs : std::vector<std::vector<std::string>>{{"ko"}, {"es", "en"}, {"zh"}}) {
                for (const bool keep_tied : {true, false}) {
                    wanted.langs = langs;
                    wanted.keep_tied = keep_tied;
                    wanted.prepared.clear();
                    const Prepared expected = from_rows(wanted);
                    wanted.prepared = path;
                    const std::int64_t before = rows_tokenised();
                    expect_equal(from_rows(wanted), expected);
                    EXPECT_EQ(rows_tokenised(), before);
                }
            }
        }
    }
}

TEST_F(PreparedFileTest, IsItsHashAndTheSameBytesEachTime) {
    const std::string bytes = read_file(write(options({})));
    EXPECT_TRUE(cell_verifies(folder_ / "prepared.h5"));
    EXPECT_EQ(read_file(write(options({}))), bytes);
    write_file_atomic(folder_ / "prepared.h5", bytes + "x");
    EXPECT_FALSE(cell_verifies(folder_ / "prepared.h5"));
}

TEST_F(PreparedFileTest, IsRefusedForOtherOptionsTokenizersAndLanguages) {
    PrepareOptions wanted = options({"ko"});
    wanted.prepared = write(wanted);
    const auto refused = [&](const PrepareOptions& other) {
        try {
            from_rows(other);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_EQ(refused(wanted), "");
    PrepareOptions other = wanted;
    other.max_length = 99;
    EXPECT_NE(refused(other).find("max_length = 100, not 99"), std::string::npos) << refused(other);
    other = wanted;
    other.langs = {"it"};
    EXPECT_NE(refused(other).find("'it'"), std::string::npos) << refused(other);
    template_ = load_chat_template("concat", kTokenizer);
    EXPECT_NE(refused(wanted).find("another chat template"), std::string::npos) << refused(wanted);
}

TEST(PreparedFile, LanguagesThatAreMeantInPartCannotBeSelected) {
    LanguageNames names;
    names.add("pt-BR");
    names.add("en");
    EXPECT_TRUE(can_select(names, {{"pt-br"}, {"en"}}));
    names.add("pt");
    EXPECT_TRUE(can_select(names, {{"pt"}, {"en"}}));
    EXPECT_FALSE(can_select(names, {{"pt-br"}, {"en"}}));
}

}  // namespace
}  // namespace xlrm
