#include "template.hpp"

#include "evaluation.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm::jinja {
namespace {

Value function(const std::string& name, std::function<Value(Evaluation&, Arguments&)> call) {
    return std::make_shared<Callable>(Callable{name, std::move(call)});
}

Value raise_exception(Evaluation&, Arguments& arguments) {
    const Parameters given(arguments, "raise_exception", {"message"});
    refuse(given["message"] != nullptr ? to_text(*given["message"]).substr(0, 4000) : "the template raises");
}

Value range(Evaluation&, Arguments& arguments) {
    std::vector<std::int64_t> bounds;
    for (const Value& bound : arguments.positional) {
        if (!bound.whole()) refuse("range needs whole numbers, not " + bound.type());
        bounds.push_back(*bound.whole());
    }
    if (bounds.empty() || bounds.size() > 3 || !arguments.named.empty()) refuse("range takes one to three numbers");
    const std::int64_t begin = bounds.size() > 1 ? bounds[0] : 0;
    const std::int64_t end = bounds.size() > 1 ? bounds[1] : bounds[0];
    const std::int64_t stride = bounds.size() > 2 ? bounds[2] : 1;
    if (stride == 0) refuse("the step of range cannot be 0");
    std::vector<Value> numbers;
    std::int64_t i = begin;
    for (bool more = true; more && (stride > 0 ? i < end : i > end); more = !__builtin_add_overflow(i, stride, &i)) {
        numbers.emplace_back(i);
        if (numbers.size() > 100'000) refuse("range gives more than 100000 numbers");
    }
    return Value::list(std::move(numbers));
}

Value make_namespace(Evaluation& evaluation, Arguments& arguments) {
    auto made = evaluation.make_namespace();
    for (const Value& source : arguments.positional) {
        if (source.dict() == nullptr) refuse("namespace takes a dict or named values, not " + source.type());
        for (const auto& [key, value] : source.dict()->items) made->set(to_text(key), value);
    }
    for (const auto& [name, value] : arguments.named) made->set(name, value);
    for (const auto& [name, value] : made->items) {
        if (name.starts_with('_')) refuse("a namespace cannot have an attribute '" + name + "'");
    }
    return made;
}

Value make_dict(Evaluation& evaluation, Arguments& arguments) {
    auto made = std::make_shared<Dict>();
    for (const Value& source : arguments.positional) {
        if (source.dict() != nullptr) {
            for (const auto& [key, value] : source.dict()->items) made->set(key, value);
            continue;
        }
        for (const Value& pair : elements(source)) {
            const auto items = elements(pair);
            if (items.size() != 2) refuse("dict needs pairs of key and value");
            if (items[0].list() != nullptr || items[0].dict() != nullptr) refuse(items[0].type() + " cannot be a key");
            evaluation.step(static_cast<std::int64_t>(made->items.size() / 16));
            made->set(items[0], items[1]);
        }
    }
    for (const auto& [name, value] : arguments.named) made->set(name, value);
    return made;
}

}  // namespace

Template::Template(const std::string& source, std::string where) : where_(std::move(where)), body_(parse(source, where_)) {}

std::string Template::render(const Json& variables, const Date& date) const {
    Evaluation evaluation(where_);
    auto globals = std::make_shared<Scope>();
    globals->set("raise_exception", function("raise_exception", raise_exception));
    globals->set("range", function("range", range));
    globals->set("namespace", function("namespace", make_namespace));
    globals->set("dict", function("dict", make_dict));
    globals->set("strftime_now", function("strftime_now", [date](Evaluation&, Arguments& arguments) -> Value {
                     return date.format(Parameters(arguments, "strftime_now", {"format"}).text("format", ""));
                 }));
    for (const auto& [name, value] : variables.items()) globals->set(name, Value::from_json(value));
    return evaluation.run(body_, std::make_shared<Scope>(Scope{globals, {}}));
}

}  // namespace xlrm::jinja
