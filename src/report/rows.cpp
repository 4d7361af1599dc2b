#include "report/rows.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include "report/statements.hpp"
#include "topo/names.hpp"

namespace topo::report {
namespace {

using Action = Change::Action;
using Sign = Row::Sign;

/// Of more statements than this the lines are not looked up: nobody reads so many, and it takes time.
constexpr std::size_t most_looked_up = 200;

/// What comes or goes with another, by the place of that other's change in the plan.
struct Companions {
  std::vector<std::string> told;               ///< addresses
  std::map<std::string, std::size_t> counted;  ///< the rest, by kind
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// node2 before node10.
bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (!is_digit(a.front()) || !is_digit(b.front())) {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    const auto number = [](std::string_view& text) {
      const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
      const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
      text.remove_prefix(digits.size());
      return std::pair(digits.size(), digits);
    };
    const auto x = number(a);
    const auto y = number(b);
    if (x != y) return x < y;
  }
  return a.size() < b.size();
}

void append(std::string& text, const std::string& more, const char* separator = ", ") {
  if (more.empty()) return;
  if (!text.empty()) text += separator;
  text += more;
}

class Narrator {
 public:
  Narrator(const Plan& plan, const Sources& sources, const Reachability* reachability)
      : plan_(plan), sources_(sources), reachability_(reachability) {}

  std::size_t count() {
    tell_changes();
    return rows_.size() + policy_.size();
  }

  Rows tell() {
    tell_changes();
    rows_.insert(rows_.end(), std::make_move_iterator(policy_.begin()), std::make_move_iterator(policy_.end()));
    sort_rows();
    tell_hits();
    for (Row& row : rows_) {
      for (std::string* text : {&row.kind, &row.title, &row.what, &row.why}) *text = printable(*text);
    }
    for (std::string& line : hit_) line = printable(line);
    return {std::move(rows_), std::move(hit_), namespaces_recreated_};
  }

 private:
  void tell_changes() {
    index();
    for (std::size_t i = 0; i < plan_.changes.size(); ++i) fold(i);
    for (std::size_t i = 0; i < plan_.changes.size(); ++i) tell_change(i);
  }

  /// By sign, then by kind in the plan's order, then as a person counts.
  void sort_rows() {
    std::map<std::pair<Sign, std::string>, std::size_t> turns;
    for (const Row& row : rows_) turns.emplace(std::pair(row.sign, row.kind), turns.size());
    std::stable_sort(rows_.begin(), rows_.end(), [&](const Row& a, const Row& b) {
      if (a.sign != b.sign) return a.sign < b.sign;
      if (a.kind != b.kind) return turns.at({a.sign, a.kind}) < turns.at({b.sign, b.kind});
      return natural_less(a.title, b.title);
    });
  }

  static const Resource& subject(const Change& change) { return change.after ? *change.after : *change.before; }
  /// Something equal is made again because another change of the plan takes it away.
  static bool is_made_again(const Change& change) { return change.action == Action::recreate && change.before == change.after; }

  void index() {
    for (std::size_t i = 0; i < plan_.changes.size(); ++i) {
      const Change& change = plan_.changes[i];
      if (change.action == Action::modify) continue;
      if (change.action == Action::recreate) recreated_.insert(id_of(*change.after));
      auto& providers = change.after ? coming_ : going_;
      for (std::string& name : provides_of(subject(change))) providers.emplace(std::move(name), i);
    }
  }

  /// What nothing else stands on is told with what it needs, where that comes or goes alike.
  void fold(std::size_t index) {
    const Change& change = plan_.changes[index];
    const Resource& resource = subject(change);
    const bool folds = change.action == Action::add || change.action == Action::remove;
    if (!folds || provides_of(resource).size() > 1 || tells_policy(resource)) return;
    const auto& providers = change.after ? coming_ : going_;
    for (const std::string& name : needs_of(resource)) {
      const auto provider = providers.find(name);
      if (provider == providers.end() || plan_.changes[provider->second].repair != change.repair) continue;
      folded_.insert(index);
      Companions& companions = companions_[provider->second];
      if (const auto* address = std::get_if<Address>(&resource)) {
        if (!address->address.address().is_link_local()) companions.told.push_back(address->address.to_string());
      } else {
        ++companions.counted[std::string(kind_of(resource))];
      }
      return;
    }
  }

  static bool tells_policy(const Resource& resource) {
    const auto* firewall = std::get_if<Firewall>(&resource);
    return firewall != nullptr && !statements_of(*firewall).empty();
  }

  void tell_change(std::size_t index) {
    const Change& change = plan_.changes[index];
    const Resource& resource = subject(change);
    const bool first_half = change.action == Action::remove && recreated_.contains(id_of(resource));
    if (first_half || folded_.contains(index)) return;
    if (is_made_again(change)) return made_again_.push_back(&change);
    if (std::holds_alternative<Firewall>(resource) && tell_firewall(change)) return;
    if (change.action == Action::recreate && std::holds_alternative<Namespace>(resource)) ++namespaces_recreated_;
    rows_.push_back({sign_of(change), std::string(kind_of(resource)), title_of(resource), what_of(index), why_of(change)});
    if (const auto* address = std::get_if<Address>(&resource); address != nullptr && change.action == Action::remove) {
      hit_.push_back("connections of " + address->address.address().to_string() + " end");
    }
  }

