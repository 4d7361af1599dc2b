#include "reach/changes.hpp"

#include <algorithm>
#include <unordered_map>

#include "reach/comparison.hpp"
#include "reach/published.hpp"
#include "reach/still_denied.hpp"
#include "reach/words.hpp"

namespace topo::reach {
namespace {

/// So many names are written out; of more, two and how many there are besides.
constexpr std::size_t most_names = 3;

/// What is newly so between two ends, of one family or of all that both have.
struct News {
  Services services;
  std::optional<Family> family;
  auto operator<=>(const News&) const = default;
};

class Comparing {
 public:
  explicit Comparing(const Comparison& comparison) : comparison_(comparison) {}

  std::vector<Change> tell(Change::Kind kind) {
    const Side side = kind == Change::Kind::denied ? before : after;
    if (comparison_.names(side) == nullptr) return {};
    const bool lasting = kind == Change::Kind::denied;
    if (lasting && comparison_.names(after) == nullptr) return {};
    senders_ = comparison_.group_senders(side, lasting);
    units_ = comparison_.group_units(side, lasting);
    kind_ = kind;
    side_ = side;
    fill();
    std::vector<Change> changes;
    for (Table* table : {&table_, &second_}) {
      if (table->cells.empty()) continue;
      for (const Block& block : fold(*table, senders_.headings, units_.headings)) changes.push_back(change_of(block));
    }
    join_directions(changes);
    return changes;
  }

 private:
  using Numbers = std::vector<std::uint32_t>;

  [[nodiscard]] const Model& model(Side side) const { return comparison_.names(side)->model(); }

  /// Both families' cells of each pair; what only the second family's pair can say stands in a second table.
  void fill() {
    table_ = {senders_.members.size(), units_.members.size(), std::vector<Cell>(senders_.members.size() * units_.members.size(), nothing)};
    second_ = {table_.rows, table_.columns, {}};
    news_.clear();
    known_news_.clear();
    for (std::size_t row = 0; row < table_.rows; ++row) {
      const Sender& sender = comparison_.senders()[senders_.members[row].front()];
      std::array<Numbers, 2> numbers;
      for (const Side side : sides) {
        if (sender.numbers[side] != none && comparison_.names(side) != nullptr) numbers[side] = model(side).outcome_numbers(sender.numbers[side]);
      }
      for (std::size_t column = 0; column < table_.columns; ++column) fill_cell(row, column, numbers);
    }
  }

  void fill_cell(std::size_t row, std::size_t column, const std::array<Numbers, 2>& numbers) {
    if (is_nobody(row, column)) {
      table_.at(row, column) = no_pair;
      if (!second_.cells.empty()) second_.at(row, column) = no_pair;
      return;
    }
    const Unit& unit = comparison_.units()[units_.members[column].front()];
    std::array<std::array<std::size_t, 2>, 2> allowed{};  // by family, by side
    std::array<bool, 2> has{};
    for (const Side side : sides) {
      if (numbers[side].empty()) continue;
      for (const std::size_t target : unit.targets[side]) {
        if (numbers[side][target] == Model::no_outcome) continue;
        const std::size_t family = model(side).targets()[target].family == Family::v4 ? 0 : 1;
        has[family] = has[family] || side == side_;
        std::size_t& sum = allowed[family][side];
        sum = united(sum, allowed_by(side, numbers[side][target]));
      }
    }
    if (!has[0] && !has[1]) {
      table_.at(row, column) = no_pair;
      if (!second_.cells.empty()) second_.at(row, column) = no_pair;
      return;
    }
    const std::size_t old = 1 - static_cast<std::size_t>(side_);
    if (allowed[0][side_] == allowed[0][old] && allowed[1][side_] == allowed[1][old]) return;
    set_cells(row, column, allowed, has);
  }

