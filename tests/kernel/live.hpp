// What the tests of the real kernel share. They run on a private host (tests/host/sandbox) and nowhere else.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "apply/linux_kernel.hpp"
#include "apply/transaction.hpp"
#include "topo/names.hpp"

namespace live {

using namespace topo;

inline Cidr cidr(const std::string& text) {
  const auto parsed = Cidr::parse(text);
  REQUIRE(parsed);
  return *parsed;
}
inline IpAddress ip(const std::string& text) {
  const auto parsed = IpAddress::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

/// What a shell command says on standard output.
std::string shell(const std::string& command);

/// Brings the kernel from what is there to `desired`, and expects every step to succeed and a second look to find exactly that.
void bring(const Graph& desired);
/// What has to change, in words: "+ bridge :br0", "~ veth ... (mtu 1500 -> 1400)".
std::string plan_text(const Plan& plan);
/// The plan towards `desired` by a new look.
Plan plan_to(const Graph& desired);
Observed look(const Graph& desired);
Result<void> perform(const Graph& desired);

/// A bridge `br0` with namespace `web` on it, addresses and a default route.
Graph small();
Veth attachment(const std::string& ns, const std::string& bridge);

/// Destroys topology `lab` when it goes.
struct Lab {
  Lab() = default;
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab();
};

}  // namespace live
