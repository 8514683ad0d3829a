#include "function_words.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <unordered_map>

#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

struct Entry {
    const char* code;
    const char* words;
};

constexpr std::array kTable = {
    Entry{"en",
          "the of and to in is was that for it with as on be at by this had are but from they which or an were "
          "there been has have not you your we can if will would what when who he she his her do does i"},
    Entry{"es",
          "el la los las de del y que en un una unos unas es por con para se no al lo su sus como más pero este "
          "esta estos estas son fue ha o si sin sobre muy también ya entre cuando todo ser está hay le les me "
          "mi qué él"},
    Entry{"it",
          "il lo la i gli le di del della dei degli delle dello e che in un una uno è per con non si al alla ai "
          "alle da dal dalla nel nella nei nelle su sul sulla come più ma questo questa questi sono era ha o se "
          "anche suo sua loro ci ed cui quando essere"},
    Entry{"fr",
          "le la les de des du et que en un une est pour avec dans sur ne pas ce cette ces il elle ils elles au "
          "aux par qui sont a été se son sa ses plus ou mais leur nous vous je on être l d qu c n s"},
    Entry{"de",
          "der die das den dem des und ist in ein eine einer eines einem einen zu von mit für auf nicht sich es "
          "im am an auch als aus bei nach wie oder aber er sie wir ich hat war sind wird werden wurde kann so "
          "dass nur noch um über"},
    Entry{"pt",
          "o a os as de do da dos das e que em um uma no na nos nas por com para se não ao à aos é foi são ou "
          "mais mas como este esta ele ela seu sua seus suas pelo pela já também quando muito está ser tem isso "
          "eu você"},
    Entry{"ca",
          "el la els les de del dels i que en un una és per amb no es al als com més però aquest aquesta són va "
          "ha o si sense sobre molt també entre quan tot ser hi li seva seu seus pel on l d"},
    Entry{"gl",
          "o a os as de do da dos das e que en un unha é por con para se non ao á aos como máis pero este esta "
          "son foi ou polo pola no na nos nas seu súa moi tamén cando todo ser está hai lle"},
    Entry{"nl",
          "de het een van en in is dat op te voor met zijn niet aan er die om ook als bij of maar door over uit "
          "naar hij zij ze we ik je wordt werd was heeft hebben kan dan deze dit nog wel had"},
    Entry{"id",
          "bisa karena bahwa namun yaitu sebuah setelah saat kalau uang sedangkan maupun tapi berbeda dimana yang dan di ke dari "
          "untuk dengan pada ini itu adalah dalam tidak akan oleh sebagai ada juga atau "
          "karena telah dapat bisa saya mereka kami kita anda dia ia para lebih sudah tersebut secara bahwa "
          "seperti"},
    Entry{"ms",
          "boleh kerana bahawa ialah iaitu selepas sahaja wang manakala awak hendak sesebuah berbeza cuma mahu yang dan di ke "
          "dari untuk dengan pada ini itu adalah dalam tidak akan oleh sebagai ada juga atau "
          "kerana telah dapat boleh saya mereka kami kita anda dia ia para lebih sudah tersebut secara bahawa "
          "seperti ialah"},
    Entry{"sw",
          "ya wa na kwa ni katika za la cha kuwa hii hiyo yake wake kama lakini pia au hakuna sana watu mtu vya "
          "ambayo ambao kutoka baada yao hivyo si"},
    Entry{"tr",
          "ve bir bu için ile de da çok olarak daha en gibi ne kadar ama sonra olan var değil o ben sen onun "
          "her ise mi mı veya ya ki"},
    Entry{"sv",
          "och att det som en på är av för med den till inte har de ett om var jag han hon men kan så från "
          "eller när vi du sig sin"},
    Entry{"da",
          "og at det som en på er af for med den til ikke har de et om var jeg han hun men kan så fra eller når "
          "vi du sig sin der"},
    Entry{"no",
          "og at det som en på er av for med den til ikke har de et om var jeg han hun men kan så fra eller når "
          "vi du seg sin"},
    Entry{"pl",
          "i w na z do nie się jest to że o jak ale po co tak za od być przez dla już czy może tylko są był "
          "która który"},
    Entry{"ro",
          "și de la în o un nu este cu pe să din care mai pentru ce sunt a fi ca dar sau al ale lui prin după "
          "fost"},
    Entry{"vi", "và của là có không được trong một cho với những các đã này người khi để đến từ như về tôi"},
    Entry{"et", "ja on ei et see ta oli kui ka ning aga oma mis kes või ma sa nad tema selle juba siis"},
    Entry{"fi", "ja on ei että se oli hän kun myös mutta jos joka mitä tämä ovat olen kuin sen niin tai"},
    Entry{"hu", "a az és hogy nem is egy ez volt meg de csak már van ha mint vagy ezt azt"},
    Entry{"cs", "a je se na v že to s z o i do jako ale za by si po tak pro jsem není být který"},
};
constexpr std::int64_t kLeast = 3, kLead = 2;

// Bit i = the i-th language of the table.
const std::unordered_map<std::string, std::uint32_t>& languages_of_words() {
    static const auto table = [] {
        static_assert(kTable.size() <= 32);
        std::unordered_map<std::string, std::uint32_t> result;
        for (std::size_t i = 0; i < kTable.size(); ++i) {
            std::istringstream words(kTable[i].words);
            for (std::string word; words >> word;) result[word] |= std::uint32_t{1} << i;
        }
        return result;
    }();
    return table;
}

}  // namespace

FunctionWordCounts::FunctionWordCounts(std::string_view text) : counts_(kTable.size()) {
    std::string word;
    const auto close = [&] {
        const auto found = languages_of_words().find(word);
        word.clear();
        if (found == languages_of_words().end()) return;
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += (found->second >> i) & 1U;
    };
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = next_code_point(text, at);
        if (is_letter(c))
            append_utf8(word, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
        else if (!word.empty())
            close();
    }
    close();
}

bool FunctionWordCounts::knows(std::string_view code) {
    return std::ranges::any_of(kTable, [&](const Entry& entry) { return code == entry.code; });
}

std::int64_t FunctionWordCounts::of(std::string_view code) const {
    for (std::size_t i = 0; i < counts_.size(); ++i)
        if (code == kTable[i].code) return counts_[i];
    return 0;
}

std::int64_t FunctionWordCounts::most() const { return *std::ranges::max_element(counts_); }

std::string FunctionWordCounts::clear_winner() const {
    const auto best = std::ranges::max_element(counts_);
    std::int64_t second = 0;
    for (auto count = counts_.begin(); count != counts_.end(); ++count)
        if (count != best) second = std::max(second, *count);
    const bool clear = *best >= kLeast && *best >= second + kLead && 2 * *best >= 3 * second;
    return clear ? kTable[static_cast<std::size_t>(best - counts_.begin())].code : "";
}

}  // namespace xlrm