  void set_cells(std::size_t row, std::size_t column, const std::array<std::array<std::size_t, 2>, 2>& allowed, const std::array<bool, 2>& has) {
    const std::size_t old = 1 - static_cast<std::size_t>(side_);
    const std::array key{allowed[0][side_], allowed[0][old], allowed[1][side_], allowed[1][old], std::size_t{has[0]}, std::size_t{has[1]}};
    auto known = known_news_.find(key);
    if (known == known_news_.end()) {
      const Services v4 = services_[allowed[0][side_]].without(services_[allowed[0][old]]);
      const Services v6 = services_[allowed[1][side_]].without(services_[allowed[1][old]]);
      std::array<Cell, 2> cells{nothing, nothing};
      if (has[0] && has[1] && v4 != v6) {
        cells = {cell_of({v4, Family::v4}), cell_of({v6, Family::v6})};
      } else {
        cells[0] = cell_of({has[0] ? v4 : v6, std::nullopt});
      }
      known = known_news_.emplace(key, cells).first;
    }
    table_.at(row, column) = known->second[0];
    if (known->second[1] == nothing) return;
    if (second_.cells.empty()) {
      second_.cells.assign(table_.cells.size(), nothing);
      for (std::size_t i = 0; i < table_.cells.size(); ++i) second_.cells[i] = table_.cells[i] == no_pair ? no_pair : nothing;
    }
    second_.at(row, column) = known->second[1];
  }

  Cell cell_of(News news) {
    if (news.services.empty()) return nothing;
    const auto [found, fresh] = cells_.emplace(std::move(news), static_cast<Cell>(news_by_cell_.size() + no_pair + 1));
    if (fresh) news_by_cell_.push_back(&found->first);
    return found->second;
  }

  /// Nobody sends to himself by the network, and between the host and the outside nothing is topo's business.
  [[nodiscard]] bool is_nobody(std::size_t row, std::size_t column) const {
    const auto &from = senders_.members[row], &to = units_.members[column];
    return from.size() == 1 && to.size() == 1 && comparison_.senders()[from.front()].name == comparison_.units()[to.front()].owner;
  }

  std::size_t number_of(Services services) {
    const auto [found, fresh] = numbers_.emplace(std::move(services), services_.size());
    if (fresh) services_.push_back(found->first);
    return found->second;
  }

  std::size_t allowed_by(Side side, std::size_t outcome) {
    auto& known = allowed_[side];
    if (known.size() <= outcome) known.resize(model(side).outcomes().size(), none);
    if (known[outcome] == none) known[outcome] = number_of(Services(model(side).outcomes()[outcome].spans, Verdict::allowed));
    return known[outcome];
  }

  std::size_t united(std::size_t a, std::size_t b) {
    if (a == b || b == 0) return a;
    if (a == 0) return b;
    const auto [found, fresh] = united_.emplace(std::pair(a, b), none);
    if (fresh) {
      Services sum = services_[a];
      sum.unite(services_[b]);
      found->second = number_of(std::move(sum));
    }
    return found->second;
  }

  // --- in words ---

  /// The names of all in these lines.
  [[nodiscard]] static std::vector<std::string> members_of(const std::vector<Sender>& all, const Groups<Sender>& groups,
                                                           const std::vector<std::size_t>& lines) {
    std::vector<std::string> names;
    for (const std::size_t line : lines) {
      for (const std::size_t member : groups.members[line]) names.push_back(all[member].name);
    }
    return names;
  }

  /// An owner's name in place of all of his units.
  [[nodiscard]] std::vector<std::string> members_of(const std::vector<Unit>& all, const Groups<Unit>& groups,
                                                    const std::vector<std::size_t>& lines) const {
    if (units_of_.empty()) {
      for (const Unit& unit : all) ++units_of_[unit.owner];
    }
    std::map<std::string, std::vector<const Unit*>> owned;
    for (const std::size_t line : lines) {
      for (const std::size_t member : groups.members[line]) owned[all[member].owner].push_back(&all[member]);
    }
    std::vector<std::string> names;
    for (const auto& [owner, units] : owned) {
      if (units.size() == units_of_.at(owner)) {
        names.push_back(owner);
      } else {
        for (const Unit* unit : units) names.push_back(unit->owner + ":" + unit->interface);
      }
    }
    return names;
  }

