// random_text SEED: a topology at random, as a file.
#include <cstdio>
#include <cstdlib>

#include "random_topology.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  topo::test::RandomTopology dice(std::strtoull(argv[1], nullptr, 10));
  std::fputs(dice.text().c_str(), stdout);
  return 0;
}
