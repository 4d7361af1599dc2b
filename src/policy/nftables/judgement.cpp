#include "policy/nftables/judgement.hpp"

#include "topo/names.hpp"

namespace topo::policy::nft {
namespace {

constexpr const char* words[2] = {"deny", "allow"};

/// Who is known by a network, or by nothing, may be taken for a member of another group.
bool can_be_grouped(const Part& sender) { return !sender.fields.empty() && sender.value.first == sender.value.last; }

std::string hexadecimal(std::uint64_t number) {
  std::string text;
  for (int shift = 60; shift >= 32; shift -= 4) text += "0123456789abcdef"[number >> static_cast<unsigned>(shift) & 15U];
  return text;
}

}  // namespace

std::string comment_of(const Decision& decision) { return as_comment((decision.deny ? "deny " : "allow ") + decision.flow->text); }

void Judgement::add(Lookups& lookups, const Part& sender, std::size_t decision) const {
  const Decision& what = relations_.decisions[decision];
  const std::string words_for = comment_of(what);
  for (const Encounter& encounter : manner_.towards(decision)) {
    const auto both = join(sender, encounter.part);
    if (!both) continue;
    for (const Part& service : services(what.flow->ports, both->family, manner_.in_bridge)) {
      if (const auto whole = join(*both, service)) lookups.add(encounter.condition, *whole, words_for);
    }
  }
}

void Judgement::add_all(const Decisions& ids) {
  for (const std::size_t id : ids) add(all_[relations_.decisions[id].deny ? 0 : 1], {}, id);
}

void Judgement::add_members(const Members& members) {
  std::map<std::size_t, Members> named;
  for (const std::size_t member : members) {
    for (const std::size_t id : relations_.from_member[member]) named[id].push_back(member);
  }
  for (const auto& [id, senders] : named) {
    const std::size_t side = relations_.decisions[id].deny ? 0 : 1;
    const Flow& flow = *relations_.decisions[id].flow;
    std::size_t parts = 0;
    for (const std::size_t member : senders) parts += manner_.sender(member).size();
    const std::size_t pairs = parts * manner_.towards(id).size() * std::max<std::size_t>(flow.ports.size(), 1);
    const bool grouped = senders.size() > 1 && pairs > listed_max;
    for (const std::size_t member : senders) {
      if (grouped) grouped_[side][member].push_back(id);
      for (const Part& sender : manner_.sender(member)) {
        if (!grouped || !can_be_grouped(sender)) add(pairs_[side], sender, id);
      }
    }
  }
}

void Judgement::put() {
  for (std::size_t side = 0; side < 2; ++side) {
    const std::string front = std::string(words[side]) + '/' + name_ + '/';
    pairs_[side].put(table_, front);
    all_[side].put(table_, front + "all/");
    put_groups(side);
  }
}

/// Members with the same decisions have a chain of their own.
void Judgement::put_groups(std::size_t side) {
  std::map<Decisions, std::string> chains;
  std::map<std::string, std::pair<Fields, std::map<Value, std::string>>> maps;  // by the kind of key
  for (const auto& [member, ids] : grouped_[side]) {
    std::string& chain = chains[ids];
    if (chain.empty()) {
      std::string what;
      Lookups lookups;
      for (const std::size_t id : ids) {
        what += relations_.decisions[id].flow->text + '\n';
        add(lookups, {}, id);
      }
      chain = std::string(words[side]) + '/' + name_ + '/' + hexadecimal(stable_hash(what));
      lookups.put(table_, chain + '/');
      table_.chains[chain].rules = lookups.rules(side == 0 ? manner_.block : manner_.pass);
    }
    for (const Part& sender : manner_.sender(member)) {
      if (!can_be_grouped(sender)) continue;
      auto& [fields, elements] = maps[kind_of(sender)];
      fields = sender.fields;
      elements[sender.value] = "jump " + chain;
    }
  }
  for (const auto& [kind, map] : maps) {
    const std::string name = std::string(words[side]) + '/' + name_ + "/groups/" + kind;
    nftables::Set& set = table_.sets[name];
    for (const Field field : map.first) set.key.push_back(type_of(field));
    set.data = {Type::verdict};
    for (const auto& [value, verdict] : map.second) set.elements[value] = {verdict, {}};
    jumps_[side].push_back(rule({}, lookup(Action::Kind::vmap, map.first, name)));
  }
}

std::vector<Rule> Judgement::of_members(std::size_t side, const Action& action) const {
  std::vector<Rule> rules = pairs_[side].rules(action);
  rules.insert(rules.end(), jumps_[side].begin(), jumps_[side].end());
  return rules;
}

std::vector<Rule> Judgement::denies() const {
  std::vector<Rule> rules = of_members(0, manner_.block);
  const std::vector<Rule> all = denies_of_all();
  rules.insert(rules.end(), all.begin(), all.end());
  return rules;
}

}  // namespace topo::policy::nft