  /// By a heading, or by those that fit in, and the names of the others.
  template <class T>
  [[nodiscard]] Crowd crowd_of(const std::vector<T>& all, const Groups<T>& groups, std::size_t name, std::vector<std::size_t> lines) const {
    const auto& sets = comparison_.names(side_)->sets();
    Crowd crowd{"", members_of(all, groups, lines)};
    if (name != Block::unnamed) {
      crowd.text = sets[name].name;
      return crowd;
    }
    std::vector<std::string> named;
    for (const Heading& heading : groups.headings) {
      if (members_of(all, groups, heading.lines).size() < 2) continue;
      if (!takes(lines, heading.lines)) continue;
      named.push_back(sets[heading.name].name);
    }
    const std::string nearly = named.empty() ? all_but_few(all, groups, lines) : std::string();
    std::vector<std::string> others;
    for (const std::string& each : members_of(all, groups, lines)) (is_outer(each) ? others : named).push_back(each);
    crowd.text = nearly.empty() ? listed(std::move(named)) : nearly;
    for (const std::string& each : others) crowd.text += (crowd.text.empty() ? "" : ", ") + each;
    return crowd;
  }

  /// Whether all of `some` are among `lines`; then they are taken from there.
  static bool takes(std::vector<std::size_t>& lines, const std::vector<std::size_t>& some) {
    if (!std::includes(lines.begin(), lines.end(), some.begin(), some.end())) return false;
    std::vector<std::size_t> rest;
    std::set_difference(lines.begin(), lines.end(), some.begin(), some.end(), std::back_inserter(rest));
    lines = std::move(rest);
    return true;
  }

  /// The host and what is outside are few, and matter more than one namespace among many.
  [[nodiscard]] bool is_outer(const std::string& name) const {
    const auto& model = comparison_.names(side_)->model();
    return name == "host" || !model.network().find(name.substr(0, name.find(':')));
  }

  /// "lan without node7", of lines that are nearly all that has a name; which are taken out of them. Empty: there is no such name.
  template <class T>
  [[nodiscard]] std::string all_but_few(const std::vector<T>& all, const Groups<T>& groups, std::vector<std::size_t>& lines) const {
    const auto& sets = comparison_.names(side_)->sets();
    for (const Heading& heading : groups.headings) {
      std::vector<std::size_t> inside, missing;
      std::set_intersection(lines.begin(), lines.end(), heading.lines.begin(), heading.lines.end(), std::back_inserter(inside));
      std::set_difference(heading.lines.begin(), heading.lines.end(), inside.begin(), inside.end(), std::back_inserter(missing));
      const auto names = members_of(all, groups, missing);
      if (members_of(all, groups, inside).size() <= most_names || names.size() > 2 || sets[heading.name].kind == NamedSet::Kind::any) continue;
      takes(lines, inside);
      return sets[heading.name].name + " without " + listed(names);
    }
    return {};
  }

  [[nodiscard]] Change change_of(const Block& block) {
    Change change;
    change.kind = kind_;
    change.from = crowd_of(comparison_.senders(), senders_, block.row_name, block.rows);
    change.to = crowd_of(comparison_.units(), units_, block.column_name, block.columns);
    const News& news = *news_by_cell_[block.cell - no_pair - 1];
    change.services = news.services;
    change.family = news.family;
    if (block.row_name == Block::unnamed && change.from.members.size() > 1 && change.from.members == change.to.members) name_mutual(change);
    explain(change, block);
    return change;
  }

  /// Everybody listed with everybody else.
  static void name_mutual(Change& change) {
    if (change.from.members.size() > 2) {
      change.to.text = "one another";
      return;
    }
    change.both_ways = true;
    for (Crowd* crowd : {&change.from, &change.to}) {
      std::string name = crowd == &change.from ? crowd->members.front() : crowd->members.back();
      *crowd = {name, {name}};
    }
  }

