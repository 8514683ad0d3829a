#pragma once

#include <string>
#include <string_view>

namespace xlrm {

//! ISO 639-1 code of a language name as data sets write it: "ko", "kor_Hang", "kor", "Korean", "zh-CN", "zho_Hans",
//! "spa_Latn", "es-ES". Traditional Chinese (zho_Hant, zh-TW, zh-HK) is "zh-hant". Names that are not known come back
//! lower-cased as they are, so that no row is lost.
std::string canonical_language(std::string_view name);

}  // namespace xlrm
