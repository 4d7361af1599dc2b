// Compiled rules as people read them.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace topo::policy::test {

/// The text of tests/unit/policy/golden/NAME.txt. TOPO_UPDATE_GOLDEN=1 writes it anew: look at the difference before it is committed.
inline void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(TOPO_SOURCE_DIR) + "/tests/unit/policy/golden/" + name + ".txt";
  if (std::getenv("TOPO_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  std::ostringstream golden;
  golden << file.rdbuf();
  CHECK(text == golden.str());
}

}  // namespace topo::policy::test
