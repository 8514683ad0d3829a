#include <algorithm>

#include "template.hpp"

namespace xlrm::jinja {
namespace {

using Kind = Node::Kind;

// Calls `use(child, conditional)` for the direct parts of a node; conditional: the part is asked about, not written.
template <class Use>
void for_each_part(const Node& node, const Use& use) {
    const bool asks =
        node.kind == Kind::branch || (node.kind == Kind::test && (node.text == "defined" || node.text == "undefined")) ||
        (node.kind == Kind::filter && (node.text == "default" || node.text == "d")) || node.kind == Kind::logical_not ||
        node.kind == Kind::logical_and || node.kind == Kind::logical_or || node.kind == Kind::compare;
    for (std::size_t i = 0; i < node.parts.size(); ++i) {
        if (node.parts[i]) use(*node.parts[i], asks || (node.kind == Kind::conditional && i == 1));
    }
    for (const auto& [name, part] : node.named) {
        if (part) use(*part, false);
    }
    for (const Body& body : node.bodies) {
        for (const NodePtr& part : body) use(*part, false);
    }
}

bool mentions(const Node& node, std::string_view name) {
    if ((node.kind == Kind::name || node.kind == Kind::attribute) && node.text == name) return true;
    if (node.kind == Kind::constant && node.value.text() != nullptr && *node.value.text()->text == name) return true;
    bool found = false;
    for_each_part(node, [&](const Node& part, bool) { found = found || mentions(part, name); });
    return found;
}

void collect(const Node& node, bool asked, std::set<std::string>& written, std::set<std::string>& settled) {
    const bool gives = node.kind == Kind::set || node.kind == Kind::set_block || node.kind == Kind::loop;
    if (node.kind == Kind::name) (asked ? settled : written).insert(node.text);
    if (gives && node.parts[0]->kind == Kind::name) settled.insert(node.parts[0]->text);
    if (gives && node.parts[0]->kind == Kind::tuple) {
        for (const NodePtr& target : node.parts[0]->parts) settled.insert(target->text);
    }
    if (node.kind == Kind::macro) {
        settled.insert(node.text);
        for (const auto& [name, otherwise] : node.named) settled.insert(name);
    }
    for_each_part(node, [&](const Node& part, bool asks) { collect(part, asks, written, settled); });
}

}  // namespace

bool Template::mentions(std::string_view name) const {
    return std::ranges::any_of(body_, [&](const NodePtr& node) { return jinja::mentions(*node, name); });
}

std::set<std::string> Template::needed_variables() const {
    std::set<std::string> written;
    std::set<std::string> settled;
    for (const NodePtr& node : body_) collect(*node, false, written, settled);
    for (const std::string& name : settled) written.erase(name);
    return written;
}

}  // namespace xlrm::jinja
