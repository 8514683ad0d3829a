#include "xlrm/core/options.hpp"

#include <gtest/gtest.h>

#include <map>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

//! A program with an option of each kind.
struct Program {
    double lr = 1e-4;
    int epochs = 3;
    std::int64_t budget = 16384;
    std::string model = "base";
    std::string schedule = "cosine";
    std::vector<std::string> langs = {"en", "ko"};
    bool smoke = false;
    std::vector<std::string> sources;
    std::map<std::string, std::string> eval;
    std::vector<std::string> words;
    Options options{"xlrm_try", "Tries."};

    Program() {
        options.section("train")
            .add("lr", &lr, "RATE", "peak learning rate")
            .add("epochs", &epochs, "N", "passes over the data")
            .add("token-budget", &budget, "TOKENS", "tokens a micro-batch")
            .add("model", &model, "DIR", "base model")
            .add_choice("schedule", &schedule, {"cosine", "linear", "constant"}, "learning rate over time")
            .add("langs", &langs, "LANG,…", "languages")
            .add("smoke", &smoke, "small");
        options.section("sweep").add("sources", &sources, "LANG,…", "source languages");
        options.section("data").add_prefix(
            "eval.", [this](const std::string& name, const std::string& value) { eval[name] += value; }, "FILE", "test data");
        options.positional(&words, "[COMMAND]");
    }
    Program& parse(std::vector<std::string> arguments) {
        std::vector<const char*> argv = {"xlrm_try"};
        for (const std::string& argument : arguments) argv.push_back(argument.c_str());
        options.parse(static_cast<int>(argv.size()), argv.data());
        return *this;
    }
    //! The message of the usage error that the arguments must give.
    std::string refused(std::vector<std::string> arguments) {
        try {
            parse(std::move(arguments));
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::usage) << error.what();
            return error.what();
        }
        ADD_FAILURE() << "accepted";
        return "";
    }
    std::string refused_config(const std::string& text) {
        const TemporaryFolder folder;
        write_file_atomic(folder / "a.cfg", text);
        return refused({"--config", (folder / "a.cfg").string()});
    }
    Program& parse_config(const std::string& text, std::vector<std::string> arguments = {}) {
        const TemporaryFolder folder;
        write_file_atomic(folder / "a.cfg", text);
        arguments.insert(arguments.begin(), {"--config", (folder / "a.cfg").string()});
        return parse(arguments);
    }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Options, DefaultsStayWithoutArguments) {
    Program p;
    p.parse({});
    EXPECT_EQ(p.lr, 1e-4);
    EXPECT_EQ(p.langs, (std::vector<std::string>{"en", "ko"}));
    EXPECT_FALSE(p.options.given("train.lr"));
}

TEST(Options, EveryKindIsReadFromTheCommandLine) {
    Program p;
    p.parse({"--lr", "3e-5", "--epochs=5", "--train.token-budget", "4096", "--model", "a=b#c", "--schedule", "linear", "--langs",
             "en, it ,zh", "--smoke", "--sweep.sources=es", "--data.eval.xnli", "x.jsonl"});
    EXPECT_EQ(p.lr, 3e-5);
    EXPECT_EQ(p.epochs, 5);
    EXPECT_EQ(p.budget, 4096);
    EXPECT_EQ(p.model, "a=b#c");
    EXPECT_EQ(p.schedule, "linear");
    EXPECT_EQ(p.langs, (std::vector<std::string>{"en", "it", "zh"}));
    EXPECT_TRUE(p.smoke);
    EXPECT_EQ(p.sources, (std::vector<std::string>{"es"}));
    EXPECT_EQ(p.eval.at("xnli"), "x.jsonl");
    EXPECT_TRUE(p.options.given("train.lr"));
    EXPECT_FALSE(p.options.given("sweep.nothing"));
}

