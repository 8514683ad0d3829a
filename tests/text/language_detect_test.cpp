#include "xlrm/text/language_detect.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "function_words.hpp"
#include "language_letters.hpp"
#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

TEST(LanguageDetect, LettersTellKoreanJapaneseAndChinese) {
    const auto of = [](std::string_view text) { return language_of_letters(count_letters(text)); };
    EXPECT_EQ(of("서울은 대한민국의 수도이다"), "ko");
    EXPECT_EQ(of("San Gabriel Valley 근처에 있는 캠퍼스입니다"), "ko");
    EXPECT_EQ(of("東京は日本の首都です"), "ja");
    EXPECT_EQ(of("コンピューター"), "ja");
    EXPECT_EQ(of("北京是中国的首都"), "zh");
    EXPECT_EQ(of("使用 for 循环来遍历数组"), "zh");
    EXPECT_EQ(of("A sentence that cites the word 한국 only once"), "");
    EXPECT_EQ(of("plain English"), "");
    EXPECT_EQ(of("123 ... !?"), "");
    const LetterCounts letters = count_letters("aé1 가ㄱ あア 漢𠀀 ñ");
    EXPECT_EQ(letters.hangul, 2);
    EXPECT_EQ(letters.kana, 2);
    EXPECT_EQ(letters.han, 2);
    EXPECT_EQ(letters.others, 3);
}

TEST(LanguageDetect, FunctionWordsAreCountedByLanguage) {
    const FunctionWordCounts words("La instrucción que le pasas AL método, y él: «Esta»");
    EXPECT_EQ(words.of("es"), 7);  // la que le al y él esta
    EXPECT_EQ(words.of("it"), 3);  // la le al
    EXPECT_EQ(words.of("xx"), 0);
    EXPECT_TRUE(FunctionWordCounts::knows("es"));
    EXPECT_FALSE(FunctionWordCounts::knows("ja"));
    EXPECT_EQ(FunctionWordCounts("the cat of the house").clear_winner(), "en");
    EXPECT_EQ(FunctionWordCounts("the cat").clear_winner(), "");
    EXPECT_EQ(FunctionWordCounts("de la en un que").clear_winner(), "");  // of several languages
    EXPECT_EQ(FunctionWordCounts("").most(), 0);
}

TEST(LanguageDetect, NamesTheLanguageOfAText) {
    if (!can_detect_language()) {
        expect_error([] { detect_language("text"); }, {"without CLD2", "libcld2-dev"});
        return;
    }
    const std::map<std::string, std::string> texts = {
        {"en", "The capital of the country is a city with many old streets, and its people like to walk there in the evening."},
        {"es",
         "La capital del país es una ciudad con muchas calles antiguas, y a su gente le gusta pasear por ellas por la tarde."},
        {"it", "La capitale del paese è una città con molte strade antiche, e alla sua gente piace passeggiare la sera."},
        {"de",
         "Die Hauptstadt des Landes ist eine Stadt mit vielen alten Straßen, und die Leute gehen dort abends gern spazieren."},
        {"fr", "La capitale du pays est une ville aux nombreuses rues anciennes, et ses habitants aiment s'y promener le soir."},
        {"ru", "Столица страны — город со множеством старых улиц, и люди любят гулять там вечером."},
        {"ko", "나라의 수도는 오래된 거리가 많은 도시이고, 사람들은 저녁에 그곳을 걷는 것을 좋아한다."},
        {"zh", "这个国家的首都是一座有许多古老街道的城市，人们喜欢晚上在那里散步。"},
        {"zh-hant", "這個國家的首都是一座有許多古老街道的城市，人們喜歡晚上在那裡散步。"},
        {"ja", "この国の首都は古い通りが多い町で、人々は夕方そこを歩くのが好きです。"},
        {"id",
         "Ibu kota negara itu adalah kota dengan banyak jalan tua, dan orang-orang bisa berjalan di sana karena udaranya segar."},
        {"gl", "A capital do país é unha cidade con moitas rúas antigas, e á súa xente gústalle pasear por elas pola tarde."},
        {"pt", "A capital do país é uma cidade com muitas ruas antigas, e as pessoas gostam de passear por elas à tarde."},
        {"he", "בירת המדינה היא עיר עם הרבה רחובות עתיקים, ואנשיה אוהבים לטייל בהם בערב."},
        {"hi", "देश की राजधानी कई पुरानी सड़कों वाला शहर है, और लोग शाम को वहाँ टहलना पसंद करते हैं।"},
    };
    for (const auto& [lang, text] : texts) EXPECT_EQ(detect_language(text), lang) << text;
}

TEST(LanguageDetect, IsUnsureWhereATextSaysTooLittle) {
    if (!can_detect_language()) GTEST_SKIP() << "built without CLD2";
    for (const std::string text : {"", "   \n", "12345 + 67890 = ?", "[[A]]", "😀😀😀", "\xFF\xFE", "xq zt"})
        EXPECT_EQ(detect_language(text), kUnsureLanguage) << text;
    EXPECT_EQ(detect_language("예"), "ko");
    EXPECT_EQ(detect_language("是"), "zh");
    // Longer than what is looked at, cut within a character.
    std::string text = "x";
    while (text.size() < (std::size_t{1} << 20U) + 10) text += "la capitale du pays est une ville aux rues é ";
    EXPECT_EQ(detect_language(text), "fr");
    // The bytes decide alone: the same again.
    EXPECT_EQ(detect_language(text), detect_language(text));
}

// Limits a little above what was measured (jobs/language_detection.md), on sentences of a journalist's length.
TEST(LanguageDetect, ErrsOnFewSentencesOfFlores) {
    if (!can_detect_language()) GTEST_SKIP() << "built without CLD2";
    const auto path = test::shared_data() / "parallel" / "sib200_flores.jsonl.gz";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
    struct Counts {
        int texts = 0, wrong = 0, unsure = 0;
    };
    std::map<std::string, Counts> counts;
    for_each_line(path, [&](std::int64_t number, std::string_view line) {
        if (number > 400) return;
        const Json row = Json::parse(line);
        for (const auto& [lang, text] : row.items()) {
            if (lang == "key") continue;
            Counts& count = counts[lang];
            ++count.texts;
            const std::string code = detect_language(text.get<std::string>());
            if (code == kUnsureLanguage)
                ++count.unsure;
            else if (code != lang)
                ++count.wrong;
        }
    });
    ASSERT_GE(counts.size(), 17U);
    for (const auto& [lang, count] : counts) {
        EXPECT_LE(count.wrong, 0.01 * count.texts) << lang;
        EXPECT_LE(count.unsure, (lang == "id" ? 0.10 : 0.05) * count.texts) << lang;
    }
}

}  // namespace
}  // namespace xlrm
