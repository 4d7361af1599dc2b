// What a namespace has in its /etc.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "desire/network.hpp"
#include "resources/command/command.hpp"
#include "resources/etc/etc.hpp"

namespace topo::network {

class Inside {
 public:
  explicit Inside(const Network& network);
  /// Nullopt where the file says nothing of it.
  [[nodiscard]] std::optional<Etc> etc_of(const Space& space);
  /// Those of one namespace; `etc` is what it has in its /etc.
  [[nodiscard]] std::vector<Command> commands_of(const Space& space, const std::optional<Etc>& etc) const;

 private:
  [[nodiscard]] std::shared_ptr<const std::string> hosts_of(const Space& asker);

  const Network& network_;
  bool is_alike_ = false;                            ///< `hosts: true` is the same text for everybody
  std::map<std::string, int> turns_;                 ///< of commands, by NS/NAME
  std::shared_ptr<const std::string> hosts_of_all_;  ///< of the last who asked
};

}  // namespace topo::network
