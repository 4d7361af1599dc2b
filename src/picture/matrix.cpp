#include "picture/matrix.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "reach/model.hpp"
#include "reach/words.hpp"
#include "topo/names.hpp"

namespace topo::picture {
namespace {

using reach::Verdict;

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& it : texts) text += (text.empty() ? "" : ", ") + it;
  return text;
}

class Table {
 public:
  Table(const Scene& scene, const reach::Model& model) : scene_(scene), model_(model) {
    for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
      for (const std::string& space : scene.nodes[i].spaces) node_of_[space] = i;
    }
  }

  Matrix fill() {
    Matrix matrix;
    for (const reach::Party& party : model_.senders()) matrix.from.push_back(named(party));
    for (const reach::Party& party : model_.receivers()) matrix.to.push_back(named(party));
    std::map<MatrixEntry, std::size_t> numbers;
    for (std::size_t from = 0; from < matrix.from.size(); ++from) {
      std::vector<std::size_t>& row = matrix.entry_of.emplace_back();
      for (std::size_t to = 0; to < matrix.to.size(); ++to) {
        if (nobody_else(from, to)) {
          row.push_back(nowhere);
          continue;
        }
        MatrixEntry entry = entry_for(from, to);
        const auto [found, fresh] = numbers.emplace(entry, matrix.entries.size());
        if (fresh) matrix.entries.push_back(std::move(entry));
        row.push_back(found->second);
      }
    }
    return matrix;
  }

 private:
  [[nodiscard]] MatrixParty named(const reach::Party& party) const {
    if (party.kind == reach::Party::Kind::host) return {"host", nodes_of(Node::Kind::host)};
    if (party.kind == reach::Party::Kind::outside) return outside(model_.regions()[party.region]);
    std::set<std::size_t> nodes;
    for (const std::size_t station : party.stations) {
      const auto node = node_of_.find(printable(model_.network().stations()[station].name));
      if (node != node_of_.end()) nodes.insert(node->second);
    }
    MatrixParty made{{}, {nodes.begin(), nodes.end()}};
    std::vector<std::string> names;
    for (const std::size_t node : nodes) names.push_back(scene_.nodes[node].name);
    constexpr std::size_t most_names = 3;
    if (names.size() > most_names) {
      const std::size_t rest = names.size() - most_names + 1;
      names.resize(most_names - 1);
      names.push_back(std::to_string(rest) + " more");
    }
    made.name = joined(names);
    return made;
  }

  [[nodiscard]] MatrixParty outside(const reach::Region& region) const {
    if (region.networks.empty()) return {"internet", nodes_of(Node::Kind::internet)};
    std::vector<std::string> texts;
    for (const Cidr& network : region.networks) texts.push_back(network.to_string());
    MatrixParty made{joined(texts)};
    for (const std::size_t node : nodes_of(Node::Kind::outside)) {
      const auto& lines = scene_.nodes[node].lines;
      if (std::any_of(texts.begin(), texts.end(), [&](const std::string& it) { return std::find(lines.begin(), lines.end(), it) != lines.end(); }))
        made.nodes.push_back(node);
    }
    return made;
  }

  [[nodiscard]] std::vector<std::size_t> nodes_of(Node::Kind kind) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < scene_.nodes.size(); ++i) {
      if (scene_.nodes[i].kind == kind) found.push_back(i);
    }
    return found;
  }

  /// The two are one station, or the host and the outside, between which topo filters nothing.
  [[nodiscard]] bool nobody_else(std::size_t from, std::size_t to) const {
    const reach::Party &a = model_.senders()[from], &b = model_.receivers()[to];
    using Kind = reach::Party::Kind;
    if (a.kind != Kind::namespaces && b.kind != Kind::namespaces) return true;
    return a.kind == b.kind && a.stations.size() == 1 && a.stations == b.stations;
  }

  /// What becomes of services: those that pass and those that do not, each with what decides.
  struct Sum {
    std::vector<std::string> passing, blocked;
    bool rest_passes = false;
    auto operator<=>(const Sum&) const = default;
  };

  void add(const reach::Outcome& outcome, Sum& sum, std::set<std::string>& why) const {
    for (const reach::Span& span : outcome.spans) {
      const bool passes = span.ruled.verdict == Verdict::allowed;
      if (span.service.protocol == Protocol::any) {
        sum.rest_passes = passes;
      } else {
        (passes ? sum.passing : sum.blocked).push_back(reach::to_text(span.service));
      }
      why.insert(reach::text_of(model_, span.ruled, outcome.loss));
    }
  }

  /// A port map is not what services are counted by: it is told as it is written.
  [[nodiscard]] MatrixEntry entry_for(std::size_t from, std::size_t to) const {
    std::map<Family, Sum> sums;
    std::set<std::string> why;
    std::vector<std::string> ports;
    for (const std::size_t index : model_.targets_of(to)) {
      const reach::Target& target = model_.targets()[index];
      const reach::Outcome* outcome = model_.outcome(from, index);
      if (outcome == nullptr) continue;
      Sum sum;
      add(*outcome, sum, why);
      const auto [first, fresh] = sums.emplace(target.family, sum);
      // Of several addresses the one that lets more pass tells: it is enough to be reached by one.
      if (!fresh && first->second < sum) first->second = sum;
    }
    for (const std::size_t index : model_.port_targets()) {
      const reach::Target& target = model_.targets()[index];
      if (const reach::Outcome* outcome = target.party == to ? model_.outcome(from, index) : nullptr) add_port(target, *outcome, ports, why);
    }
    std::vector<std::string> texts;
    bool all = !sums.empty(), none = ports.empty();
    std::map<std::string, std::vector<std::string>> families;
    for (const auto& [family, sum] : sums) {
      families[text_of(sum)].push_back(family == Family::v4 ? "IPv4" : "IPv6");
      all = all && sum.rest_passes && sum.blocked.empty();
      none = none && !sum.rest_passes && sum.passing.empty();
    }
    for (const auto& [text, of] : families) {
      if (text != "none" || (families.size() > 1)) texts.push_back(families.size() > 1 ? of.front() + ": " + text : text);
    }
    texts.insert(texts.end(), ports.begin(), ports.end());
    MatrixEntry entry{all ? MatrixEntry::Extent::all : none ? MatrixEntry::Extent::none : MatrixEntry::Extent::some, joined(texts), {why.begin(), why.end()}};
    if (entry.extent == MatrixEntry::Extent::none) entry.services = "none";
    return entry;
  }

  void add_port(const reach::Target& target, const reach::Outcome& outcome, std::vector<std::string>& ports, std::set<std::string>& why) const {
    const policy::PortMap& map = model_.intent().ports[target.map];
    const bool passes = std::any_of(outcome.spans.begin(), outcome.spans.end(), [](const reach::Span& it) { return it.ruled.verdict == Verdict::allowed; });
    if (!passes) return;
    const std::string text = "port " + map.text.substr(0, map.text.find(" -> "));
    if (std::find(ports.begin(), ports.end(), text) == ports.end()) ports.push_back(text);
    why.insert("port " + map.text);
  }

  static std::string text_of(const Sum& sum) {
    if (sum.rest_passes) return sum.blocked.empty() ? "all" : "all but " + joined(sum.blocked);
    return sum.passing.empty() ? "none" : joined(sum.passing);
  }

  const Scene& scene_;
  const reach::Model& model_;
  std::map<std::string, std::size_t> node_of_;
};

}  // namespace

Matrix matrix_of(const Scene& scene, const Graph& desired, const policy::Intent& intent) {
  const reach::Model model(desired, intent);
  return Table(scene, model).fill();
}

}  // namespace topo::picture
