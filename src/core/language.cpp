#include "xlrm/core/language.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace xlrm {

namespace {

struct Language {
    const char* iso1;
    const char* iso3;              //!< ISO 639-3, and other codes in use, separated by blanks
    const char* english;           //!< lower case
    const char* scripts = "Latn";  //!< ISO 15924, in which it is usually written
};

//! Usual scripts: the likely subtags of CLDR 49 (common/supplemental/likelySubtags.xml), and Hang, Hrkt and Hani, which name the
//! same writing as Kore, Jpan and Hans do.
constexpr std::array kLanguages = {
    Language{"af", "afr", "afrikaans"},
    Language{"am", "amh", "amharic", "Ethi"},
    Language{"ar", "ara arb", "arabic", "Arab"},
    Language{"bg", "bul", "bulgarian", "Cyrl"},
    Language{"bn", "ben", "bengali", "Beng"},
    Language{"ca", "cat", "catalan"},
    Language{"cs", "ces cze", "czech"},
    Language{"da", "dan", "danish"},
    Language{"de", "deu ger", "german"},
    Language{"el", "ell gre", "greek", "Grek"},
    Language{"en", "eng", "english"},
    Language{"es", "spa", "spanish"},
    Language{"et", "est ekk", "estonian"},
    Language{"eu", "eus baq", "basque"},
    Language{"fa", "fas pes per", "persian", "Arab"},
    Language{"fi", "fin", "finnish"},
    Language{"fr", "fra fre", "french"},
    Language{"ga", "gle", "irish"},
    Language{"gl", "glg", "galician"},
    Language{"gu", "guj", "gujarati", "Gujr"},
    Language{"ha", "hau", "hausa"},
    Language{"he", "heb iw", "hebrew", "Hebr"},
    Language{"hi", "hin", "hindi", "Deva"},
    Language{"hr", "hrv", "croatian"},
    Language{"ht", "hat", "haitian creole"},
    Language{"hu", "hun", "hungarian"},
    Language{"hy", "hye arm", "armenian", "Armn"},
    Language{"id", "ind in", "indonesian"},
    Language{"ig", "ibo", "igbo"},
    Language{"is", "isl ice", "icelandic"},
    Language{"it", "ita", "italian"},
    Language{"ja", "jpn jp", "japanese", "Jpan Hrkt"},
    Language{"jv", "jav", "javanese"},
    Language{"ka", "kat geo", "georgian", "Geor"},
    Language{"kk", "kaz", "kazakh", "Cyrl"},
    Language{"km", "khm", "khmer", "Khmr"},
    Language{"kn", "kan", "kannada", "Knda"},
    Language{"ko", "kor kr", "korean", "Kore Hang"},
    Language{"lo", "lao", "lao", "Laoo"},
    Language{"lt", "lit", "lithuanian"},
    Language{"lv", "lav lvs", "latvian"},
    Language{"mk", "mkd mac", "macedonian", "Cyrl"},
    Language{"ml", "mal", "malayalam", "Mlym"},
    Language{"mn", "mon khk", "mongolian", "Cyrl"},
    Language{"mr", "mar", "marathi", "Deva"},
    Language{"ms", "msa zsm may", "malay"},
    Language{"my", "mya bur", "burmese", "Mymr"},
    Language{"ne", "nep npi", "nepali", "Deva"},
    Language{"nl", "nld dut", "dutch"},
    Language{"nn", "nno", "norwegian nynorsk"},
    Language{"no", "nor nob nb", "norwegian"},
    Language{"pa", "pan", "punjabi", "Guru"},
    Language{"pl", "pol", "polish"},
    Language{"pt", "por", "portuguese"},
    Language{"qu", "que quy", "quechua"},
    Language{"ro", "ron rum", "romanian"},
    Language{"ru", "rus", "russian", "Cyrl"},
    Language{"si", "sin", "sinhala", "Sinh"},
    Language{"sk", "slk slo", "slovak"},
    Language{"sl", "slv", "slovenian"},
    Language{"so", "som", "somali"},
    Language{"sq", "sqi als alb", "albanian"},
    Language{"sr", "srp", "serbian", "Cyrl"},
    Language{"sv", "swe", "swedish"},
    Language{"sw", "swa swh", "swahili"},
    Language{"ta", "tam", "tamil", "Taml"},
    Language{"te", "tel", "telugu", "Telu"},
    Language{"th", "tha", "thai", "Thai"},
    Language{"tl", "tgl fil", "tagalog"},
    Language{"tr", "tur", "turkish"},
    Language{"uk", "ukr", "ukrainian", "Cyrl"},
    Language{"ur", "urd", "urdu", "Arab"},
    Language{"uz", "uzb uzn", "uzbek"},
    Language{"vi", "vie", "vietnamese"},
    Language{"xh", "xho", "xhosa"},
    Language{"yo", "yor", "yoruba"},
    Language{"zh", "zho chi cmn", "chinese", "Hans Hani"},
    Language{"zu", "zul", "zulu"},
};

//! Regions in which a language is written otherwise (CLDR 49). Of Chinese those whose data sets say so by the region alone.
struct Exception {
    const char *iso1, *region, *script;
};
constexpr std::array kExceptions = {
    Exception{"ha", "cm", "arab"}, Exception{"ha", "sd", "arab"}, Exception{"kk", "af", "arab"}, Exception{"kk", "cn", "arab"},
    Exception{"kk", "ir", "arab"}, Exception{"kk", "mn", "arab"}, Exception{"mn", "cn", "mong"}, Exception{"ms", "cc", "arab"},
    Exception{"pa", "pk", "arab"}, Exception{"sr", "me", "latn"}, Exception{"sr", "ro", "latn"}, Exception{"sr", "tr", "latn"},
    Exception{"uz", "af", "arab"}, Exception{"uz", "cn", "cyrl"}, Exception{"zh", "hk", "hant"}, Exception{"zh", "mo", "hant"},
    Exception{"zh", "tw", "hant"},
};

//! Other languages of CLDR 49 (its locales), known as such and not by other names.
constexpr std::string_view kOthers =
    "aa ab ady agq ak an ann apc arn ary as asa ast az ba bal bas be bem bew bez bgc bgn bho blo blt bm bo bqi br brh brx bs "
    "bss bua byn cad cch ccp ce ceb cgg cho chr cic ckb co cop csw cu cv cy dav dje doi dsb dua dv dyo dz ebu ee eo ewo ff "
    "fo frr fur fy gaa gd gez gn gsw guz gv haw hnj hrx hsb ia ie ii io isv iu jbo jgo jmc kaa kab kaj kam kbd kcg kde kea "
    "kek ken kgp khq ki kkj kl kln kok kpe ks ksb ksf ksh ku kw kxv ky la lag lb lg lij lkt lld lmo ln lrc ltg lu luo luy "
    "lzz mai mas mdf mer mfe mg mgh mgo mhn mi mic mni moh mrh mt mua mus mww myv mzn naq nd nds nmg nnh nqo nr nso nus nv "
    "ny nyn oc oka om or os osa pap pcm pi pis pms prg ps quc raj rhg rif rm rn rof rw rwk sa sah saq sat sbp sc scn sd sdh "
    "se seh ses sg sgs shi shn sid skr sma smj smn sms sn ss ssy st su sus suz syr szl teo tg ti tig tk tn to tok tpi trv "
    "trw ts tt twq tyv tzm ug vai ve vec vmw vo vun wa wae wal wbp wo xdq xnr xog yav yi yrl yue za zgh";

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

//! Calls `use(part)` for each part of `text` between characters of `separators`.
template <class Use>
void for_each_part(std::string_view text, const char* separators, const Use& use) {
    while (true) {
        const std::size_t end = std::min(text.find_first_of(separators), text.size());
        use(text.substr(0, end));
        if (end == text.size()) return;
        text.remove_prefix(end + 1);
    }
}

const std::map<std::string, const Language*, std::less<>>& aliases() {
    static const std::map<std::string, const Language*, std::less<>> table = [] {
        std::map<std::string, const Language*, std::less<>> map;
        for (const Language& language : kLanguages) {
            map[language.iso1] = &language;
            map[language.english] = &language;
            for_each_part(language.iso3, " ", [&](std::string_view code) { map[std::string(code)] = &language; });
        }
        return map;
    }();
    return table;
}

bool is_script(std::string_view part) {
    return part.size() == 4 && std::ranges::all_of(part, [](char c) { return c >= 'a' && c <= 'z'; });
}

bool is_usual(const Language& language, std::string_view script) {
    bool usual = false;
    for_each_part(language.scripts, " ", [&](std::string_view known) { usual = usual || lower_case(known) == script; });
    return usual;
}

}  // namespace