  /// What decides now over the first of its pairs.
  void explain(Change& change, const Block& block) const {
    if (comparison_.names(after) == nullptr) return;
    const std::uint16_t port = change.services.ranges().front().first;
    const Protocol protocol = change.services.ranges().front().protocol;
    for (const std::size_t row : block.rows) {
      for (const std::size_t column : block.columns) {
        if (table_.at(row, column) != block.cell && (second_.cells.empty() || second_.at(row, column) != block.cell)) continue;
        const Sender& sender = comparison_.senders()[senders_.members[row].front()];
        const Unit& unit = comparison_.units()[units_.members[column].front()];
        for (const std::size_t target : unit.targets[after]) {
          const Model& now = model(after);
          const Outcome* outcome = sender.numbers[after] == none ? nullptr : now.outcome(sender.numbers[after], target);
          if (outcome == nullptr || (change.family && now.targets()[target].family != *change.family)) continue;
          const Span& span = span_of(outcome->spans, protocol, port);
          if ((span.ruled.verdict == Verdict::allowed) != (kind_ == Change::Kind::allowed)) continue;
          change.now = span.ruled.verdict;
          change.why = text_of(now, sender.numbers[after], target, span.ruled);
          change.at = position_of(now, span.ruled.reason);
          return;
        }
      }
    }
  }

  static const Span& span_of(const Spans& spans, Protocol protocol, std::uint16_t port) {
    return *std::find_if(spans.begin(), std::prev(spans.end()), [&](const Span& span) {
      return span.service.protocol == protocol && (protocol == Protocol::icmp || (span.service.first <= port && port <= span.service.last));
    });
  }

  static void join_directions(std::vector<Change>& changes) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      Change& one = changes[i];
      if (one.from.text == one.to.text) one.both_ways = true;
      for (std::size_t k = i + 1; k < changes.size(); ++k) {
        const Change& other = changes[k];
        if (one.both_ways || other.both_ways || one.from.text != other.to.text || one.to.text != other.from.text || one.family != other.family ||
            !(one.services == other.services))
          continue;
        one.both_ways = true;
        changes.erase(changes.begin() + static_cast<std::ptrdiff_t>(k));
        break;
      }
    }
  }

  struct Hash {
    std::size_t operator()(const std::array<std::size_t, 6>& key) const {
      std::size_t sum = 0;
      for (const std::size_t part : key) sum = sum * 1000003 + part;
      return sum;
    }
  };

  const Comparison& comparison_;
  Groups<Sender> senders_;
  Groups<Unit> units_;
  Change::Kind kind_ = Change::Kind::allowed;
  Side side_ = after;
  Table table_, second_;
  std::vector<News> news_;
  std::vector<Services> services_{Services()};  ///< number 0 is none at all
  std::map<Services, std::size_t> numbers_{{Services(), 0}};
  std::array<std::vector<std::size_t>, 2> allowed_;  ///< by outcome number
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> united_;
  std::unordered_map<std::array<std::size_t, 6>, std::array<Cell, 2>, Hash> known_news_;
  std::map<News, Cell> cells_;
  std::vector<const News*> news_by_cell_;
  mutable std::map<std::string, std::size_t> units_of_;
};

}  // namespace

std::string listed(std::vector<std::string> names) {
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return std::pair(a.size(), a) < std::pair(b.size(), b); });
  std::string text;
  const std::size_t shown = names.size() <= most_names ? names.size() : most_names - 1;
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return shown == names.size() ? text : text + " and " + std::to_string(names.size() - shown) + " more";
}

Changes compare(const Names* is, const Names* shall) {
  const Comparison comparison(is, shall);
  Comparing comparing(comparison);
  Changes found;
  const auto add = [&](std::vector<Change> more) { std::move(more.begin(), more.end(), std::back_inserter(found.changes)); };
  Published published = compare_published(is, shall);
  add(comparing.tell(Change::Kind::allowed));
  add(std::move(published.allowed));
  add(std::move(published.moved));
  std::vector<Change> denied = comparing.tell(Change::Kind::denied);
  const auto is_lost = [](const Change& change) { return change.now == Verdict::unroutable; };
  found.breaks = std::any_of(denied.begin(), denied.end(), is_lost);
  found.cuts = !std::all_of(denied.begin(), denied.end(), is_lost) || !published.denied.empty() ||
               std::any_of(found.changes.begin(), found.changes.end(), [](const Change& change) { return change.kind == Change::Kind::moved; });
  add(std::move(denied));
  add(std::move(published.denied));
  if (is != nullptr && shall != nullptr) add(still_denied(found.changes, *shall));
  return found;
}

}  // namespace topo::reach
