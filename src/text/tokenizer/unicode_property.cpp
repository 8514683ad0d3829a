#include "unicode_property.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace xlrm {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr Pair kNames[] = {{"letter", "L"},
                           {"uppercaseletter", "Lu"},
                           {"lowercaseletter", "Ll"},
                           {"titlecaseletter", "Lt"},
                           {"modifierletter", "Lm"},
                           {"otherletter", "Lo"},
                           {"mark", "M"},
                           {"combiningmark", "M"},
                           {"nonspacingmark", "Mn"},
                           {"spacingmark", "Mc"},
                           {"enclosingmark", "Me"},
                           {"number", "N"},
                           {"decimalnumber", "Nd"},
                           {"letternumber", "Nl"},
                           {"othernumber", "No"},
                           {"punctuation", "P"},
                           {"connectorpunctuation", "Pc"},
                           {"dashpunctuation", "Pd"},
                           {"openpunctuation", "Ps"},
                           {"closepunctuation", "Pe"},
                           {"initialpunctuation", "Pi"},
                           {"finalpunctuation", "Pf"},
                           {"otherpunctuation", "Po"},
                           {"symbol", "S"},
                           {"mathsymbol", "Sm"},
                           {"currencysymbol", "Sc"},
                           {"modifiersymbol", "Sk"},
                           {"othersymbol", "So"},
                           {"separator", "Z"},
                           {"spaceseparator", "Zs"},
                           {"lineseparator", "Zl"},
                           {"paragraphseparator", "Zp"},
                           {"other", "C"},
                           {"control", "Cc"},
                           {"format", "Cf"},
                           {"surrogate", "Cs"},
                           {"privateuse", "Co"},
                           {"unassigned", "Cn"},
                           {"alpha", "Alphabetic"},
                           {"alphabetic", "Alphabetic"},
                           {"upper", "Uppercase"},
                           {"uppercase", "Uppercase"},
                           {"lower", "Lowercase"},
                           {"lowercase", "Lowercase"},
                           {"space", "White_Space"},
                           {"whitespace", "White_Space"},
                           {"digit", "Nd"},
                           {"any", "Any"},
                           {"assigned", "^Cn"},
                           {"ideographic", "Ideographic"},
                           {"emoji", "Emoji"},
                           {"emojipresentation", "Emoji_Presentation"},
                           {"emojimodifier", "Emoji_Modifier"},
                           {"emojimodifierbase", "Emoji_Modifier_Base"},
                           {"extendedpictographic", "Extended_Pictographic"},
                           {"joincontrol", "Join_Control"},
                           {"variationselector", "Variation_Selector"},
                           {"regionalindicator", "Regional_Indicator"},
                           {"xidstart", "XID_Start"},
                           {"xidcontinue", "XID_Continue"},
                           {"idstart", "ID_Start"},
                           {"idcontinue", "ID_Continue"}};

constexpr std::string_view kCategories[] = {"l",  "lu", "ll", "lt", "lm", "lo", "m",  "mn", "mc", "me", "n",  "nd", "nl",
                                            "no", "p",  "pc", "pd", "ps", "pe", "pi", "pf", "po", "s",  "sm", "sc", "sk",
                                            "so", "z",  "zs", "zl", "zp", "c",  "cc", "cf", "cs", "co", "cn"};

}  // namespace

std::string pcre2_property(const std::string& name) {
    std::string plain;
    for (const char c : name) {
        if (c == ' ' || c == '_' || c == '-') continue;
        plain.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    if (std::find(std::begin(kCategories), std::end(kCategories), plain) != std::end(kCategories)) {
        plain[0] = static_cast<char>(plain[0] - 'a' + 'A');
        return plain;
    }
    const auto found = std::find_if(std::begin(kNames), std::end(kNames), [&](const Pair& pair) { return pair.first == plain; });
    return found == std::end(kNames) ? "sc:" + name : std::string(found->second);
}

}  // namespace xlrm
