// A machine's network in memory. It refuses what the kernel refuses and, unasked, drops what the kernel drops; it knows no plan.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diff/obstacle.hpp"
#include "diff/plan.hpp"
#include "graph/graph.hpp"

namespace topo::test {

/// Why the machine does not do what it is asked; `error` is an errno.
struct Refusal {
  int error = 0;
  std::string why;
};
using Answer = std::optional<Refusal>;  // nullopt: it is done

/// Something in the machine; `owner` is a topology's name, empty for what nobody's mark is on.
struct Thing {
  Resource resource;
  std::string owner;
  bool operator==(const Thing&) const = default;
};

class Machine {
 public:
  /// From now on as LinuxKernel does it, which asks for some things over which the kernel's refusal is none to it. Before, these are refused as well:
  /// a plan has no use for them.
  void be_lenient() { lenient_ = true; }

  [[nodiscard]] Answer create(const Resource& wanted, const std::string& owner);
  [[nodiscard]] Answer modify(const Resource& after, const std::string& owner);
  [[nodiscard]] Answer remove(const Resource& live);
  /// Begins with the change and does not finish it: what of it is several requests to a kernel stops after the first.
  void begin(const Change& change, const std::string& owner);
  /// A namespace that has no name yet ends, and with it every cable into it.
  void end_namespace(const std::string& ns);
  /// Somebody changes something that no attribute tells: takes it down, takes its mark.
  void spoil(const Id& id, const std::string& how);

  /// What LinuxKernel::observe says of it.
  [[nodiscard]] Graph observe(const Graph& desired) const;
  /// What holds a name or an address that `desired` wants and `observe` does not show.
  [[nodiscard]] Hindrances find_hindrances(const Graph& desired) const;

  [[nodiscard]] const std::map<Id, Thing>& things() const { return things_; }
  /// In words, what is not as in `other`: also what a packet would notice and no resource tells, the first address of a subnet and the settings.
  [[nodiscard]] std::vector<std::string> differences_from(const Machine& other) const;

 private:
  [[nodiscard]] bool is_there(const std::string& name) const { return name == "interface :lo" || names_.contains(name); }
  [[nodiscard]] Answer lacks(const Resource& resource) const;
  [[nodiscard]] Answer exists(const Resource& resource) const;
  [[nodiscard]] Answer check(const Resource& resource) const;
  [[nodiscard]] Answer check_route(const Route& route) const;
  [[nodiscard]] bool reaches(const Route& route, const NextHop& hop) const;
  [[nodiscard]] Answer check_address(const Address& address) const;
  /// An interface whose MTU is too small for it has none; on another it may be disabled, and the kernel knows it still.
  enum class Ipv6 { none, disabled, on };
  [[nodiscard]] Ipv6 ipv6_of(const std::string& ns, const std::string& interface) const;
  [[nodiscard]] bool has_ipv6(const std::string& ns, const std::string& interface) const { return ipv6_of(ns, interface) == Ipv6::on; }
  void put(Resource resource, const std::string& owner);

  Resource extract(const Id& id);
  void drop_what_needs(const std::string& name);
  void lose_address(const Address& address);
  void lose_routes(const Address& address);
  void lose_ipv6(const std::string& ns, const std::string& interface);
  void release_ports(const Bridge& bridge);

  // Settings of our own namespaces; those of the host are part of its resources.
  [[nodiscard]] std::string setting(const std::string& ns, const std::string& name) const;
  void set(const std::string& ns, const std::string& name, const std::string& value);
  void set_forwarding(const std::string& ns, const std::string& family, bool on);
  void prepare_interface(const std::string& ns, const std::string& interface, bool is_new);
  void forget_settings(const std::string& ns, const std::string& below);
  [[nodiscard]] std::string setting_of_fresh(const std::string& ns, const std::string& name) const;

  [[nodiscard]] bool is_decided(const std::string& ns, const std::string& setting) const;
  [[nodiscard]] Namespace told(const Namespace& ns) const;
  [[nodiscard]] Veth told(const Veth& cable, const Graph& desired) const;

  template <class T, class Predicate>
  [[nodiscard]] bool any(Predicate predicate) const {
    for (const auto& [id, thing] : things_) {
      if (const T* it = std::get_if<T>(&thing.resource); it != nullptr && predicate(*it)) return true;
    }
    return false;
  }

  bool lenient_ = false;
  std::map<Id, Thing> things_;
  std::map<std::string, Id> names_;                                     ///< what they provide
  std::map<std::string, std::vector<std::string>> subnets_;             ///< the addresses of each IPv4 subnet of an interface, in their order
  std::map<std::string, std::map<std::string, std::string>> settings_;  ///< by namespace and name, those that were ever set
  std::map<std::string, std::string> leftovers_;                        ///< names of namespaces that are gone but for their file: whose they are
};

/// The namespace that it is in; empty: the host, or it is one itself.
[[nodiscard]] std::string place_of(const Resource& resource);

/// The machine on which nothing was ever there but `graph`. Throws std::logic_error where it is refused.
[[nodiscard]] Machine machine_with(const Graph& graph);

/// `graph` without what a kernel would refuse.
[[nodiscard]] Graph pruned(const Graph& graph);

}  // namespace topo::test
