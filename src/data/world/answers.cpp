#include "lexicon.hpp"

namespace xlrm::world {
namespace {

constexpr Answer kKinds[] = {
    {"animal", {"an animal", "un animal", "un animale", "동물", "动物"}},
    {"fruit", {"a fruit", "una fruta", "un frutto", "과일", "水果"}},
    {"vegetable", {"a vegetable", "una verdura", "una verdura", "채소", "蔬菜"}},
    {"drink", {"a drink", "una bebida", "una bevanda", "음료", "饮料"}},
    {"profession", {"a profession", "una profesión", "una professione", "직업", "职业"}},
    {"garment", {"a garment", "una prenda", "un indumento", "옷", "衣服"}},
    {"vehicle", {"a vehicle", "un vehículo", "un veicolo", "탈것", "交通工具"}},
    {"furniture", {"a piece of furniture", "un mueble", "un mobile", "가구", "家具"}},
    {"instrument", {"a musical instrument", "un instrumento musical", "uno strumento musicale", "악기", "乐器"}},
    {"flower", {"a flower", "una flor", "un fiore", "꽃", "花"}},
    {"tool", {"a tool", "una herramienta", "un attrezzo", "도구", "工具"}},
    {"utensil", {"a kitchen utensil", "un utensilio de cocina", "un utensile da cucina", "주방용품", "厨房用品"}},
};

constexpr Answer kPlaces[] = {
    {"sea", {"in the sea", "en el mar", "nel mare", "바다에", "海里"}},
    {"forest", {"in the forest", "en el bosque", "nel bosco", "숲에", "森林里"}},
    {"jungle", {"in the jungle", "en la selva", "nella giungla", "정글에", "丛林里"}},
    {"farm", {"on the farm", "en la granja", "nella fattoria", "농장에", "农场里"}},
    {"garden", {"in the garden", "en el jardín", "nel giardino", "정원에", "花园里"}},
    {"sky", {"in the sky", "en el cielo", "nel cielo", "하늘에", "天空中"}},
    {"road", {"on the road", "en la carretera", "sulla strada", "도로에", "路上"}},
    {"kitchen", {"in the kitchen", "en la cocina", "nella cucina", "부엌에", "厨房里"}},
    {"wardrobe", {"in the wardrobe", "en el armario", "nell'armadio", "옷장에", "衣柜里"}},
    {"hospital", {"in the hospital", "en el hospital", "nell'ospedale", "병원에", "医院里"}},
    {"theatre", {"in the theatre", "en el teatro", "nel teatro", "극장에", "剧院里"}},
};

// Behind "for" / "para" / "per" / "… 데 씁니다" / "用来…".
constexpr Answer kUses[] = {
    {"eat", {"eating", "comer", "mangiare", "먹는", "吃东西"}},
    {"drink", {"drinking", "beber", "bere", "마시는", "喝东西"}},
    {"wear", {"getting dressed", "vestirse", "vestirsi", "옷을 입는", "穿着打扮"}},
    {"travel", {"travelling", "viajar", "viaggiare", "여행하는", "旅行"}},
    {"music", {"making music", "hacer música", "fare musica", "음악을 연주하는", "演奏音乐"}},
    {"rest", {"resting", "descansar", "riposare", "쉬는", "休息"}},
    {"work", {"working", "trabajar", "lavorare", "일하는", "工作"}},
    {"cook", {"cooking", "cocinar", "cucinare", "요리하는", "做饭"}},
};

}  // namespace

std::span<const Answer> kinds() { return kKinds; }
std::span<const Answer> places() { return kPlaces; }
std::span<const Answer> uses() { return kUses; }

}  // namespace xlrm::world
