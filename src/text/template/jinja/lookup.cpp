#include <algorithm>

#include "library.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm::jinja {

Parameters::Parameters(Arguments& arguments, std::string function, std::initializer_list<const char*> names)
    : function_(std::move(function)) {
    if (arguments.positional.size() > names.size())
        refuse(function_ + " takes no more than " + std::to_string(names.size()) + " arguments");
    for (std::size_t i = 0; i < arguments.positional.size(); ++i)
        given_.emplace_back(*(names.begin() + i), arguments.positional[i]);
    for (const auto& [name, value] : arguments.named) {
        if (std::none_of(names.begin(), names.end(), [&n = name](const char* known) { return n == known; }))
            refuse(function_ + " with an argument '" + name + "' is not supported");
        if ((*this)[name] != nullptr) refuse(function_ + " has the argument '" + name + "' twice");
        given_.emplace_back(name, value);
    }
}

const Value* Parameters::operator[](std::string_view name) const {
    for (const auto& [key, value] : given_) {
        if (key == name) return &value;
    }
    return nullptr;
}

std::string Parameters::text(std::string_view name, const std::string& otherwise) const {
    const Value* value = (*this)[name];
    if (value == nullptr) return otherwise;
    if (value->text() == nullptr) refuse(function_ + ": '" + std::string(name) + "' must be a text, not " + value->type());
    return *value->text()->text;
}

std::int64_t Parameters::integer(std::string_view name, std::int64_t otherwise) const {
    const Value* value = (*this)[name];
    if (value == nullptr) return otherwise;
    if (!value->whole()) refuse(function_ + ": '" + std::string(name) + "' must be a whole number, not " + value->type());
    return *value->whole();
}

bool Parameters::flag(std::string_view name, bool otherwise) const {
    const Value* value = (*this)[name];
    return value == nullptr ? otherwise : value->truth();
}

Value attribute_of(const Value& object, const std::string& name) {
    if (object.is_undefined()) refuse("'" + object.undefined()->name + "' is undefined, and has no attribute '" + name + "'");
    if (object.names() != nullptr) {
        const Value* found = object.names()->find(name);
        return found != nullptr ? *found : Value(Undefined{name});
    }
    if (auto method = find_method(object, name)) return *method;
    const Value* found = object.dict() != nullptr ? object.dict()->find(Value(name)) : nullptr;
    return found != nullptr ? *found : Value(Undefined{name});
}

Value item_of(const Value& object, const Value& key) {
    if (object.is_undefined()) refuse("'" + object.undefined()->name + "' is undefined, and has no element " + repr(key));
    if (object.dict() != nullptr) {
        if (const Value* found = object.dict()->find(key)) return *found;
    }
    if (key.text() != nullptr) {
        if (object.dict() == nullptr) return attribute_of(object, *key.text()->text);
        if (auto method = find_method(object, *key.text()->text)) return *method;
    }
    if (key.whole() && (object.text() != nullptr || (object.list() != nullptr && object.list()->kind != List::Kind::lazy))) {
        const std::int64_t size = length(object);
        const std::int64_t at = *key.whole() < 0 ? *key.whole() + size : *key.whole();
        if (at >= 0 && at < size) {
            if (object.list() != nullptr) return object.list()->items[static_cast<std::size_t>(at)];
            const std::string& text = *object.text()->text;
            std::size_t end = 0;
            std::size_t begin = 0;
            for (std::int64_t i = 0; i <= at; ++i) {
                begin = end;
                next_code_point(text, end);
            }
            return text.substr(begin, end - begin);
        }
    }
    return Undefined{"element " + repr(key)};
}

}  // namespace xlrm::jinja
