// One legacy table of one namespace, through libiptc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firewall/backend.hpp"
#include "firewall/iptables/entry.hpp"

namespace topo::firewall {

struct TableId {
  Family family = Family::v4;
  netfilter::Table table = netfilter::Table::filter;
  auto operator<=>(const TableId&) const = default;
  /// "filter", "nat" or "raw".
  [[nodiscard]] std::string name() const;
  /// "the IPv4 table filter", for messages.
  [[nodiscard]] std::string title() const;
};
inline constexpr TableId all_tables[] = {{Family::v4, netfilter::Table::filter}, {Family::v6, netfilter::Table::filter},
                                         {Family::v4, netfilter::Table::nat},    {Family::v6, netfilter::Table::nat},
                                         {Family::v4, netfilter::Table::raw},    {Family::v6, netfilter::Table::raw}};

/// Those of all_tables that exist in `place`. Asks /proc/net/ip_tables_names, for to open a table is to make it.
[[nodiscard]] Result<std::vector<TableId>> existing_tables(const Place& place);
/// The same of the calling thread's namespace.
[[nodiscard]] Result<std::vector<TableId>> existing_tables_here();

/// A snapshot of a table and what shall change in it. Nothing happens in the kernel before commit.
class Table {
 public:
  /// Reads the table and makes it where the kernel has none yet. Loads the table's modules where modprobe can.
  [[nodiscard]] static Result<Table> open(const Place& place, TableId id);
  Table(Table&&) noexcept;
  Table& operator=(Table&&) noexcept;
  ~Table();

  [[nodiscard]] TableId id() const { return id_; }
  [[nodiscard]] std::vector<std::string> chains() const;
  [[nodiscard]] bool has_chain(const std::string& chain) const;
  [[nodiscard]] bool is_builtin(const std::string& chain) const;
  /// "ACCEPT" or "DROP"; empty for a chain that is not built in.
  [[nodiscard]] std::string policy(const std::string& chain) const;
  [[nodiscard]] std::vector<Entry> rules(const std::string& chain) const;
  /// How many packets each of them has met.
  [[nodiscard]] std::vector<std::uint64_t> packets(const std::string& chain) const;

  [[nodiscard]] Result<void> create(const std::string& chain);
  [[nodiscard]] Result<void> flush(const std::string& chain);
  /// The chain must be empty. Exit::conflict where rules that are not topo's jump to it.
  [[nodiscard]] Result<void> erase(const std::string& chain);
  [[nodiscard]] Result<void> append(const std::string& chain, const Entry& entry);
  [[nodiscard]] Result<void> insert_first(const std::string& chain, const Entry& entry);
  /// `index` counts from 0.
  [[nodiscard]] Result<void> erase_rule(const std::string& chain, std::size_t index);

  enum class Outcome : std::uint8_t {
    done,
    overtaken,        ///< somebody changed the table meanwhile: read it again
    lacks_extension,  ///< the kernel does not know a match or a target
    /// The kernel refuses a rule; or all is done, and somebody changed the table again before libiptc had given the rules their counters back.
    refused,
  };
  /// Replaces the kernel's table by this one, in one piece. To be called once; the object is spent then.
  [[nodiscard]] Result<Outcome> commit();

 private:
  struct Snapshot;
  explicit Table(TableId id, std::unique_ptr<Snapshot> snapshot);
  [[nodiscard]] Error failure(const std::string& what, int number) const;

  TableId id_;
  std::unique_ptr<Snapshot> snapshot_;
};

/// The first of `needed` that the kernel lacks in `place`, after trying to load it.
[[nodiscard]] Result<std::optional<Extension>> missing_extension(const Place& place, Family family, const std::vector<Extension>& needed);

}  // namespace topo::firewall
