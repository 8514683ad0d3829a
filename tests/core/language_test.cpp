#include "xlrm/core/language.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace xlrm {
namespace {

TEST(Language, EveryWayOfWritingALanguageGivesItsTwoLetterCode) {
    struct Row {
        const char* code;
        std::array<const char*, 6> names;
    };
    const Row rows[] = {
        {"en", {"en", "eng", "eng_Latn", "English", "en-US", "EN"}},
        {"ko", {"ko", "kor", "kor_Hang", "Korean", "ko-KR", "ko_KR"}},
        {"es", {"es", "spa", "spa_Latn", "Spanish", "es-ES", "es_419"}},
        {"it", {"it", "ita", "ita_Latn", "Italian", "it-IT", "italian"}},
        {"zh", {"zh", "zho", "zho_Hans", "Chinese", "zh-CN", "cmn_Hans"}},
        {"de", {"de", "deu", "deu_Latn", "German", "de-AT", "ger"}},
        {"fa", {"fa", "pes", "pes_Arab", "Persian", "fas", "fa-IR"}},
        {"ar", {"ar", "arb", "arb_Arab", "Arabic", "ara", "ar-EG"}},
        {"sw", {"sw", "swh", "swh_Latn", "Swahili", "swa", "sw-KE"}},
        {"et", {"et", "est", "est_Latn", "Estonian", "ekk", "et-EE"}},
        {"zh-hant", {"zh-hant", "zho_Hant", "zh-TW", "zh_Hant", "zh-HK", "cmn_Hant"}},
        {"nn", {"nn", "nno", "nno_Latn", "Norwegian Nynorsk", "nn-NO", "NN"}},
    };
    for (const Row& row : rows) {
        for (const char* name : row.names) EXPECT_EQ(canonical_language(name), row.code) << name;
    }
}

// The 23 languages of M-RewardBench keep apart, Chinese in both scripts among them.
TEST(Language, LanguagesOfMRewardBench) {
    const std::pair<const char*, const char*> rows[] = {
        {"arb_Arab", "ar"}, {"ces_Latn", "cs"}, {"deu_Latn", "de"},     {"ell_Grek", "el"}, {"fra_Latn", "fr"},
        {"heb_Hebr", "he"}, {"hin_Deva", "hi"}, {"ind_Latn", "id"},     {"ita_Latn", "it"}, {"jpn_Jpan", "ja"},
        {"kor_Hang", "ko"}, {"nld_Latn", "nl"}, {"pes_Arab", "fa"},     {"pol_Latn", "pl"}, {"por_Latn", "pt"},
        {"ron_Latn", "ro"}, {"rus_Cyrl", "ru"}, {"spa_Latn", "es"},     {"tur_Latn", "tr"}, {"ukr_Cyrl", "uk"},
        {"vie_Latn", "vi"}, {"zho_Hans", "zh"}, {"zho_Hant", "zh-hant"}};
    for (const auto& [name, code] : rows) EXPECT_EQ(canonical_language(name), code) << name;
}

// FLORES-200 and Belebele have these beside the usual script; the usual ones are CLDR 49's likely subtags.
TEST(Language, AnUnusualScriptMakesALanguageOfItsOwn) {
    const std::pair<const char*, const char*> rows[] = {{"hin_Latn", "hi-latn"},   {"urd_Latn", "ur-latn"},
                                                        {"ben_Latn", "bn-latn"},   {"npi_Latn", "ne-latn"},
                                                        {"sin_Latn", "si-latn"},   {"arb_Latn", "ar-latn"},
                                                        {"hi-Latn-IN", "hi-latn"}, {"HIN_LATN", "hi-latn"},
                                                        {"sr-Latn", "sr-latn"},    {"uz-Cyrl-UZ", "uz-cyrl"},
                                                        {"jpn_Latn", "ja-latn"},   {"kor_Latn", "ko-latn"},
                                                        {"zho_Latn", "zh-latn"},   {"pa-PK", "pa-arab"},
                                                        {"sr-ME", "sr-latn"},      {"hin_Deva", "hi"},
                                                        {"urd_Arab", "ur"},        {"ben_Beng", "bn"},
                                                        {"sr_Cyrl", "sr"},         {"kor_Kore", "ko"},
                                                        {"jpn_Hrkt", "ja"},        {"zh-SG", "zh"}};
    for (const auto& [name, code] : rows) EXPECT_EQ(canonical_language(name), code) << name;
}

TEST(Language, NamesOfAnyShapeAreKeptApartAndSafe) {
    EXPECT_EQ(canonical_language("-"), "-");
    EXPECT_EQ(canonical_language("en-"), "en-");
    EXPECT_EQ(canonical_language("en--US"), "en");
    EXPECT_EQ(parse_language("pt-BR").full(), "pt-br");
    EXPECT_EQ(parse_language("zh-Hant-HK").full(), "zh-hant-hk");
    EXPECT_EQ(parse_language("pt_BR.UTF-8@x/y").full(), "pt-br.utf-8.x.y");
    EXPECT_EQ(parse_language("de-DE-1996").full(), "de-de-1996");
    EXPECT_TRUE(is_known_language("zh-CN"));
    for (const char* name : {"url", "sum", "", "-", "foo-bar"}) EXPECT_FALSE(is_known_language(name)) << name;
}

LanguageNames names_of(const std::vector<std::string>& names) {
    LanguageNames result;
    for (const std::string& name : names) result.add(name);
    return result;
}

TEST(LanguageNames, TwoRegionsOfOneInputStayApart) {
    const LanguageNames both = names_of({"pt-BR", "pt_PT", "por", "ko-KR"});
    EXPECT_EQ(both.of("pt-BR"), "pt-br");
    EXPECT_EQ(both.of("pt_PT"), "pt-pt");
    EXPECT_EQ(both.of("por"), "pt");
    EXPECT_EQ(both.of("ko-KR"), "ko");
    EXPECT_EQ(both.languages(), (std::vector<std::string>{"ko", "pt", "pt-br", "pt-pt"}));
    EXPECT_TRUE(both.merged().empty());
    EXPECT_EQ(names_of({"pt-BR"}).of("pt-BR"), "pt");
    EXPECT_EQ(names_of({"pt-BR", "pt"}).of("pt-BR"), "pt");
    EXPECT_EQ(names_of({"zh-TW", "zh-HK"}).of("zh-HK"), "zh-hant-hk");
    EXPECT_EQ(names_of({"zh-TW", "zh-CN"}).of("zh-TW"), "zh-hant");
}

TEST(LanguageNames, AskedForWithARegionOrWithout) {
    const LanguageNames both = names_of({"pt-BR", "pt-PT", "pt"});
    for (const char* name : {"pt-BR", "pt-PT", "pt"}) EXPECT_TRUE(both.means("por_Latn", name)) << name;
    EXPECT_TRUE(both.means("pt_br", "pt-BR"));
    EXPECT_FALSE(both.means("pt-BR", "pt-PT"));
    EXPECT_FALSE(both.means("pt-BR", "pt"));
    EXPECT_TRUE(names_of({"zho_Hans"}).means("zh-CN", "zho_Hans"));
    EXPECT_FALSE(names_of({"pt-PT"}).means("pt-BR", "pt-PT"));
    EXPECT_FALSE(names_of({"hin_Deva", "hin_Latn"}).means("hin_Latn", "hin_Deva"));
    EXPECT_FALSE(names_of({"hin_Deva", "hin_Latn"}).means("hi", "hin_Latn"));
}

TEST(LanguageNames, SaysWhichNamesBecameOne) {
    LanguageNames names = names_of({"kor_Hang", "en", "eng_Latn", "English"});
    names.add("ko", 3);
    EXPECT_EQ(names.merged(), (std::vector<std::string>{"English (1 row), en (1 row) and eng_Latn (1 row) are all read as 'en'",
                                                        "ko (3 rows) and kor_Hang (1 row) are both read as 'ko'"}));
}

TEST(Language, UnknownNamesStay) {
    EXPECT_EQ(canonical_language("Klingon"), "klingon");
    EXPECT_EQ(canonical_language("ary_Arab"), "ary_arab");  // a dialect with a code of its own is not standard Arabic
    EXPECT_EQ(canonical_language(""), "");
}

}  // namespace
}  // namespace xlrm
