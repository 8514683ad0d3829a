#include "xlrm/core/language.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace xlrm {

namespace {

struct Language {
    const char* iso1;
    const char* iso3;    //!< ISO 639-3, and other codes in use, separated by blanks
    const char* english; //!< lower case
};

//! FLORES-200 codes are <iso 639-3>_<script> and locales <iso 639-1>-<country>, so the part before the mark decides; only Chinese
//! is written in two scripts by the same data set (M-RewardBench).
constexpr std::array kLanguages = {
    Language{"af", "afr", "afrikaans"},   Language{"am", "amh", "amharic"},    Language{"ar", "ara arb", "arabic"},
    Language{"bg", "bul", "bulgarian"},   Language{"bn", "ben", "bengali"},    Language{"ca", "cat", "catalan"},
    Language{"cs", "ces cze", "czech"},   Language{"da", "dan", "danish"},     Language{"de", "deu ger", "german"},
    Language{"el", "ell gre", "greek"},   Language{"en", "eng", "english"},    Language{"es", "spa", "spanish"},
    Language{"et", "est ekk", "estonian"}, Language{"eu", "eus baq", "basque"}, Language{"fa", "fas pes per", "persian"},
    Language{"fi", "fin", "finnish"},     Language{"fr", "fra fre", "french"}, Language{"ga", "gle", "irish"},
    Language{"gl", "glg", "galician"},    Language{"gu", "guj", "gujarati"},   Language{"ha", "hau", "hausa"},
    Language{"he", "heb iw", "hebrew"},   Language{"hi", "hin", "hindi"},      Language{"hr", "hrv", "croatian"},
    Language{"ht", "hat", "haitian creole"}, Language{"hu", "hun", "hungarian"}, Language{"hy", "hye arm", "armenian"},
    Language{"id", "ind in", "indonesian"}, Language{"ig", "ibo", "igbo"},     Language{"is", "isl ice", "icelandic"},
    Language{"it", "ita", "italian"},     Language{"ja", "jpn jp", "japanese"}, Language{"jv", "jav", "javanese"},
    Language{"ka", "kat geo", "georgian"}, Language{"kk", "kaz", "kazakh"},    Language{"km", "khm", "khmer"},
    Language{"kn", "kan", "kannada"},     Language{"ko", "kor kr", "korean"},  Language{"lo", "lao", "lao"},
    Language{"lt", "lit", "lithuanian"},  Language{"lv", "lav lvs", "latvian"}, Language{"mk", "mkd mac", "macedonian"},
    Language{"ml", "mal", "malayalam"},   Language{"mn", "mon khk", "mongolian"}, Language{"mr", "mar", "marathi"},
    Language{"ms", "msa zsm may", "malay"}, Language{"my", "mya bur", "burmese"}, Language{"ne", "nep npi", "nepali"},
    Language{"nl", "nld dut", "dutch"},   Language{"nn", "nno", "norwegian nynorsk"},
    Language{"no", "nor nob nb", "norwegian"}, Language{"pa", "pan", "punjabi"},
    Language{"pl", "pol", "polish"},      Language{"pt", "por", "portuguese"}, Language{"qu", "que quy", "quechua"},
    Language{"ro", "ron rum", "romanian"}, Language{"ru", "rus", "russian"},   Language{"si", "sin", "sinhala"},
    Language{"sk", "slk slo", "slovak"},  Language{"sl", "slv", "slovenian"},  Language{"so", "som", "somali"},
    Language{"sq", "sqi als alb", "albanian"}, Language{"sr", "srp", "serbian"}, Language{"sv", "swe", "swedish"},
    Language{"sw", "swa swh", "swahili"}, Language{"ta", "tam", "tamil"},      Language{"te", "tel", "telugu"},
    Language{"th", "tha", "thai"},        Language{"tl", "tgl fil", "tagalog"}, Language{"tr", "tur", "turkish"},
    Language{"uk", "ukr", "ukrainian"},   Language{"ur", "urd", "urdu"},       Language{"uz", "uzb uzn", "uzbek"},
    Language{"vi", "vie", "vietnamese"},  Language{"xh", "xho", "xhosa"},      Language{"yo", "yor", "yoruba"},
    Language{"zh", "zho chi cmn", "chinese"}, Language{"zu", "zul", "zulu"},
};

const std::map<std::string, std::string, std::less<>>& aliases() {
    static const std::map<std::string, std::string, std::less<>> table = [] {
        std::map<std::string, std::string, std::less<>> map;
        for (const Language& language : kLanguages) {
            map[language.iso1] = language.iso1;
            map[language.english] = language.iso1;
            std::string code;
            for (const char* c = language.iso3;; ++c) {
                if (*c != ' ' && *c != '\0') {
                    code += *c;
                    continue;
                }
                map[code] = language.iso1;
                code.clear();
                if (*c == '\0') break;
            }
        }
        return map;
    }();
    return table;
}

}  // namespace

std::string canonical_language(std::string_view name) {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (const auto found = aliases().find(lower); found != aliases().end()) return found->second;
    const auto ends = [&](std::string_view tail) { return lower.size() > tail.size() && lower.ends_with(tail); };
    const std::string_view stem = std::string_view(lower).substr(0, lower.find_first_of("-_"));  // zh-CN, kor_Hang
    const auto found = aliases().find(stem);
    if (found == aliases().end()) return lower;
    const bool traditional = found->second == "zh" && (ends("hant") || ends("tw") || ends("hk") || ends("mo"));
    return traditional ? "zh-hant" : found->second;
}

}  // namespace xlrm
