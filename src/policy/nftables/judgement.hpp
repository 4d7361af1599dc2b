// What becomes of the packets of one place, by all decisions about who is there: sets of pairs, of whoever is there, and of groups of members.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "policy/nftables/lookups.hpp"
#include "policy/relations.hpp"

namespace topo::policy::nft {

/// One way to meet the other end of a flow.
struct Encounter {
  Condition condition;
  Part part;
};

class Judgement {
 public:
  struct Manner {
    std::function<std::vector<Part>(std::size_t member)> sender;          ///< how a member's packets are known
    std::function<std::vector<Encounter>(std::size_t decision)> towards;  ///< how those to whom a decision is about are
    Action pass, block;
    bool in_bridge = false;  ///< as in services()
  };
  /// `name` is that of the place, in the names of sets and chains.
  Judgement(const Relations& relations, Table& table, std::string name, Manner manner)
      : relations_(relations), table_(table), name_(std::move(name)), manner_(std::move(manner)) {}

  /// Decisions about all who are there.
  void add_all(const Decisions& ids);
  /// Those that name some of `members` alone.
  void add_members(const std::vector<std::size_t>& members);
  /// Writes what the rules need. To be called once, after all is added.
  void put();

  /// The denies; then the allows of members; then those of all.
  [[nodiscard]] std::vector<Rule> denies() const;
  [[nodiscard]] std::vector<Rule> denies_of_all() const { return all_[0].rules(manner_.block); }
  [[nodiscard]] std::vector<Rule> allows_of_members() const { return of_members(1, manner_.pass); }
  [[nodiscard]] std::vector<Rule> allows_of_all() const { return all_[1].rules(manner_.pass); }

 private:
  using Members = std::vector<std::size_t>;
  /// So many pairs are listed; of more, those who send are gathered in groups.
  static constexpr std::size_t listed_max = 64;

  void add(Lookups& lookups, const Part& sender, std::size_t decision) const;
  void put_groups(std::size_t side);
  [[nodiscard]] std::vector<Rule> of_members(std::size_t side, const Action& action) const;

  const Relations& relations_;
  Table& table_;
  std::string name_;
  Manner manner_;
  // [0] denies, [1] allows
  Lookups all_[2], pairs_[2];
  std::map<std::size_t, Decisions> grouped_[2];  ///< of a member: the decisions that are about too many pairs
  std::vector<Rule> jumps_[2];                   ///< to groups
};

/// "deny a -> b:80", cut to what a comment holds.
[[nodiscard]] std::string comment_of(const Decision& decision);

}  // namespace topo::policy::nft
