// Processes that topo starts in namespaces and that outlive it, each with a keeper: who they are is known to the kernel alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/file_descriptor.hpp"
#include "topo/error.hpp"

namespace topo::kernel {

struct Start {
  std::string place;  ///< the keeper's name (Keeper)
  std::string ns;     ///< a named namespace
  std::vector<std::string> words;
  std::string description;  ///< what the keeper answers when it is asked
  std::string log;          ///< the file that output is added to
};

class Keeper;

/// A process that starts others, with the capabilities that the one that made it had then, and without its terminal and its open files. It ends when
/// nobody has it any more.
class Launcher {
 public:
  /// To be called where there is no other thread. `environment`: of whatever is started ("NAME=VALUE").
  [[nodiscard]] static Result<std::shared_ptr<Launcher>> make(std::vector<std::string> environment);
  /// Returns when the command has been executed, or could not be. By this keeper the end of the command is known, however soon it comes.
  [[nodiscard]] Result<Keeper> start(const Start& start) const;
  [[nodiscard]] int fd() const { return line_.get(); }

 private:
  explicit Launcher(FileDescriptor line) : line_(std::move(line)) {}
  FileDescriptor line_;
};

/// What a keeper says of its command.
struct Kept {
  int process = 0;
  bool stopping = false;
  std::uint64_t netns = 0;  ///< the inode of the namespace that it is in
  std::string description;
};

/// How a command has ended that has done what it had to (Keeper::ended).
inline constexpr std::string_view well_ended = "exit code 0";

/// The process that keeps a command. It holds a socket with an abstract name in the network namespace that topo works in (unix(7)), which is the mark of the
/// command: the name is there for as long as the keeper lives, it cannot be left behind, and what is inside the namespace cannot take it. The keeper is
/// the reaper of all that the command starts (PR_SET_CHILD_SUBREAPER, prctl(2)), so no process of it is lost, or taken for one of it, and it ends when they
/// have. It hears this user alone.
class Keeper {
 public:
  /// Nullopt where there is none of that name, or it is another user's.
  [[nodiscard]] static Result<std::optional<Keeper>> find(const std::string& place);
  /// The names of all keepers here that begin with `prefix`, in their order.
  [[nodiscard]] static std::vector<std::string> places(const std::string& prefix);

  /// Nullopt where it has ended meanwhile.
  [[nodiscard]] Result<std::optional<Kept>> tell();
  /// Has it answer `description` from now on.
  [[nodiscard]] Result<void> describe(const std::string& description);
  /// Has it stop the command: SIGTERM to all processes of it, SIGKILL to those that are left after `grace`. Does not wait.
  [[nodiscard]] Result<void> stop();
  /// How the command has ended, "exit code 1"; nullopt: it has not.
  [[nodiscard]] std::optional<std::string> ended();
  /// Whether the keeper has ended as well, and holds nothing any more.
  [[nodiscard]] bool is_gone() const;

  static constexpr std::chrono::milliseconds grace{5'000};
  /// So much of the latest output is kept at least, in bytes, and at rest twice as much at the most.
  static constexpr std::int64_t log_kept = std::int64_t{8} << 20U;

 private:
  friend class Launcher;
  explicit Keeper(FileDescriptor line);
  [[nodiscard]] Result<std::optional<std::string>> ask(const std::string& words);
  FileDescriptor line_;
  std::optional<std::string> end_;
};

/// An AF_UNIX socket's address in the abstract namespace.
[[nodiscard]] FileDescriptor listen_abstract(const std::string& place);

}  // namespace topo::kernel
