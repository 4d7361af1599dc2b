#include "apply/confirm/guard.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "kernel/detach.hpp"
#include "vocabulary/fields.hpp"
#include "apply/confirm/guard_process.hpp"
#include "apply/confirm/rendezvous.hpp"

namespace topo {
namespace {

constexpr std::chrono::milliseconds patience{10'000};

/// What the process says next; nothing where it ended, or is silent for too long.
std::string hear(const kernel::FileDescriptor& line) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd ready{line.get(), POLLIN, 0};
    if (::poll(&ready, 1, 100) <= 0) continue;
    std::array<char, 4096> block{};
    const ssize_t got = ::recv(line.get(), block.data(), block.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    return {block.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
  }
  return {};
}

bool is(const std::string& said, Word word) { return said == std::string(1, static_cast<char>(word)); }

bool say(const kernel::FileDescriptor& line, Word word) {
  const char byte = static_cast<char>(word);
  return ::send(line.get(), &byte, 1, MSG_NOSIGNAL) == 1;
}

/// Waits for a child that ends at once; true where it did so without a complaint.
bool ended_well(pid_t child) {
  int status = -1;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return errno == ECHILD;  // the shell that started topo may ignore SIGCHLD
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

Result<void> Guard::begins(const Graph& earlier) {
  Error problem{Exit::rolled_back, "cannot start the process that would take the change back; nothing was touched", {}, {}, {}, {}};
  topology_ = earlier.topology();
  const Earlier state{earlier, recall(topology_, options_.folder), options_.kept};
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    problem.kernel = std::strerror(errno);
    return problem;
  }
  line_.reset(ends[0]);
  kernel::FileDescriptor line(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<int> kept = options_.kept;
    kept.push_back(line.get());
    if (!kernel::detach(kept)) ::_exit(1);
    guard(std::move(line), state, kernels_, options_);
  }
  if (child < 0) problem.kernel = std::strerror(errno);
  line.reset();
  const std::string said = child > 0 && ended_well(child) ? hear(line_) : std::string();
  if (is(said, Word::ready)) return {};
  failed();
  std::string_view words = said;
  if (auto error = take_error(words)) return *std::move(error);
  return problem;
}

Result<void> Guard::succeeded() {
  armed_ = say(line_, Word::armed) && is(hear(line_), Word::armed);
  if (armed_) return {};
  return Error{Exit::rolled_back, "the process that would take the change back has ended", {}, {}, {}, {}};
}

void Guard::failed() {
  // Once the process has closed its end it is out of the way.
  if (line_ && say(line_, Word::dismissed)) (void)hear(line_);
  line_.reset();
  (void)rendezvous::clear(options_.folder, topology_);
}

}  // namespace topo
