#include "lexicon.hpp"

namespace xlrm::world {
namespace {

constexpr Sentences kSentences[] = {
    {"kind",
     {{{"What is {}?", "¿Qué es {}?", "Che cos'è {}?", "그럼 {}은/는 무엇입니까?", "{}是什么？"},
       {"To which group does {} belong?", "¿A qué grupo pertenece {}?", "A quale gruppo appartiene {}?",
        "그럼 {}은/는 어느 종류에 속합니까?", "{}属于哪一类？"}}},
     {{{"It is {}.", "Es {}.", "È {}.", "그것은 {}입니다.", "它属于{}。"},
       {"We say that it is {}.", "Decimos que es {}.", "Diciamo che è {}.", "그것은 {}이라고/라고 합니다.", "我们说它是{}。"}}}},
    {"place",
     {{{"Where do you find {}?", "¿Dónde se encuentra {}?", "Dove si trova {}?", "그럼 {}은/는 어디에 있습니까?", "{}在哪里？"},
       {"Where is {} usually?", "¿Dónde está normalmente {}?", "Dove sta di solito {}?", "그럼 {}은/는 보통 어디에 있습니까?",
        "{}通常在哪里？"}}},
     {{{"Look {}.", "Busca {}.", "Cerca {}.", "아마 {} 있습니다.", "去{}找。"},
       {"Usually {}.", "Normalmente {}.", "Di solito {}.", "보통 {} 있습니다.", "通常在{}。"}}}},
    {"use",
     {{{"What is {} for?", "¿Para qué sirve {}?", "A che cosa serve {}?", "그럼 {}은/는 무엇에 씁니까?", "{}有什么用？"},
       {"What do people use {} for?", "¿Para qué se usa {}?", "Per che cosa si usa {}?", "사람들은 {}을/를 무엇에 씁니까?",
        "人们用{}做什么？"}}},
     {{{"It is for {}.", "Sirve para {}.", "Serve per {}.", "그것은 {} 데 씁니다.", "它用来{}。"},
       {"People use it for {}.", "Se usa para {}.", "Si usa per {}.", "사람들은 그것을 {} 데 씁니다.", "人们用它来{}。"}}}},
};

}  // namespace

std::span<const Sentences> sentences() { return kSentences; }

const Words kThatIsRight{"That is right.", "Eso es cierto.", "È giusto.", "맞습니다.", "对。"};
const Words kThatIsWrong{"That is wrong.", "Eso es falso.", "È sbagliato.", "틀렸습니다.", "不对。"};

}  // namespace xlrm::world