LanguageTag parse_language(std::string_view name) {
    const std::string lower = lower_case(name);
    if (const auto found = aliases().find(lower); found != aliases().end()) return {found->second->iso1, ""};
    const std::size_t stem = std::min(lower.find_first_of("-_"), lower.size());
    const auto found = aliases().find(std::string_view(lower).substr(0, stem));
    if (found == aliases().end() || stem + 1 >= lower.size()) return {lower, ""};
    const Language& language = *found->second;
    std::string script, rest;  // what else the name says is kept with the region: two varieties stay apart
    for_each_part(std::string_view(lower).substr(stem + 1), "-_", [&](std::string_view part) {
        if (script.empty() && is_script(part))
            script = part;
        else if (!part.empty())
            rest.append(rest.empty() ? "" : "-").append(part);
    });
    std::ranges::replace_if(
        rest, [](char c) { return !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-'; }, '.');
    for (const Exception& other : kExceptions) {
        if (script.empty() && rest == other.region && language.iso1 == std::string_view(other.iso1)) script = other.script;
    }
    LanguageTag tag{language.iso1, rest};
    if (!script.empty() && !is_usual(language, script)) tag.code += "-" + script;
    return tag;
}

std::string canonical_language(std::string_view name) { return parse_language(name).code; }

bool is_known_language(std::string_view name) {
    const std::string lower = lower_case(name);
    const std::string_view stem = std::string_view(lower).substr(0, lower.find_first_of("-_"));
    bool known = aliases().contains(stem);
    for_each_part(kOthers, " ", [&](std::string_view code) { known = known || code == stem; });
    return known;
}

}  // namespace xlrm