TEST(Options, IntegersAreSignedAndNumbersWhole) {
    EXPECT_EQ(Program().parse({"--epochs", "-1"}).epochs, -1);
    EXPECT_EQ(Program().parse({"--lr", "-0.5"}).lr, -0.5);
    EXPECT_TRUE(has(Program().refused({"--epochs", "3.5"}), "--epochs: \"3.5\" is not a whole number"));
    EXPECT_TRUE(has(Program().refused({"--epochs", "5000000000"}), "out of range"));
    EXPECT_TRUE(has(Program().refused({"--token-budget", "99999999999999999999"}), "out of range"));
    EXPECT_TRUE(has(Program().refused({"--epochs="}), "--epochs: \"\" is not a whole number"));
    EXPECT_TRUE(has(Program().refused({"--lr", "1e-4x"}), "--lr: \"1e-4x\" is not a number"));
    EXPECT_TRUE(has(Program().refused({"--lr", "nan"}), "not a finite number"));
}

TEST(Options, AbbreviationsAreUnknownAndTheNearestNameIsOffered) {
    EXPECT_TRUE(has(Program().refused({"--sweep.source", "en"}), "unknown option --sweep.source; did you mean --sweep.sources?"));
    EXPECT_TRUE(has(Program().refused({"--epoch", "1"}), "unknown option --epoch; did you mean --epochs?"));
    EXPECT_TRUE(has(Program().refused({"-model", "x"}), "unknown option -model; did you mean --model?"));
    EXPECT_TRUE(has(Program().refused({"--sources", "en"}), "unknown option --sources"));  // not the program's own section
    EXPECT_TRUE(has(Program().refused({"--zzzzzz"}), "unknown option --zzzzzz; xlrm_try --help lists all"));
    EXPECT_TRUE(has(Program().refused({"--data.eval."}), "unknown option --data.eval."));
}

TEST(Options, MissingValueIsRefused) {
    EXPECT_TRUE(has(Program().refused({"--lr"}), "'--lr' is missing"));
    EXPECT_TRUE(has(Program().refused({"--model", "--epochs", "3"}), "--model needs a value"));
}

TEST(Options, ChoicesAreListed) {
    const std::string message = Program().refused({"--schedule", "linea"});
    EXPECT_TRUE(has(message, "--schedule: \"linea\" is not one of cosine|linear|constant; did you mean linear?")) << message;
}

TEST(Options, ListsHaveNoEmptyEntries) {
    EXPECT_TRUE(has(Program().refused({"--langs", "en,,ko"}), "--langs: \"en,,ko\" has an empty entry"));
    EXPECT_TRUE(Program().parse({"--langs", ""}).langs.empty());
    EXPECT_TRUE(Program().parse({"--langs="}).langs.empty());
}

TEST(Options, FlagsTakeAnExplicitValueAndLeaveWordsAlone) {
    EXPECT_TRUE(Program().parse({"--smoke", "yes"}).smoke);
    EXPECT_FALSE(Program().parse_config("[train]\nsmoke = yes\n", {"--smoke", "no"}).smoke);
    Program p;
    p.parse({"--smoke", "status", "OUT", "--dry-run"});
    EXPECT_TRUE(p.smoke);
    EXPECT_TRUE(p.options.dry_run());
    EXPECT_EQ(p.words, (std::vector<std::string>{"status", "OUT"}));
    EXPECT_TRUE(has(Program().refused({"--smoke=maybe"}), "--smoke: \"maybe\" is not yes or no"));
}

TEST(Options, WordsWithoutAPlaceAreRefused) {
    Options options("xlrm_try", "Tries.");
    const char* const argv[] = {"xlrm_try", "OUT"};
    EXPECT_THROW(options.parse(2, argv), Error);
}

TEST(Options, ConfigurationIsReadAndTheCommandLineWins) {
    Program p;
    p.parse_config(
        "# a comment\n"
        "  ; another\n"
        "[train]\r\n"
        "lr = 2e-5\r\n"
        "model = runs/#7 # not a comment\n"
        "epochs=4\n"
        "[sweep]\n"
        "sources = en, ko\n"
        "[data]\n"
        "eval.xnli = a.jsonl\n"
        "eval.copa = b.jsonl\n",
        {"--epochs", "9", "--data.eval.copa", "c.jsonl"});
    EXPECT_EQ(p.lr, 2e-5);
    EXPECT_EQ(p.model, "runs/#7 # not a comment");
    EXPECT_EQ(p.epochs, 9);
    EXPECT_EQ(p.sources, (std::vector<std::string>{"en", "ko"}));
    EXPECT_EQ(p.eval, (std::map<std::string, std::string>{{"copa", "c.jsonl"}, {"xnli", "a.jsonl"}}));
    EXPECT_TRUE(p.options.given("train.lr"));
}

