// What a namespace has in its /etc.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "desire/network.hpp"
#include "resources/etc/etc.hpp"

namespace topo::network {

class Inside {
 public:
  explicit Inside(const Network& network);
  /// Nullopt where the file says nothing of it.
  [[nodiscard]] std::optional<Etc> etc_of(const Space& space);

 private:
  [[nodiscard]] std::shared_ptr<const std::string> hosts_of(const Space& asker);

  const Network& network_;
  bool is_alike_ = false;                            ///< `hosts: true` is the same text for everybody
  std::shared_ptr<const std::string> hosts_of_all_;  ///< of the last who asked
};

}  // namespace topo::network
