// Network namespaces as the kernel has them: setns(2), network_namespaces(7), ip-netns(8).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/file_descriptor.hpp"
#include "topo/error.hpp"

namespace topo::kernel {

/// Where namespaces have their names, as ip-netns(8) has it.
inline constexpr const char* netns_folder = "/run/netns";

/// The network namespace the calling thread is in, as a descriptor.
[[nodiscard]] Result<FileDescriptor> own_namespace();

/// Puts the calling thread into another network namespace while it lives. The way back cannot be refused to a caller that may enter
/// at all; should the kernel refuse it nevertheless the process says so and ends (Exit::left_over), since all that follows would hit the wrong
/// namespace.
class Inside {
 public:
  /// Enters the namespace of `netns_fd`; `home_fd` is where to return to. With equal descriptors nothing is done.
  [[nodiscard]] static Result<Inside> enter(int netns_fd, int home_fd);
  /// Makes a namespace that has no name and lives only as long as someone is in it or has it open, and enters it.
  [[nodiscard]] static Result<Inside> enter_new(int home_fd);
  Inside(Inside&& other) noexcept : home_fd_(std::exchange(other.home_fd_, -1)) {}
  Inside& operator=(Inside&&) = delete;
  ~Inside();

 private:
  explicit Inside(int home_fd) : home_fd_(home_fd) {}
  int home_fd_;
};

/// What is found under a name in the folder of namespaces.
struct NamedEntry {
  std::string name;
  FileDescriptor netns;   ///< open where it is a network namespace
  bool leftover = false;  ///< an empty file, or one that begins with `mark`: a crash came between making and mounting it
  std::string content;    ///< of such a file
};

/// The names in the folder of namespaces, in their order; none where there is no folder.
[[nodiscard]] Result<std::vector<std::string>> namespace_names();
/// Opens one of them; nullopt where there is no such name. Never follows a symbolic link and never waits.
[[nodiscard]] Result<std::optional<NamedEntry>> open_named(const std::string& name);

/// Makes the folder of namespaces as ip-netns(8) has it: a shared mount of itself, so that names come and go in all mount namespaces alike.
[[nodiscard]] Result<void> prepare_netns_folder();
/// Gives the namespace of `netns_fd` a name, as ip-netns(8) does, by a bind mount on a file. The file holds `mark`, so that one that
/// a crash leaves without a mount tells whose it is. Takes the place of a leftover file, and of nothing else (EEXIST).
/// The folder must be prepared.
[[nodiscard]] Result<void> pin(const std::string& name, int netns_fd, const std::string& mark);
/// Whether the file that the namespace `name` is mounted on holds `mark`: the one that `pin` gave, and not a second one that somebody else mounted.
[[nodiscard]] bool bears_mark(const std::string& name, const std::string& mark);
/// Takes the name away from the namespace whose file is `inode` (0: from a leftover file). The namespace ends when nobody is in it any more.
/// A name that is gone, or is another's by now, is left alone and no error.
[[nodiscard]] Result<void> unpin(const std::string& name, std::uint64_t inode);

/// Lets this process have as many descriptors as the kernel will give it: two for each namespace are needed.
void raise_descriptor_limit();

}  // namespace topo::kernel
