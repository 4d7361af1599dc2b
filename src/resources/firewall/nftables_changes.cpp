// From one ruleset to another, in the commands of nft(8). Names and comments are topo's own words, and names
// of the host's interfaces that the backend has looked at: nothing else gets here.
#include <algorithm>

#include "resources/firewall/nftables.hpp"

namespace topo::nftables {
namespace {

/// nft has no way to write a quotation mark in a string; Rule::comment never has one.
std::string with_comment(const std::string& comment) { return comment.empty() ? std::string() : " comment \"" + comment + '"'; }

std::string declaration(const Set& set) {
  // Types have no name for a zone alone.
  if (!set.data.empty() && set.data.front() == Type::zone) return "typeof iifname : ct zone;";
  std::string text = "type ";
  for (const Type type : set.key) text += (type == set.key.front() && text == "type " ? "" : " . ") + to_string(type);
  std::string data;
  for (const Type type : set.data) data += (data.empty() ? " : " : " . ") + to_string(type);
  return text + data + ';' + (set.interval ? " flags interval;" : "");
}

std::string element_text(const Set& set, const Value& key, const Element& element) {
  std::string text = to_string(set, key, element);
  // A comment stands with the key.
  const auto colon = set.data.empty() ? text.size() : text.rfind(" : ");
  return text.insert(colon, with_comment(element.comment));
}

std::string key_text(const Set& set, const Value& key) {
  Set keys;
  keys.key = set.key;
  return to_string(keys, key, {});
}

std::string hook_text(const Base& base) {
  return "type " + base.type + " hook " + base.hook + " priority " + std::to_string(base.priority) + "; policy " + base.policy + ";";
}

/// One table's commands.
class Writer {
 public:
  Writer(std::string family, const std::string& name, const std::string& mark) : place_(std::move(family) + ' ' + name), mark_(mark) {}

  void whole(const Table& table) {
    text_ += "create table " + place_ + " { comment \"" + mark_ + "\"; }\n";
    for (const auto& [name, chain] : table.chains) declare(name, chain);
    for (const auto& [name, set] : table.sets) declare(name, set);
    for (const auto& [name, set] : table.sets) add_elements(name, set, set.elements);
    for (const auto& [name, chain] : table.chains) add_rules(name, chain);
  }

  void remove() { text_ += "delete table " + place_ + '\n'; }

  void bring(const Table& before, const Table& after) {
    if (before == after) return;
    if (before.empty() || after.empty() || needs_another(before, after)) {
      if (!before.empty()) remove();
      if (!after.empty()) whole(after);
      return;
    }
    for (const auto& [name, chain] : after.chains) {
      if (!before.chains.contains(name)) declare(name, chain);
    }
    for (const auto& [name, set] : after.sets) {
      if (!before.sets.contains(name)) declare(name, set);
    }
    for (const auto& [name, chain] : before.chains) {
      const auto now = after.chains.find(name);
      if (now == after.chains.end() || now->second != chain) text_ += "flush chain " + place_ + ' ' + name + '\n';
    }
    bring_elements(before, after);
    for (const auto& [name, chain] : after.chains) {
      const auto was = before.chains.find(name);
      if (was == before.chains.end() || was->second != chain) add_rules(name, chain);
    }
    for (const auto& [name, set] : before.sets) {
      if (!after.sets.contains(name)) text_ += "delete set " + place_ + ' ' + name + '\n';
    }
    for (const auto& [name, chain] : before.chains) {
      if (!after.chains.contains(name)) text_ += "delete chain " + place_ + ' ' + name + '\n';
    }
  }

  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  /// What a table cannot be brought to in place.
  static bool needs_another(const Table& before, const Table& after) {
    if (before.strange != after.strange) return true;
    const auto other_set = [&](const auto& entry) {
      const auto now = after.sets.find(entry.first);
      return now != after.sets.end() && !now->second.declared_as(entry.second);
    };
    const auto other_chain = [&](const auto& entry) {
      const auto now = after.chains.find(entry.first);
      return now != after.chains.end() && now->second.base != entry.second.base;
    };
    return std::any_of(before.sets.begin(), before.sets.end(), other_set) || std::any_of(before.chains.begin(), before.chains.end(), other_chain);
  }

  void declare(const std::string& name, const Chain& chain) {
    text_ += "add chain " + place_ + ' ' + name + (chain.base ? " { " + hook_text(*chain.base) + " }\n" : "\n");
  }
  void declare(const std::string& name, const Set& set) {
    text_ += (set.data.empty() ? "add set " : "add map ") + place_ + ' ' + name + " { " + declaration(set) + " }\n";
  }

  void bring_elements(const Table& before, const Table& after) {
    using Elements = std::map<Value, Element>;
    std::map<std::string, Elements> gone, come;
    for (const auto& [name, set] : after.sets) {
      const auto was = before.sets.find(name);
      if (was == before.sets.end()) {
        come[name] = set.elements;
        continue;
      }
      const Elements& old = was->second.elements;
      std::set_difference(old.begin(), old.end(), set.elements.begin(), set.elements.end(), std::inserter(gone[name], gone[name].end()), less);
      std::set_difference(set.elements.begin(), set.elements.end(), old.begin(), old.end(), std::inserter(come[name], come[name].end()), less);
    }
    // Out of maps that go as well: an element may lead to a chain that goes.
    for (const auto& [name, set] : before.sets) {
      if (!after.sets.contains(name) && !set.data.empty()) gone[name] = set.elements;
    }
    for (const auto& [name, elements] : gone) delete_elements(name, before.sets.at(name), elements);
    for (const auto& [name, elements] : come) add_elements(name, after.sets.at(name), elements);
  }

  static bool less(const std::pair<const Value, Element>& a, const std::pair<const Value, Element>& b) {
    if (a.first != b.first) return a.first < b.first;
    if (a.second.data != b.second.data) return a.second.data < b.second.data;
    return a.second.comment < b.second.comment;
  }

  void add_elements(const std::string& name, const Set& set, const std::map<Value, Element>& elements) {
    if (elements.empty()) return;
    text_ += "add element " + place_ + ' ' + name + " { ";
    for (const auto& [key, element] : elements) text_ += element_text(set, key, element) + ", ";
    text_.resize(text_.size() - 2);
    text_ += " }\n";
  }

  void delete_elements(const std::string& name, const Set& set, const std::map<Value, Element>& elements) {
    if (elements.empty()) return;
    text_ += "delete element " + place_ + ' ' + name + " { ";
    for (const auto& [key, element] : elements) text_ += key_text(set, key) + ", ";
    text_.resize(text_.size() - 2);
    text_ += " }\n";
  }

  void add_rules(const std::string& name, const Chain& chain) {
    for (const Rule& rule : chain.rules) text_ += "add rule " + place_ + ' ' + name + ' ' + to_string(rule) + with_comment(rule.comment) + '\n';
  }

  std::string place_;
  const std::string& mark_;
  std::string text_;
};

}  // namespace

std::string to_text(const Ruleset& rules, const std::string& name, const std::string& mark) { return changes({}, rules, name, mark); }

std::string changes(const Ruleset& before, const Ruleset& after, const std::string& name, const std::string& mark) {
  Writer inet("inet", name, mark), bridge("bridge", name, mark);
  inet.bring(before.inet, after.inet);
  bridge.bring(before.bridge, after.bridge);
  return std::move(inet).text() + std::move(bridge).text();
}

}  // namespace topo::nftables