TEST(Options, MistakesInAConfigurationNameFileAndLine) {
    EXPECT_TRUE(has(Program().refused_config("[train]\nlr = 1\nepoch = 3\n"),
                    "a.cfg:3: unknown option train.epoch; did you mean train.epochs?"));
    EXPECT_TRUE(
        has(Program().refused_config("[train]\n\nepochs = three\n"), "a.cfg:3: train.epochs: \"three\" is not a whole number"));
    EXPECT_TRUE(has(Program().refused_config("[train]\nlr = 1\nlr = 2\n"), "a.cfg:3: \"lr\" is given twice"));
    EXPECT_TRUE(has(Program().refused_config("lr = 1\n[train]\nlr = 2\n"), "a.cfg:3: \"lr\" is given twice"));
    EXPECT_TRUE(has(Program().refused_config("[train]\nlr\n"), "a.cfg:2: expected name = value"));
    EXPECT_TRUE(has(Program().refused_config("[train\nlr = 1\n"), "a.cfg:1: a section is written [name]"));
    EXPECT_TRUE(has(Program().refused_config("config = other.cfg\n"), "a.cfg:1: \"config\" belongs on the command line"));
}

TEST(Options, MissingConfigurationIsNamed) {
    try {
        Program().parse({"--config", "/nowhere/a.cfg"});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_TRUE(has(error.what(), "/nowhere/a.cfg"));
    }
}

TEST(Options, ErrorsOfAPrefixedValueNameTheirPlace) {
    Program p;
    p.options.section("x").add_prefix(
        "y.", [](const std::string&, const std::string&) { fail("no such benchmark"); }, "FILE", "");
    EXPECT_TRUE(has(p.refused_config("[x]\ny.z = 1\n"), "a.cfg:2: x.y.z: no such benchmark"));
}

TEST(Options, EmbeddedConfigurationIsUsedUnlessAFileIsNamed) {
    const std::string text = "[train]\nepochs = 7\n";
    Program p;
    p.options.embedded_config("quickstart", text);
    EXPECT_EQ(p.parse({}).epochs, 7);
    EXPECT_EQ(p.options.config_path(), "");
    Program q;
    q.options.embedded_config("quickstart", text);
    EXPECT_EQ(q.parse_config("[train]\nlr = 1\n").epochs, 3);
    Program r;
    r.options.embedded_config("quickstart", "[train]\nepoch = 7\n");
    EXPECT_TRUE(has(r.refused({}), "quickstart:2: unknown option"));
}

TEST(Options, EffectiveValuesReadBackToTheSame) {
    Program p;
    p.parse({"--lr", "0.1", "--langs", "en,it", "--data.eval.xnli", "x.jsonl", "--log-level", "debug"});
    const Json effective = p.options.effective();
    EXPECT_EQ(effective.at("train.lr"), "0.1");
    EXPECT_EQ(effective.at("train.epochs"), "3");
    EXPECT_EQ(effective.at("train.langs"), "en,it");
    EXPECT_EQ(effective.at("train.smoke"), "no");
    EXPECT_EQ(effective.at("data.eval.xnli"), "x.jsonl");
    EXPECT_FALSE(effective.contains("log-level"));  // does not determine any output
    std::vector<std::string> again;
    for (const auto& [name, value] : effective.items()) again.push_back("--" + name + "=" + value.get<std::string>());
    Program q;
    q.parse(again);
    EXPECT_EQ(q.options.effective(), effective);
}

