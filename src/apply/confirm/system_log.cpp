#include "apply/confirm/system_log.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "kernel/file_descriptor.hpp"
#include "topo/names.hpp"

namespace topo {

void tell_system_log(int severity, const std::string& text) {
  const kernel::FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address{AF_UNIX, _PATH_LOG};
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const std::time_t time = ::time(nullptr);
  std::tm local{};
  std::array<char, 32> stamp{};
  if (::localtime_r(&time, &local) == nullptr || std::strftime(stamp.data(), stamp.size(), "%b %e %H:%M:%S", &local) == 0) return;
  std::string words = text;
  std::replace(words.begin(), words.end(), '\n', ';');
  const std::string line =
      "<" + std::to_string(LOG_DAEMON | severity) + ">" + stamp.data() + " topo[" + std::to_string(::getpid()) + "]: " + printable(words);
  (void)::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace topo
