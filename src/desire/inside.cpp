// What a namespace has in its /etc.
#include "desire/inside.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "resources/etc/etc.hpp"
#include "topo/names.hpp"

namespace topo::network {
namespace {

/// The addresses that `space` answers at, those of a network that `asker` is in as well first, since a program may try but one.
std::vector<IpAddress> addresses_of(const Network& network, const Space& space, const Space& asker) {
  std::vector<IpAddress> near, far;
  const auto is_near = [&](const Cidr& address) {
    return std::any_of(asker.interfaces.begin(), asker.interfaces.end(), [&](const EndRef& ref) {
      const auto& own = network.end(ref).addresses;
      return std::any_of(own.begin(), own.end(), [&](const auto& it) { return it.value.network() == address.network(); });
    });
  };
  for (const EndRef& ref : space.interfaces) {
    for (const auto& [address, at] : network.end(ref).addresses) (is_near(address) ? near : far).push_back(address.address());
  }
  for (const auto& [address, at] : space.loopback) {
    if (!address.address().is_loopback()) far.push_back(address.address());
  }
  std::erase_if(far, is_v6_link_local);
  std::erase_if(near, is_v6_link_local);
  near.insert(near.end(), far.begin(), far.end());
  return near;
}

bool has_one_address(const Network& network, const Space& space) {
  std::size_t count = space.loopback.size();
  for (const EndRef& ref : space.interfaces) count += network.end(ref).addresses.size();
  return count <= 1;
}

std::string key_of(const Space& space, const std::string& name) { return name.find('/') == std::string::npos ? space.name + "/" + name : name; }

/// When each command starts: one that comes after others has a greater number.
struct Turns {
  std::map<std::string, int> turns;
  const Located<std::string>* circle = nullptr;  ///< an `after` that leads back to where it began
};

class TurnFinder {
 public:
  explicit TurnFinder(const Network& network) {
    for (const Space& space : network.spaces) {
      for (const CommandSpec& command : space.spec->run) commands_[key_of(space, command.name)] = {&space, &command};
    }
  }

  Turns find() {
    for (const auto& [key, command] : commands_) (void)turn_of(key, 0);
    return std::move(found_);
  }

 private:
  int turn_of(const std::string& key, std::size_t depth) {
    if (const auto known = found_.turns.find(key); known != found_.turns.end()) return known->second;
    const auto [space, command] = commands_.at(key);
    int turn = 0;
    for (const auto& after : command->after) {
      const std::string other = key_of(*space, after.value);
      if (!commands_.contains(other)) continue;
      // In a way longer than there are commands one comes twice.
      if (depth >= std::min(commands_.size(), deepest) || other == key) {
        if (found_.circle == nullptr) found_.circle = &after;
        continue;
      }
      turn = std::max(turn, turn_of(other, depth + 1) + 1);
      if (found_.circle != nullptr) break;
    }
    return found_.turns[key] = turn;
  }

  static constexpr std::size_t deepest = 1000;
  std::map<std::string, std::pair<const Space*, const CommandSpec*>> commands_;
  Turns found_;
};

Turns turns_of(const Network& network) { return TurnFinder(network).find(); }

void check_commands(Network& network) {
  std::vector<std::string> known;
  bool doubtful = network.topology.doubtful;
  for (const Space& space : network.spaces) {
    for (const CommandSpec& command : space.spec->run) known.push_back(space.name + "/" + command.name);
    doubtful = doubtful || space.doubtful;
  }
  const std::set<std::string> all(known.begin(), known.end());
  for (const Space& space : network.spaces) {
    for (const CommandSpec& command : space.spec->run) {
      for (const auto& after : command.after) {
        if (doubtful || all.contains(key_of(space, after.value))) continue;
        auto near = nearest(key_of(space, after.value), known);
        if (near && near->starts_with(space.name + "/") && after.value.find('/') == std::string::npos) near->erase(0, space.name.size() + 1);
        network.mistakes.refuse(after.at, "there is no command " + in_quotes(key_of(space, after.value)), near ? "did you mean '" + *near + "'?" : "",
                                after.value.size());
      }
    }
  }
  const Located<std::string>* const circle = turns_of(network).circle;
  if (circle != nullptr) network.mistakes.refuse(circle->at, "commands come after one another in a circle", {}, circle->value.size());
}

}  // namespace

Inside::Inside(const Network& network) : network_(network) {
  // Where no namespace has several addresses, there is no order in which they could come, and one text for all.
  turns_ = turns_of(network).turns;
  is_alike_ = std::all_of(network.spaces.begin(), network.spaces.end(), [&](const Space& space) { return has_one_address(network, space); });
}

std::shared_ptr<const std::string> Inside::hosts_of(const Space& asker) {
  const HostsSpec& spec = *asker.spec->hosts;
  const std::string& topology = network_.topology.name.value;
  if (!spec.all) return std::make_shared<const std::string>(hosts_text(topology, spec.names, false));
  if (is_alike_ && hosts_of_all_) return hosts_of_all_;
  HostNames names;
  for (const Space& space : network_.spaces) names.emplace_back(space.name, addresses_of(network_, space, asker));
  hosts_of_all_ = std::make_shared<const std::string>(hosts_text(topology, names, true));
  return hosts_of_all_;
}

std::optional<Etc> Inside::etc_of(const Space& space) {
  const NamespaceSpec& spec = *space.spec;
  if (spec.dns.empty() && !spec.hosts && !spec.etc) return std::nullopt;
  Etc etc{space.name, {}, {}, {}};
  if (spec.etc) {
    etc.files = spec.etc->files;
    etc.folder = spec.etc->folder;
  }
  if (!spec.dns.empty()) {
    std::vector<IpAddress> servers;
    for (const auto& server : spec.dns) servers.push_back(server.value);
    etc.files[resolver_file] = {0644, std::make_shared<const std::string>(resolver_text(network_.topology.name.value, servers))};
  }
  if (spec.hosts) etc.files[hosts_file] = {0644, hosts_of(space)};
  return etc;
}

std::vector<Command> Inside::commands_of(const Space& space, const std::optional<Etc>& etc) const {
  std::vector<Command> commands;
  for (const CommandSpec& spec : space.spec->run) {
    Command& command = commands.emplace_back();
    command.ns = space.name;
    command.name = spec.name;
    command.words = spec.words;
    command.ready = spec.ready;
    for (const auto& after : spec.after) command.after.push_back(key_of(space, after.value));
    std::sort(command.after.begin(), command.after.end());
    if (etc) command.files = fingerprint(*etc);
    command.turn = turns_.at(command.key());
  }
  return commands;
}

void check_inside(Network& network) {
  check_commands(network);
  for (const Space& space : network.spaces) {
    const NamespaceSpec& spec = *space.spec;
    if (!spec.etc) continue;
    const auto refuse = [&](const Position& at, const char* key, const char* file) {
      if (!spec.etc->files.contains(file)) return;
      network.mistakes.refuse(at, "namespace " + in_quotes(space.name) + " gets its " + file + " from `etc` already",
                              "leave `" + std::string(key) + "` out, or take the file out of " + spec.etc->folder);
    };
    if (!spec.dns.empty()) refuse(spec.dns.front().at, "dns", resolver_file);
    if (spec.hosts) refuse(spec.hosts->at, "hosts", hosts_file);
  }
}

}  // namespace topo::network
