#include <algorithm>

#include "template.hpp"

namespace xlrm::jinja {
namespace {

using NodeKind = Node::Kind;

// Calls `use(child, conditional)` for the direct parts of a node; conditional: the part is asked about, not written.
template <class Use>
void for_each_part(const Node& node, const Use& use) {
    const bool asks =
        node.kind == NodeKind::branch || (node.kind == NodeKind::test && (node.text == "defined" || node.text == "undefined")) ||
        (node.kind == NodeKind::filter && (node.text == "default" || node.text == "d")) || node.kind == NodeKind::logical_not ||
        node.kind == NodeKind::logical_and || node.kind == NodeKind::logical_or || node.kind == NodeKind::compare;
    for (std::size_t i = 0; i < node.parts.size(); ++i) {
        if (node.parts[i]) use(*node.parts[i], asks || (node.kind == NodeKind::conditional && i == 1));
    }
    for (const auto& [name, part] : node.named) {
        if (part) use(*part, false);
    }
    for (const Body& body : node.bodies) {
        for (const NodePtr& part : body) use(*part, false);
    }
}

bool mentions(const Node& node, std::string_view name) {
    if ((node.kind == NodeKind::name || node.kind == NodeKind::attribute) && node.text == name) return true;
    if (node.kind == NodeKind::constant && node.value.text() != nullptr && *node.value.text()->text == name) return true;
    bool found = false;
    for_each_part(node, [&](const Node& part, bool) { found = found || mentions(part, name); });
    return found;
}

void collect(const Node& node, bool asked, std::set<std::string>& written, std::set<std::string>& settled) {
    const bool gives = node.kind == NodeKind::set || node.kind == NodeKind::set_block || node.kind == NodeKind::loop;
    if (node.kind == NodeKind::name) (asked ? settled : written).insert(node.text);
    if (gives && node.parts[0]->kind == NodeKind::name) settled.insert(node.parts[0]->text);
    if (gives && node.parts[0]->kind == NodeKind::tuple) {
        for (const NodePtr& target : node.parts[0]->parts) settled.insert(target->text);
    }
    if (node.kind == NodeKind::macro) {
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
