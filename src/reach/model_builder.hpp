// Fills a Model: traces a way for each two kinds of stations, and judges it for each two classes.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reach/classes.hpp"
#include "reach/model.hpp"

namespace topo::reach {

class ModelBuilder {
 public:
  explicit ModelBuilder(Model& model)
      : model_(model), network_(model.network()), intent_(model.intent()), kinds_(kinds_of(network_, model.relations())) {}
  void build();

 private:
  /// A way between two stations that stand for all of their kinds.
  struct Pattern {
    Way way;
    std::size_t sender = none, receiver = none;
    /// A crossing is about the receiver as sender: whom statements name there matters too.
    bool reversed = false;
  };
  using Targets = std::vector<std::size_t>;

  // model_parties.cpp
  void add_parties(bool whole);
  void add_targets();
  void add_address_targets(std::size_t receiver);
  void add_port_targets();
  void add_target(Target target, const std::vector<std::size_t>& group);
  void index_targets();
  void index_decisions();

  [[nodiscard]] std::size_t holder_of(const Target& target) const { return network_.station_of(intent_.ports[target.map].member); }
  [[nodiscard]] std::size_t source_of(const Party& sender) const;
  [[nodiscard]] std::size_t home_of(const Party& party) const;
  [[nodiscard]] std::size_t home_of(const Target& target) const;
  [[nodiscard]] bool is_at_home(const Party& party) const;
  [[nodiscard]] bool is_many(const Party& party) const;
  [[nodiscard]] bool speaks(const Party& sender, const Target& target) const;

  // model_builder.cpp
  [[nodiscard]] bool find_reversed();
  [[nodiscard]] std::optional<Pattern> trace(const Party& sender, const Target& target) const;
  [[nodiscard]] const Pattern* pattern(const Party& sender, std::size_t target);
  void fill(std::size_t sender, std::size_t group);
  void fill_alike(std::size_t sender, std::size_t group, bool at_home);
  void fill_each(std::size_t sender, const Targets& targets, std::uint32_t rest);
  void fill_itself();
  [[nodiscard]] std::vector<std::size_t> named_by(const Pattern& pattern, const Party& sender) const;
  [[nodiscard]] Targets named(const Pattern& pattern, std::size_t sender, std::size_t group, bool at_home) const;
  [[nodiscard]] std::uint32_t judge(const Pattern& pattern, std::size_t sender, std::size_t target);
  [[nodiscard]] std::uint32_t judge_between(const Pattern& pattern, std::size_t from, std::size_t to, const Target& target);
  [[nodiscard]] Crossing placed(Crossing crossing, const Pattern& pattern, std::size_t from, std::size_t to) const;
  void move(std::size_t& member, std::size_t& segment, std::size_t from, std::size_t to) const;
  [[nodiscard]] std::uint32_t number_of(const Rulings& rulings, const Target& target, const std::optional<Loss>& loss);

  Model& model_;
  const Network& network_;
  const policy::Intent& intent_;
  Kinds kinds_;
  std::map<std::vector<std::size_t>, std::size_t> groups_;
  std::vector<Targets> targets_in_;                                   ///< of each group
  std::vector<std::unordered_map<std::size_t, Targets>> targets_at_;  ///< of each group, by their home
  std::vector<Targets> targets_of_;                                   ///< of each receiver, port maps among them
  std::vector<std::vector<std::size_t>> receivers_of_decision_;       ///< that a statement names, but not by `any`
  std::map<std::vector<std::size_t>, std::optional<Pattern>> patterns_;
  std::optional<Pattern> alone_;  ///< between two of whose kinds there is no other
  std::map<std::vector<std::size_t>, std::uint32_t> numbers_;
};

}  // namespace topo::reach
