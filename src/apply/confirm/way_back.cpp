#include "apply/confirm/way_back.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "kernel/detach.hpp"
#include "vocabulary/fields.hpp"
#include "apply/confirm/rendezvous.hpp"
#include "apply/confirm/system_log.hpp"

namespace topo {
namespace {

constexpr std::string_view went_back = "\n";

/// Stops a way back, before it touches anything, that was begun by a process which is gone: of that others say that the change stays.
class StillGuarded : public Witness {
 public:
  explicit StillGuarded(pid_t guard) : guard_(guard) {}
  Result<void> begins(const Graph& /*there*/) override {
    if (::getppid() == guard_) return {};
    return Error{Exit::rolled_back, "the process that was to take it back was killed", {}, {}, {}, {}};
  }
  Result<void> succeeded() override { return {}; }
  void failed() override {}

 private:
  pid_t guard_;
};

/// Under the locks: the record is again what it was, and whoever comes to confirm reads that it is too late.
void put_down(const Earlier& earlier, const std::string& folder) {
  const std::string& topology = earlier.graph.topology();
  const auto recorded = earlier.applied ? record(topology, *earlier.applied, folder) : forget(topology, folder);
  const auto noted = rendezvous::leave_note(folder, topology);
  for (const auto* done : {&recorded, &noted}) {
    if (!*done) tell_system_log(LOG_WARNING, topology + ": " + done->error().to_string());
  }
}

Result<void> go_back(const Earlier& earlier, const Kernels& kernels, const std::string& folder, std::chrono::milliseconds lock_timeout, pid_t guard) {
  StillGuarded witness(guard);
  ApplyOptions options;
  options.folder = folder;
  options.lock_timeout = lock_timeout;
  options.lock_first = true;
  options.take_port = true;  // whoever listens there by now does not make the earlier state another one
  options.takes_back = true;
  options.witness = &witness;
  bool done = false;
  options.done = [&] {
    put_down(earlier, folder);
    done = true;
  };
  const auto outcome = apply_graph(kernels, earlier.graph, options);
  if (!outcome) return outcome.error();
  if (done) return {};
  // All was so already, as a look without the locks showed.
  const auto locks = Locks::take(folder, earlier.graph.topology(), lock_timeout, {});
  if (!locks) return locks.error();
  if (auto guarded = witness.begins(earlier.graph); !guarded) return guarded;
  options.done();
  return {};
}

Error failure(const char* what) { return Error{Exit::rolled_back, what, {}, std::strerror(errno), {}, {}}; }

}  // namespace

Result<WayBack> WayBack::begin(const Earlier& earlier, const Kernels& kernels, const std::string& folder, std::chrono::milliseconds lock_timeout) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("cannot make a pipe");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  kernel::FileDescriptor result(ends[0]);
  const kernel::FileDescriptor told(ends[1]);
  const pid_t guard = ::getpid(), child = ::fork();
  if (child < 0) return failure("cannot make a process");
  if (child > 0) return WayBack(child, std::move(result));
  std::vector<int> kept = earlier.kept;
  kept.push_back(told.get());
  if (!kernel::close_all_but(kept)) ::_exit(1);
  std::string text;
  try {
    const auto back = go_back(earlier, kernels, folder, lock_timeout, guard);
    if (back) text = went_back;
    if (!back) append_field(text, back.error());
  } catch (const std::exception&) {
    ::_exit(1);
  }
  ::_exit(kernel::write_all(told.get(), text) ? 0 : 1);
}

std::optional<Result<void>> WayBack::outcome() {
  std::array<char, 4096> block{};
  for (;;) {
    const ssize_t got = ::read(result_.get(), block.data(), block.size());
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    said_.append(block.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  if (said_ == went_back) return Result<void>();
  std::string_view rest = said_;
  if (auto error = take_error(rest)) return Result<void>(*std::move(error));
  return Result<void>(Error{Exit::left_over, "the process that took it back ended before it was done", {}, {}, {}, {}});
}

}  // namespace topo
