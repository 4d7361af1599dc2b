#include "surroundings/unit_files.hpp"

#include <catch2/catch.hpp>

namespace topo::surroundings {
namespace {

const Interface lan{"lan", "bridge"}, cable{"web.eth0", "veth"}, unnamed{"", "veth"};

UnitFile with(const std::string& match) { return parse_unit_file("x.network", "[Match]\n" + match + "\n"); }

TEST_CASE("a unit file is for what all its matches fit") {
  CHECK(with("Name=*").is_for(lan));
  CHECK(with("Name=*").is_for(unnamed));
  CHECK(with("Name=l?n x").is_for(lan));
  CHECK(with("OriginalName=web.*").is_for(cable));
  CHECK_FALSE(with("Name=en* eth*").is_for(cable));
  CHECK_FALSE(with("Name=en*").is_for(unnamed));
  CHECK(with("Type=ether").is_for(cable));
  CHECK_FALSE(with("Type=ether").is_for(lan));
  CHECK(with("Kind=veth bridge").is_for(lan));
  CHECK(with("Driver=veth").is_for(cable));
  CHECK_FALSE(with("Name=*\nKind=bridge").is_for(cable));
}

TEST_CASE("a list is negated as a whole") {
  CHECK_FALSE(with("Name=!lan en*").is_for(lan));
  CHECK(with("Name=!en* eth*").is_for(lan));
}

TEST_CASE("a list goes on in a further line, and begins anew after an empty one") {
  CHECK(with("Name=en*\nName=lan").is_for(lan));
  CHECK_FALSE(with("Name=lan\nName=\nName=en*").is_for(lan));
}

TEST_CASE("what asks for hardware, or for nothing, is for no interface of a topology's") {
  CHECK_FALSE(with("Name=*\nMACAddress=00:11:22:33:44:55").is_for(lan));
  CHECK_FALSE(with("Path=pci-*").is_for(cable));
  CHECK_FALSE(with("").is_for(lan));
  CHECK_FALSE(parse_unit_file("masked", "").is_for(lan));
  CHECK(with("Name=*\nVirtualization=no").is_for(lan));
}

TEST_CASE("settings, comments and white space") {
  const auto file = parse_unit_file("x", "# [Match]\n[Match]\n  Name = lan \n;Name=x\n[Link]\nUnmanaged=yes\r\nMTUBytes=1400\nMTUBytes=1500\n");
  CHECK(file.is_for(lan));
  CHECK(file.settings == std::map<std::string, std::string>{{"Link.MTUBytes", "1500"}, {"Link.Unmanaged", "yes"}});
}

TEST_CASE("the first file decides") {
  const std::vector<UnitFile> files{with("Name=en*"), with("Name=lan"), with("Name=*")};
  CHECK(unit_file_for(lan, files) == &files[1]);
  CHECK(unit_file_for(cable, files) == &files[2]);
  CHECK(unit_file_for(cable, {}) == nullptr);
}

}  // namespace
}  // namespace topo::surroundings
