// Gives files to a fuzz target, one after the other: what once made it fail, and what it starts from. usage: replay_TARGET FILE...
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::cerr << "cannot read " << argv[i] << "\n";
      return 1;
    }
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    std::cerr << argv[i] << std::endl;  // the last one told is the one that fails
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
  }
  std::cout << argc - 1 << " files" << std::endl;
  return argc > 1 ? 0 : 1;
}
