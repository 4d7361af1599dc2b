#include "surroundings/network_manager.hpp"

#include <catch2/catch.hpp>

namespace topo::surroundings {
namespace {

const Interface lan{"lan", "bridge"}, cable{"web.eth0", "veth"}, unnamed{"", "veth"};

template <class... Texts>
UnmanagedDevices reading(const Texts&... texts) {
  UnmanagedDevices devices;
  (devices.read(texts), ...);
  return devices;
}

UnmanagedDevices unmanaged(const std::string& list) { return reading("[keyfile]\nunmanaged-devices=" + list + "\n"); }

TEST_CASE("NetworkManager leaves alone what its list names") {
  CHECK(unmanaged("interface-name:=eth9;interface-name:=web.eth0").has(cable));
  CHECK(unmanaged("interface-name:web.*, mac:00:11:22:33:44:55").has(cable));
  CHECK(unmanaged("interface-name:~web.eth?").has(cable));
  CHECK(unmanaged("driver:veth").has(unnamed));
  CHECK(unmanaged("type:veth").has(cable));
  CHECK(unmanaged("*").has(lan));
  CHECK_FALSE(unmanaged("interface-name:=web.*").has(cable));
  CHECK_FALSE(unmanaged("interface-name:=web.eth0").has(unnamed));
  CHECK_FALSE(unmanaged("driver:veth").has(lan));
  CHECK_FALSE(unmanaged("none").has(cable));
  CHECK_FALSE(unmanaged("").has(cable));
  CHECK_FALSE(reading("").has(unnamed));
}

TEST_CASE("NetworkManager manages what its list excepts") {
  CHECK_FALSE(unmanaged("*,except:interface-name:web.eth0").has(cable));
  CHECK_FALSE(unmanaged("except:type:veth;driver:veth").has(cable));
  CHECK(unmanaged("except:interface-name:eth*").has(cable));
}

TEST_CASE("a later file of NetworkManager's adds to a list, takes from it, or begins it anew") {
  const std::string theirs = "# [x]\n[main]\nplugins=keyfile\n[keyfile]\nunmanaged-devices = interface-name:corp0\n";
  const std::string adds = "[keyfile]\nunmanaged-devices+=interface-name:=web.eth0\n";
  CHECK(reading(theirs, adds).has(cable));
  CHECK(reading(theirs, adds).has({"corp0", "veth"}));
  CHECK(reading(adds).has(cable));
  CHECK_FALSE(reading(adds, theirs).has(cable));
  CHECK_FALSE(reading(adds, "[keyfile]\nunmanaged-devices-=interface-name:=web.eth0\n").has(cable));
  CHECK(reading(theirs, adds, "[keyfile]\nunmanaged-devices += interface-name:=db.eth0\n").has(cable));
}

TEST_CASE("a section of NetworkManager's can be for devices that are not managed") {
  const std::string section = "[device-lab]\nmatch-device=driver:veth\n";
  CHECK(reading(section + "managed=0\n").has(cable));
  CHECK_FALSE(reading(section + "managed=1\n").has(cable));
  CHECK_FALSE(reading(section).has(cable));
  CHECK_FALSE(reading(section + "managed=0\n", "[device-lab]\nmanaged=true\n").has(cable));
}

}  // namespace
}  // namespace topo::surroundings