  [[nodiscard]] static Sign sign_of(const Change& change) {
    if (change.repair) return Sign::repair;
    switch (change.action) {
      case Action::add:
        return Sign::add;
      case Action::remove:
        return Sign::remove;
      case Action::modify:
        return Sign::modify;
      case Action::recreate:
        return Sign::recreate;
    }
    return Sign::modify;
  }

  [[nodiscard]] std::string what_of(std::size_t index) const {
    const Change& change = plan_.changes[index];
    std::string text;
    if (change.before && change.after) {
      for (const Difference& difference : change.differences) append(text, told(difference));
      return text;
    }
    const auto companions = companions_.find(index);
    if (companions != companions_.end()) {
      for (const std::string& item : companions->second.told) append(text, item);
    }
    const std::string summary = summary_of(subject(change));
    append(text, summary, summary.starts_with("on ") ? " " : ", ");
    if (companions != companions_.end()) {
      for (const auto& [kind, count] : companions->second.counted) append(text, counted(count, kind));
    }
    return text;
  }

  static std::string told(const Difference& difference) {
    if (difference.before.empty()) return difference.attribute + " " + difference.after;
    if (difference.after.empty()) return difference.attribute + " " + difference.before + " -> none";
    return difference.attribute + " " + difference.before + " -> " + difference.after;
  }

  [[nodiscard]] std::string why_of(const Change& change) const {
    const std::string_view lost = change.after ? lost_by_itself(*change.after) : std::string_view();
    if (change.repair && !change.before && !lost.empty()) return std::string(lost);
    return why_of(change.repair, change.before.has_value(), change.after.has_value(), change.origin);
  }

  [[nodiscard]] std::string why_of(bool repair, bool was, bool shall_be, const Position& origin) const {
    if (repair) {
      if (!was) return "removed by someone else";
      return shall_be ? "changed by someone else" : "added by someone else";
    }
    if (!shall_be) return sources_.empty() ? "" : "not in the file";
    return origin.line == 0 ? std::string() : to_string({origin.line, 0, origin.source}, sources_);
  }

  /// The statements that come and go; where none does, the rules. False where neither tells anything.
  bool tell_firewall(const Change& change) {
    const auto* before = change.before ? std::get_if<Firewall>(&*change.before) : nullptr;
    const auto* after = change.after ? std::get_if<Firewall>(&*change.after) : nullptr;
    const auto was = before != nullptr ? statements_of(*before) : std::vector<Statement>{};
    const auto is = after != nullptr ? statements_of(*after) : std::vector<Statement>{};
    std::vector<Statement> gone, come;
    std::set_difference(was.begin(), was.end(), is.begin(), is.end(), std::back_inserter(gone));
    std::set_difference(is.begin(), is.end(), was.begin(), was.end(), std::back_inserter(come));
    const bool changes = before != nullptr && after != nullptr;
    if (gone.empty() && come.empty()) return changes && tell_rules(change);
    const std::size_t told_before = policy_.size();
    bool cuts = false;
    for (const Statement& statement : come) {
      tell_statement(statement, true, change.repair, come.size() <= most_looked_up);
      cuts = cuts || (before != nullptr && (statement.key == "deny" || statement.key == "isolated"));
    }
    for (const Statement& statement : gone) {
      tell_statement(statement, false, change.repair, false);
      retranslates_ = retranslates_ || (after != nullptr && statement.key == "nat");
      cuts =
          cuts || (after != nullptr && (statement.key == "allow" || statement.key == "port" || statement.key == "default" || statement.key == "nat"));
    }
    cuts_ = cuts_ || cuts;
    return policy_.size() > told_before || (changes && tell_rules(change));
  }

  void tell_statement(const Statement& statement, bool comes, bool repair, bool look_up) {
    if (statement.key == "replicas" || statement.key == "plain") return;
    const bool is_policy = statement.key != "port" && statement.key != "nat" && statement.key != "zone";
    Row row{comes ? Sign::add : Sign::remove, is_policy ? "policy" : statement.key,
            is_policy ? statement.key + " " + statement.value : statement.value, "",
            why_of(repair, !comes, comes, look_up ? position_of(statement) : Position{})};
    if (repair) row.sign = Sign::repair;
    policy_.push_back(std::move(row));
  }

