#include "kernel/file_lock.hpp"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace topo::kernel {

std::string flock_holder(const FileDescriptor& file) {
  struct stat opened {};
  if (::fstat(file.get(), &opened) != 0) return {};
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    // "1: FLOCK  ADVISORY  WRITE 4711 00:19:1024 0 EOF"; a waiting one has "->" behind the number.
    std::istringstream words(line);
    std::string number, type, advisory, mode, pid, inode;
    words >> number >> type >> advisory >> mode >> pid >> inode;
    const auto colon = inode.rfind(':');
    if (type == "FLOCK" && colon != std::string::npos && inode.substr(colon + 1) == std::to_string(opened.st_ino)) return " (process " + pid + ")";
  }
  return {};
}

}  // namespace topo::kernel
