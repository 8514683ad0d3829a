#include "xlrm/core/language.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

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
        {"arb_Arab", "ar"}, {"ces_Latn", "cs"}, {"deu_Latn", "de"}, {"ell_Grek", "el"}, {"fra_Latn", "fr"}, {"heb_Hebr", "he"},
        {"hin_Deva", "hi"}, {"ind_Latn", "id"}, {"ita_Latn", "it"}, {"jpn_Jpan", "ja"}, {"kor_Hang", "ko"}, {"nld_Latn", "nl"},
        {"pes_Arab", "fa"}, {"pol_Latn", "pl"}, {"por_Latn", "pt"}, {"ron_Latn", "ro"}, {"rus_Cyrl", "ru"}, {"spa_Latn", "es"},
        {"tur_Latn", "tr"}, {"ukr_Cyrl", "uk"}, {"vie_Latn", "vi"}, {"zho_Hans", "zh"}, {"zho_Hant", "zh-hant"}};
    for (const auto& [name, code] : rows) EXPECT_EQ(canonical_language(name), code) << name;
}

TEST(Language, UnknownNamesStay) {
    EXPECT_EQ(canonical_language("Klingon"), "klingon");
    EXPECT_EQ(canonical_language("ary_Arab"), "ary_arab");  // a dialect with a code of its own is not standard Arabic
    EXPECT_EQ(canonical_language(""), "");
}

}  // namespace
}  // namespace xlrm