  /// The first line of the files that has all that the statement must be written with; nowhere where none has.
  [[nodiscard]] Position position_of(const Statement& statement) {
    std::vector<std::string> parts{statement.value};
    if (const std::size_t arrow = statement.value.find(" -> "); statement.key == "port" && arrow != std::string::npos) {
      const std::string outside = statement.value.substr(0, arrow);
      parts = {outside.ends_with("/tcp") ? outside.substr(0, outside.size() - 4) : outside, statement.value.substr(arrow + 4)};
    } else if (statement.key == "default" || statement.key == "reject") {
      parts = {statement.key + ":"};
    } else if (statement.key != "allow" && statement.key != "deny") {
      parts = {statement.value.substr(0, statement.value.find(' ')) + ":"};
    }
    if (lines_.empty()) split_lines();
    for (const auto& line : lines_) {
      const bool has_all =
          std::all_of(parts.begin(), parts.end(), [&](const std::string& part) { return line.second.find(part) != std::string_view::npos; });
      if (has_all) return line.first;
    }
    return {};
  }

  /// Those that say something, without their comments.
  void split_lines() {
    for (std::size_t source = 0; source < sources_.size(); ++source) {
      std::string_view rest = sources_[source].text;
      for (std::uint32_t number = 1; !rest.empty(); ++number) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const std::string_view text = line.starts_with('#') ? std::string_view() : line.substr(0, line.find(" #"));
        if (!text.empty()) lines_.emplace_back(Position{number, 0, static_cast<std::uint16_t>(source)}, text);
      }
    }
  }

  bool tell_rules(const Change& change) {
    if (!change.repair) {
      std::string what;
      for (const Difference& difference : change.differences) {
        if (difference.attribute.starts_with("forwarding") || difference.attribute == "backend") append(what, told(difference));
      }
      append(what, "rules follow");
      rows_.push_back({Sign::modify, "firewall", title_of(*change.after), what, ""});
      return true;
    }
    for (const Difference& difference : change.differences) {
      Row row{Sign::repair, "policy", "", "", "changed by someone else"};
      if (difference.before.empty()) {
        row.title = "rule \"" + difference.after + "\" is missing";
        row.why = "removed by someone else";
      } else if (difference.after.empty()) {
        row.title = "rule \"" + difference.before + "\" is too much";
        row.why = "added by someone else";
      } else {
        row.title = told(difference);
      }
      policy_.push_back(std::move(row));
    }
    return !change.differences.empty();
  }

  /// The model knows, where there is one; else it is what the statements look like.
  void tell_connections() {
    const bool is_known = reachability_ != nullptr && reachability_->unknown.empty();
    if (is_known ? reachability_->changes.cuts || retranslates_ : cuts_)
      hit_.emplace_back("open connections that the new policy does not allow are cut");
    if (is_known && reachability_->changes.breaks) hit_.emplace_back("open connections whose way is gone break off");
  }

  /// Interfaces that go and come again, in namespaces that stay.
  void tell_links() {
    constexpr std::string_view interface = "interface ";
    for (const auto& [name, index] : going_) {
      if (!name.starts_with(interface) || !coming_.contains(name)) continue;
      const std::string title = name.substr(name[interface.size()] == ':' ? interface.size() + 1 : interface.size());
      const std::string ns = namespace_need(name.substr(interface.size(), name.find(':') - interface.size()));
      if (!going_.contains(ns)) hit_.push_back("link " + title + " goes down for a moment");
    }
  }

  void tell_hits() {
    tell_connections();
    tell_links();
    for (const Change* change : made_again_) {
      const Resource& resource = *change->after;
      // What lies on something that is made again is not worth a line of its own.
      const std::vector<std::string> needs = needs_of(resource);
      if (std::any_of(needs.begin(), needs.end(), [&](const std::string& name) { return coming_.contains(name); })) continue;
      hit_.push_back(std::string(kind_of(resource)) + " " + title_of(resource) + " " + summary_of(resource) + " is gone for a moment");
    }
    std::sort(hit_.begin(), hit_.end());
    hit_.erase(std::unique(hit_.begin(), hit_.end()), hit_.end());
  }

  const Plan& plan_;
  const Sources& sources_;
  const Reachability* reachability_;
  bool cuts_ = false;
  bool retranslates_ = false;                                    ///< connections to the outside get another source address, or none
  std::unordered_map<std::string, std::size_t> coming_, going_;  ///< what provides a name, by its place in the plan
  std::vector<std::pair<Position, std::string_view>> lines_;     ///< of the files
  std::set<Id> recreated_;
  std::set<std::size_t> folded_;
  std::unordered_map<std::size_t, Companions> companions_;
  std::vector<const Change*> made_again_;
  std::vector<Row> rows_, policy_;
  std::vector<std::string> hit_;
  std::size_t namespaces_recreated_ = 0;
};

}  // namespace

std::string counted(std::size_t count, const std::string& noun) { return std::to_string(count) + " " + noun + (count == 1 ? "" : "s"); }

const char* to_text(Row::Sign sign) {
  switch (sign) {
    case Sign::add:
      return "+";
    case Sign::modify:
      return "~";
    case Sign::recreate:
      return "-/+";
    case Sign::remove:
      return "-";
    case Sign::repair:
      return "!";
  }
  return "";
}

Rows rows_of(const Plan& plan, const Sources& sources, const Reachability* reachability) { return Narrator(plan, sources, reachability).tell(); }

std::size_t count_of_rows(const Plan& plan) { return Narrator(plan, {}, nullptr).count(); }

}  // namespace topo::report
