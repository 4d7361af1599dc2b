// The files by which NetworkManager knows which devices to leave alone: NetworkManager.conf(5).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "surroundings/meddlers.hpp"

namespace topo::surroundings {

/// What its files say together.
class UnmanagedDevices {
 public:
  /// A further file, which goes over those before it, or adds to them.
  void read(const std::string& text);
  /// Whether `interface` is among them: by `unmanaged-devices`, or by a section for devices that are not managed. Of its properties the name, the
  /// type and the driver are known; one without a name is any of its kind.
  [[nodiscard]] bool has(const Interface& interface) const;

 private:
  using List = std::vector<std::string>;
  std::map<std::string, std::map<std::string, List>> sections_;  ///< section -> key -> values
};

/// Those that are in its folders, in the order in which it reads them.
[[nodiscard]] UnmanagedDevices read_unmanaged_devices();

}  // namespace topo::surroundings
