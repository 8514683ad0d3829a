#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace xlrm::jinja {

class Value;

//! Values lie in one another at most this deep, so that what walks through them stays on the stack.
constexpr int kMostDepth = 150;
//! A text or a list that one operation makes is at most this long.
constexpr std::size_t kMostBytes = std::size_t{1} << 28U;
constexpr std::size_t kMostElements = 1'000'000;
constexpr std::size_t kMostKeys = 10'000;

//! A name without a value. Writing it gives nothing, looking into it is an error.
struct Undefined {
    std::string name;
};

struct List {
    //! `lazy`: what Python gives as a generator: it is always true, and has no length and no elements by number.
    enum class Kind { list, tuple, lazy };
    Kind kind = Kind::list;
    std::vector<Value> items;
    int depth = 1;  //!< of the values in one another, itself included
};

//! A Python dict: keys in the order in which they were written.
struct Dict {
    std::vector<std::pair<Value, Value>> items;
    int depth = 1;
    const Value* find(const Value& key) const;
    //! Throws Error beyond kMostKeys and kMostDepth, as append does.
    void set(Value key, Value value);
    //! For a key that is not there yet.
    void append(Value key, Value value);
};

//! Named attributes: `namespace(…)`, which a template may write to, and `loop`.
struct Namespace {
    bool writable = true;
    std::vector<std::pair<std::string, Value>> items;
    int depth = 1;
    const Value* find(std::string_view name) const;
    void set(const std::string& name, Value value);
};

struct Arguments;
class Evaluation;
//! A function, a macro or a method bound to its object.
struct Callable {
    std::string name;
    std::function<Value(Evaluation&, Arguments&)> call;
    int depth = 1;  //!< with the object that a method is bound to
};

//! Text. `safe`: the filter `safe` was applied, so `+` with other text escapes the other for HTML, as markupsafe does.
struct Text {
    std::shared_ptr<const std::string> text;
    bool safe = false;
};

//! A value of the template language, with Python's meaning. Copies are cheap and share lists, dicts and text.
class Value {
public:
    Value() : data_(Undefined{}) {}
    Value(Undefined undefined) : data_(std::move(undefined)) {}
    Value(std::nullptr_t) : data_(nullptr) {}
    Value(bool value) : data_(value) {}
    Value(std::int64_t value) : data_(value) {}
    Value(double value) : data_(value) {}
    Value(std::string text, bool safe = false) : data_(Text{std::make_shared<const std::string>(std::move(text)), safe}) {}
    Value(const char*) = delete;
    Value(std::shared_ptr<List> list) : data_(std::move(list)) {}
    Value(std::shared_ptr<Dict> dict) : data_(std::move(dict)) {}
    Value(std::shared_ptr<Namespace> names) : data_(std::move(names)) {}
    Value(std::shared_ptr<Callable> function) : data_(std::move(function)) {}
    //! `level`: how deep it lies in another. Throws Error for what lies too deep, and for integers beyond 64 bits.
    static Value from_json(const nlohmann::ordered_json& json, int level = 0);
    static Value list(std::vector<Value> items, List::Kind kind = List::Kind::list);

    bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
    bool is_none() const { return std::holds_alternative<std::nullptr_t>(data_); }
    const bool* boolean() const { return std::get_if<bool>(&data_); }
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
    const double* real() const { return std::get_if<double>(&data_); }
    const Text* text() const { return std::get_if<Text>(&data_); }
    const Undefined* undefined() const { return std::get_if<Undefined>(&data_); }
    const List* list() const { return pointer<List>(); }
    const Dict* dict() const { return pointer<Dict>(); }
    Namespace* names() const { return pointer<Namespace>(); }
    const Callable* callable() const { return pointer<Callable>(); }
    //! Bool and int, as Python counts with both.
    std::optional<std::int64_t> whole() const;
    std::optional<double> number() const;
    //! "str", "dict" …, for messages.
    std::string type() const;
    bool truth() const;
    int depth() const;
    //! How much work looking through it is, in steps of about 64 bytes; `deep`: through the texts of a list too.
    std::int64_t effort(bool deep = false) const;

private:
    template <class T>
    T* pointer() const {
        const auto* held = std::get_if<std::shared_ptr<T>>(&data_);
        return held == nullptr ? nullptr : held->get();
    }
    std::variant<Undefined, std::nullptr_t, bool, std::int64_t, double, Text, std::shared_ptr<List>, std::shared_ptr<Dict>,
                 std::shared_ptr<Namespace>, std::shared_ptr<Callable>>
        data_;
};

struct Arguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;
};

bool equal(const Value& a, const Value& b);
//! a < b. Throws Error where Python does.
bool less(const Value& a, const Value& b);
//! Python's `needle in haystack`.
bool contains(const Value& haystack, const Value& needle);
//! str(value), and repr(value) for what stands inside a list. Throws Error beyond kMostBytes.
std::string to_text(const Value& value);
std::string repr(const Value& value);
//! text.find(part, from), in time that grows with the text alone.
std::size_t find_in(std::string_view text, std::string_view part, std::size_t from);
//! The elements that a loop sees: of a list, keys of a dict, characters of a text, nothing of an undefined value. Throws Error
//! beyond kMostElements.
std::vector<Value> elements(const Value& value);
//! Throws Error for what has no length.
std::int64_t length(const Value& value);

struct JsonStyle {
    bool ascii = false, sort_keys = false;
    std::optional<std::string> indent;
    std::string comma = ", ", colon = ": ";
};
//! json.dumps. Throws Error for what JSON cannot hold.
std::string to_json(const Value& value, const JsonStyle& style);

//! Throws Error("template: …").
[[noreturn]] void refuse(const std::string& message);
//! Throws Error for a text of more than kMostBytes.
void require_short(std::size_t bytes);

}  // namespace xlrm::jinja
