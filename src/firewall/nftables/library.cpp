#include "firewall/nftables/library.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "kernel/file_descriptor.hpp"

namespace topo::firewall::nftables {
namespace {

constexpr const char* library_name = "libnftables.so.1";
constexpr int no_library = 120, no_namespace = 121;  // the child's exit codes; the library's own are small

/// The part of the library that is used. Loaded only where it is needed: with all that it brings along it takes longer to load than topo to start.
struct Library {
  decltype(&nft_ctx_new) make = nullptr;
  decltype(&nft_ctx_output_set_flags) set_flags = nullptr;
  decltype(&nft_ctx_buffer_output) buffer_output = nullptr;
  decltype(&nft_ctx_buffer_error) buffer_errors = nullptr;
  decltype(&nft_run_cmd_from_buffer) run = nullptr;
  decltype(&nft_ctx_get_output_buffer) output = nullptr;
  decltype(&nft_ctx_get_error_buffer) errors = nullptr;

  bool load() {
    void* const handle = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return false;
    const auto find = [handle]<class Function>(Function& function, const char* name) {
      function = reinterpret_cast<Function>(::dlsym(handle, name));
      return function != nullptr;
    };
    return find(make, "nft_ctx_new") && find(set_flags, "nft_ctx_output_set_flags") && find(buffer_output, "nft_ctx_buffer_output") &&
           find(buffer_errors, "nft_ctx_buffer_error") && find(run, "nft_run_cmd_from_buffer") && find(output, "nft_ctx_get_output_buffer") &&
           find(errors, "nft_ctx_get_error_buffer");
  }
};

/// What the child leaves for its parent: an answer is this, then both texts.
struct AnswerHeader {
  std::uint64_t done = 0, output_size = 0, errors_size = 0;
};

/// The library waits by select(2), which knows descriptors below FD_SETSIZE alone: what is needed goes above them and all others are closed, where
/// there may be so many. Gives where the namespaces are then, and `to`.
std::vector<int> make_room(const std::vector<Request>& requests, int& to) {
  std::vector<int> moved, stayed;
  for (const Request& request : requests) stayed.push_back(request.place->netns_fd);
  const int answers = ::fcntl(to, F_DUPFD_CLOEXEC, FD_SETSIZE);
  if (answers < 0) return stayed;
  for (const int fd : stayed) {
    const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, FD_SETSIZE);
    if (high < 0) return stayed;
    moved.push_back(high);
  }
  ::close_range(STDERR_FILENO + 1, FD_SETSIZE - 1, 0);
  to = answers;
  return moved;
}

/// Never returns, and never runs what the parent has registered for its end.
[[noreturn]] void answer_all(const std::vector<Request>& requests, pid_t parent, int to) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  if (::getppid() != parent) ::_exit(no_namespace);
  const std::vector<int> namespaces = make_room(requests, to);
  Library library;
  if (!library.load()) ::_exit(no_library);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Request& request = requests[i];
    if (::setns(namespaces[i], CLONE_NEWNET) != 0) ::_exit(no_namespace);
    nft_ctx* const context = library.make(NFT_CTX_DEFAULT);
    if (context == nullptr || library.buffer_output(context) != 0 || library.buffer_errors(context) != 0) ::_exit(no_namespace);
    const unsigned stateless = request.with_counts ? 0U : unsigned{NFT_CTX_OUTPUT_STATELESS};
    library.set_flags(context, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_ALL | NFT_CTX_OUTPUT_TERSE | stateless);
    const bool done = library.run(context, request.commands.c_str()) == 0;
    const char *const output = library.output(context), *const errors = library.errors(context);
    const AnswerHeader header{done ? 1U : 0U, std::strlen(output), std::strlen(errors)};
    const bool written = kernel::write_all(to, {reinterpret_cast<const char*>(&header), sizeof header}) && kernel::write_all(to, output) &&
                         kernel::write_all(to, errors);
    if (!written) ::_exit(no_namespace);
    // The context is left to the end of the process: to free it would only take time.
  }
  ::_exit(0);
}

