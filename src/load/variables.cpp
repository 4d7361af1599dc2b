#include "load/variables.hpp"

#include <algorithm>
#include <unordered_map>

namespace topo::reading {
namespace {

struct Value {
  std::string text;
  bool plain = true;
  bool refused = false;
  Position at{};  ///< nowhere: it comes by --set
};

class Variables {
 public:
  Variables(const Node* vars, const std::map<std::string, std::string>& set, Mistakes& mistakes) : mistakes_(mistakes) {
    if (vars != nullptr) declare(*vars);
    for (const auto& [name, text] : set) {
      const auto found = values_.find(name);
      if (found != values_.end()) {
        found->second = {text, true, false};
      } else {
        const std::string near = mistakes.suggestion(name, names_);
        mistakes.add({}, {}, "--set " + in_quotes(name) + ": the file has no such variable",
                     near.empty() ? "variables are declared under \"vars\"" : near);
      }
    }
  }

  void substitute(Node& node) {
    if (node.is_scalar()) return substitute_scalar(node);
    const std::size_t step = node.is_map() ? 2 : 1;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (step == 1 || i % 2 == 1) {
        substitute(node.items[i]);
      } else if (node.items[i].text.find("${") != std::string::npos) {
        mistakes_.add(node.items[i], "a variable stands for a value, never for a key");
        node.items[i].kind = Node::Kind::refused;
      }
    }
  }

 private:
  void declare(const Node& vars) {
    if (vars.is_null() || vars.is_refused()) return;
    if (!vars.is_map()) return mistakes_.add(vars, "vars takes a map of names and values", "vars: {lan-mtu: 1400}");
    for (std::size_t i = 0; i < vars.pairs(); ++i) {
      const Node& key = vars.key(i);
      const Node& value = vars.value(i);
      if (key.is_refused()) continue;
      const bool good_name = !key.text.empty() && key.text.size() <= 64 && std::all_of(key.text.begin(), key.text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
      if (!good_name) mistakes_.add(key, "a variable's name holds only letters, digits, '-' and '_', at most 64");
      Value known{value.text, value.plain, !value.is_scalar(), key.at};
      if (value.is_scalar() && value.text.find("${") != std::string::npos) {
        mistakes_.add(value, "a variable's value cannot be another variable");
        known.refused = true;
      } else if (known.refused && !value.is_refused()) {
        mistakes_.add(value, "a variable stands for a single value");
      }
      values_.emplace(key.text, std::move(known));
      names_.push_back(key.text);
    }
  }

  void substitute_scalar(Node& node) {
    const auto begin = node.text.find("${");
    if (begin == std::string::npos) return;
    const auto end = node.text.find('}');
    if (begin != 0 || end != node.text.size() - 1) {
      mistakes_.add(node, "a variable must be the whole value", "parts of a value cannot be variables");
      node.kind = Node::Kind::refused;
      return;
    }
    const std::string name = node.text.substr(2, end - 2);
    const auto found = values_.find(name);
    if (found == values_.end()) {
      mistakes_.add(node, "unknown variable " + in_quotes(name), mistakes_.suggestion(name, names_));
      node.kind = Node::Kind::refused;
    } else if (found->second.refused) {
      node.kind = Node::Kind::refused;
    } else {
      const Value& value = found->second;
      mistakes_.explain(node.at, node.text + " is " + value.text + (value.at.line == 0 ? ", by --set" : ", by " + mistakes_.line_of(value.at)));
      node.text = found->second.text;
      node.plain = found->second.plain;
    }
  }

  Mistakes& mistakes_;
  std::unordered_map<std::string, Value> values_;
  std::vector<std::string> names_;
};

}  // namespace

void substitute(Node& root, const std::map<std::string, std::string>& set, Mistakes& mistakes) {
  Variables variables(root.find("vars"), set, mistakes);
  for (std::size_t i = 0; i < root.pairs(); ++i) {
    if (root.key(i).text != "vars") variables.substitute(root.items[2 * i + 1]);
  }
}

}  // namespace topo::reading
