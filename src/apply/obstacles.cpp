#include "apply/obstacles.hpp"

#include "resources/link/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

class Search {
 public:
  Search(const Reading& reading, const std::map<std::string, std::string>& strangers, const Graph& live)
      : reading_(reading), strangers_(strangers), live_(live) {}

  std::vector<Obstacle> run() {
    for (const Namespace* wanted : reading_.desired.all<Namespace>()) {
      if (const auto found = strangers_.find(wanted->name); found != strangers_.end()) add("namespace " + wanted->name, found->second);
    }
    for (const Bridge* wanted : reading_.desired.all<Bridge>()) check_name(wanted->ns, wanted->name);
    for (const Veth* wanted : reading_.desired.all<Veth>()) {
      for (const VethEnd& end : wanted->ends) check_name(end.ns, end.name);
    }
    for (const Address* wanted : reading_.desired.all<Address>()) check_subnet(*wanted);
    return std::move(found_);
  }

 private:
  void add(std::string what, std::string why) { found_.push_back({std::move(what), std::move(why), false}); }

  [[nodiscard]] bool is_ours(const kernel::LinkRecord& link, const std::string& ns) const {
    return (!ns.empty() && link.index == 1) || link::is_owned(link, ns, reading_.topology);
  }

  [[nodiscard]] static std::string owner_text(const kernel::LinkRecord& link) {
    const auto owner = owner_of(link.alias);
    return owner ? "belongs to topology " + *owner : "is not made by topo";
  }

  void check_name(const std::string& ns, const std::string& name) {
    const auto place = reading_.places.find(ns);
    if (place == reading_.places.end()) return;
    const kernel::LinkRecord* const link = place->second->snapshot.link(name);
    if (link == nullptr || (is_ours(*link, ns) && link->name == name)) return;
    const std::string alias = link->name == name ? "" : "is another name of " + link->name + ", which ";
    add("interface " + (ns.empty() ? "" : ns + ":") + name, alias + owner_text(*link));
  }

  /// Only in the gateway: a namespace of our own has no other networks than those of the file.
  void check_subnet(const Address& wanted) {
    const bool link_local = wanted.address.family() == Family::v6 && wanted.address.address().is_link_local();
    if (!wanted.ns.empty() || link_local || live_.find(id_of(wanted)) != nullptr) return;
    const kernel::Place& host = *reading_.places.at("");
    for (const auto& record : host.snapshot.addresses) {
      if (record.address.prefix() == 0 || !record.address.network().overlaps(wanted.address.network())) continue;
      const kernel::LinkRecord* const link = host.snapshot.link(record.link);
      if (link == nullptr || is_ours(*link, "")) continue;
      add("subnet " + wanted.address.network().to_string() + " of " + wanted.interface,
          "overlaps " + record.address.to_string() + " on " + link->name + ", which " + owner_text(*link));
      return;
    }
  }

  const Reading& reading_;
  const std::map<std::string, std::string>& strangers_;
  const Graph& live_;
  std::vector<Obstacle> found_;
};

}  // namespace

std::vector<Obstacle> obstacles(const Reading& reading, const std::map<std::string, std::string>& strangers, const Graph& live) {
  return Search(reading, strangers, live).run();
}

}  // namespace topo