Error no_answer(int status) {
  Error error{Exit::rolled_back, "libnftables did not finish its work", {}, {}, {}, {}};
  if (WIFSIGNALED(status)) {
    error.kernel = std::string("ended by signal ") + std::to_string(WTERMSIG(status));
  } else if (WEXITSTATUS(status) == no_library) {
    error = {Exit::unsupported, "cannot use nftables", {}, std::string("there is no ") + library_name, "apt install libnftables1", {}};
  } else if (WEXITSTATUS(status) != no_namespace) {
    error.kernel = "it got no netlink socket, or no memory";
  }
  return error;
}

std::vector<Answer> read_answers(const std::string& bytes) {
  std::vector<Answer> answers;
  for (std::size_t at = 0; at + sizeof(AnswerHeader) <= bytes.size();) {
    AnswerHeader header;
    std::memcpy(&header, bytes.data() + at, sizeof header);
    at += sizeof header;
    if (header.output_size + header.errors_size > bytes.size() - at) break;
    answers.push_back({header.done != 0, bytes.substr(at, header.output_size), bytes.substr(at + header.output_size, header.errors_size)});
    at += header.output_size + header.errors_size;
  }
  return answers;
}

Result<std::string> content_of(int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return Error{Exit::rolled_back, "cannot read what libnftables said", {}, std::strerror(errno), {}, {}};
  std::string bytes(static_cast<std::size_t>(found.st_size), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t size = ::pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return Error{Exit::rolled_back, "cannot read what libnftables said", {}, std::strerror(size < 0 ? errno : EIO), {}, {}};
    at += static_cast<std::size_t>(size);
  }
  return bytes;
}

}  // namespace

Result<std::vector<Answer>> run(const std::vector<Request>& requests) {
  if (requests.empty()) return std::vector<Answer>();
  const kernel::FileDescriptor answers(::memfd_create("nftables", MFD_CLOEXEC));
  if (!answers) return Error{Exit::rolled_back, "cannot prepare libnftables", {}, std::strerror(errno), {}, {}};
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) return Error{Exit::rolled_back, "cannot start libnftables", {}, std::strerror(errno), {}, {}};
  if (child == 0) answer_all(requests, parent, answers.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Error{Exit::rolled_back, "cannot wait for libnftables", {}, std::strerror(errno), {}, {}};
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return no_answer(status);
  const auto bytes = content_of(answers.get());
  if (!bytes) return bytes.error();
  auto found = read_answers(*bytes);
  if (found.size() != requests.size()) return no_answer(no_namespace << 8);
  return found;
}

Error failure(const std::string& what, const Answer& answer) {
  // "/dev/stdin:1:2-3: Error: Could not process rule: Operation not supported", then the command and a line that underlines the place in it.
  std::string words = answer.errors.substr(0, answer.errors.find('\n'));
  if (const auto at = words.find("Error: "); at != std::string::npos) words = words.substr(at + 7);
  Error error{Exit::rolled_back, what, {}, words, {}, {}};
  constexpr std::array lacking{EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT, EPROTO, ENOENT};
  const bool lacks = std::any_of(lacking.begin(), lacking.end(), [&](int number) { return words.ends_with(std::strerror(number)); });
  if (words.ends_with(std::strerror(EPERM))) {
    error.exit = Exit::unsupported;
    error.remedy = "run topo as root";
  } else if (words.ends_with(std::strerror(EMSGSIZE))) {
    error.exit = Exit::unsupported;
    error.remedy = "without root a transaction is no larger than net.core.wmem_max: have root raise that, as by sysctl -w net.core.wmem_max=16777216; or "
                   "--firewall iptables";
  } else if (lacks) {
    error.exit = Exit::unsupported;
    error.remedy = "a kernel with nf_tables and all that topo uses of it (docs/how-it-works.md), or --firewall iptables";
  }
  return error;
}

}  // namespace topo::firewall::nftables