TEST(Options, HelpShowsEveryNameWithUnitAndDefault) {
    const std::string help = Program().options.help();
    for (const char* part :
         {"Usage: xlrm_try [options] [COMMAND]", "--lr RATE", "[1e-04]", "--schedule cosine|linear|constant", "--langs LANG,…",
          "[en,ko]", "--sweep.sources", "--data.eval.NAME FILE", "--config FILE", "--dry-run", "--status-file", "--version"}) {
        EXPECT_TRUE(has(help, part)) << part << "\n" << help;
    }
    Program p;
    p.parse({"--help"});
    EXPECT_TRUE(p.options.help_asked());
    EXPECT_FALSE(p.options.version_asked());
}

TEST(Options, NearestNameIsNearOrNone) {
    const std::vector<std::string> known = {"sources", "targets", "seeds"};
    EXPECT_EQ(nearest_name("source", known), "sources");
    EXPECT_EQ(nearest_name("taregts", known), "targets");
    EXPECT_EQ(nearest_name("output", known), "");
    EXPECT_EQ(nearest_name("cuont", {"count"}), "count");  // a swap is one mistake
    EXPECT_EQ(nearest_name("conut", {"smoke"}), "");
    EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Options, AWithdrawnOptionIsRefusedWithWhatToWriteInstead) {
    struct Lesser : Program {
        Lesser() { options.section("train").withdraw("model", "write [sweep] bases"); }
    };
    EXPECT_TRUE(has(Lesser().refused({"--train.model", "x"}), "--train.model is not an option of xlrm_try: write [sweep] bases"));
    EXPECT_TRUE(has(Lesser().refused({"--model", "x"}), "is not an option of xlrm_try: write [sweep] bases"));
    EXPECT_TRUE(has(Lesser().refused_config("[train]\n\nmodel = x\n"),
                    "a.cfg:3: train.model is not an option of xlrm_try: write [sweep] bases"));
    Lesser p;
    p.parse({"--lr", "2"});
    EXPECT_FALSE(has(p.options.help(), "--model"));
    EXPECT_FALSE(p.options.effective().contains("train.model"));
    EXPECT_TRUE(has(Lesser().refused({"--modle", "x"}), "unknown option --modle"));
    EXPECT_FALSE(has(Lesser().refused({"--modle", "x"}), "did you mean --model"));
}

TEST(Options, TextThatIsNotUtf8IsRefusedByName) {
    EXPECT_TRUE(has(Program().refused({"--model", "d\xE9j\xE0"}), "--model: its value \"d�j�\" is not UTF-8 text"));
    EXPECT_TRUE(has(Program().refused_config("[train]\n\nmodel = d\xE9\n"), "a.cfg:3: the line is not UTF-8 text"));
    Program p;
    p.parse({"--model", "déjà"});
    EXPECT_EQ(p.options.effective().at("train.model"), "déjà");
}

TEST(Options, AValueOfAnyTypeIsReadAndShownByItsFunctions) {
    Program p;
    int place = 1;
    p.options.section("train").add(
        "place", [&](const std::string& text) { place = text == "there" ? 2 : throw Error("\"" + text + "\" is nowhere"); },
        [&] { return std::string(place == 1 ? "here" : "there"); }, "here|there", "where");
    EXPECT_TRUE(has(p.options.help(), "[here]"));
    p.parse({"--place", "there"});
    EXPECT_EQ(place, 2);
    EXPECT_EQ(p.options.effective().at("train.place"), "there");
    EXPECT_EQ(p.refused({"--place", "up"}), "--place: \"up\" is nowhere");
}

TEST(Options, ChecksRunWhenAllIsReadUnlessHelpIsAskedFor) {
    const auto checked = [](const std::vector<std::string>& arguments) {
        Program p;
        double seen = 0.0;
        p.options.check([&] { seen = p.lr; });
        p.parse(arguments);
        return seen;
    };
    EXPECT_EQ(checked({"--lr", "0.5"}), 0.5);
    EXPECT_EQ(checked({"--lr", "0.5", "--help"}), 0.0);
    EXPECT_EQ(checked({"--version"}), 0.0);
    Program p;
    p.options.check([] { fail("not here", ExitCode::usage); });
    EXPECT_EQ(p.refused({}), "not here");
}

}  // namespace
}  // namespace xlrm
