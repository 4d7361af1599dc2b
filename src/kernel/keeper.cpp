#include "kernel/keeper.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <set>

#include "kernel/entrance.hpp"
#include "kernel/netns.hpp"
#include "vocabulary/fields.hpp"

namespace topo::kernel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause{20};  // between one SIGKILL and the next, for those that are only being made
// Between one look at how long the log is and the next: while it grows, and where nobody tells whether it does.
constexpr std::chrono::milliseconds log_pause{10}, long_log_pause{5'000};
constexpr std::size_t packet_max = std::size_t{192} << 10U;

/// The parent of a process; 0 where it is gone.
pid_t parent_of(pid_t process) {
  const FileDescriptor file(::open(("/proc/" + std::to_string(process) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> block{};
  const ssize_t got = file ? ::read(file.get(), block.data(), block.size()) : 0;
  const std::string_view text(block.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t name_end = text.rfind(") ");  // of its own choosing
  pid_t parent = 0;
  if (name_end != std::string_view::npos && text.size() > name_end + 4) std::from_chars(text.data() + name_end + 4, text.data() + text.size(), parent);
  return parent;
}

/// This process's children and theirs, each with its parent.
std::map<pid_t, pid_t> descendants() {
  std::multimap<pid_t, pid_t> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    pid_t process = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), process).ptr != name.data() + name.size() || process <= 0) continue;
    children.emplace(parent_of(process), process);
  }
  std::map<pid_t, pid_t> found;
  std::vector<pid_t> parents{::getpid()};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    for (auto [child, end] = children.equal_range(parent); child != end; ++child) {
      if (found.emplace(child->second, parent).second) parents.push_back(child->second);
    }
  }
  return found;
}

/// What has the number by now may be another process: it is signalled only if it is still the one that was found.
void signal_descendants(int signal) {
  for (const auto& [process, parent] : descendants()) {
    const FileDescriptor fd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    if (fd && parent_of(process) == parent) (void)::syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0);
  }
}

/// In the command's own process, until it is executed. The errno, should it not be.
int execute(const Start& start, int log, pid_t keeper) {
  const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null || ::setsid() < 0) return errno;
  if (::dup2(null.get(), STDIN_FILENO) < 0 || ::dup2(log, STDOUT_FILENO) < 0 || ::dup2(log, STDERR_FILENO) < 0) return errno;
  // Without its keeper nobody could tell whose it is.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != keeper) return ESRCH;
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(022);
  if (::chdir("/") != 0 || ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return errno;
  std::vector<char*> words;
  for (const auto& word : start.words) words.push_back(const_cast<char*>(word.c_str()));  // NOLINT(cppcoreguidelines-pro-type-const-cast): execvp(3)
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  return errno;
}

std::string end_text(int status) {
  if (WIFSIGNALED(status)) return std::string("killed by signal ") + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")";
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

class Keeping {
 public:
  Keeping(const Start& start, FileDescriptor listener, FileDescriptor log)
      : start_(start), listener_(std::move(listener)), log_(std::move(log)), description_(start.description) {}

  /// The command runs; or the Error.
  Result<void> begin() {
    sigset_t waited;
    sigemptyset(&waited);
    for (const int signal : {SIGCHLD, SIGTERM, SIGIO}) sigaddset(&waited, signal);
    ::sigprocmask(SIG_BLOCK, &waited, nullptr);
    ::signal(SIGCHLD, SIG_DFL);
    signals_.reset(::signalfd(-1, &waited, SFD_CLOEXEC | SFD_NONBLOCK));
    std::array<int, 2> ends{-1, -1};
    if (!signals_ || ::pipe2(ends.data(), O_CLOEXEC) != 0) return failure(errno);
    log_folder_.reset(::open(start_.log.substr(0, start_.log.rfind('/')).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    watch_log();
    const FileDescriptor told(ends[0]);
    FileDescriptor teller(ends[1]);
    const pid_t keeper = ::getpid();
    main_ = ::fork();
    if (main_ < 0) return failure(errno);
    if (main_ == 0) {
      const int problem = execute(start_, log_.get(), keeper);
      (void)!::write(teller.get(), &problem, sizeof problem);
      ::_exit(127);
    }
    teller.reset();
    int problem = 0;
    ssize_t got = -1;
    while ((got = ::read(told.get(), &problem, sizeof problem)) < 0 && errno == EINTR) {
    }
    return got == 0 ? Result<void>() : failure(problem);
  }

  /// `starter` is told of the end as well, however soon it comes.
  [[noreturn]] void run(FileDescriptor starter) {
    clients_.push_back(std::move(starter));
    for (;;) {
      wait();
      hear_signals();
      look_at_log();
      reap();
      hear_clients();
      if (stopping_ && Clock::now() >= deadline_) {
        signal_descendants(SIGKILL);
        deadline_ = Clock::now() + pause;
      }
    }
  }

 private:
  [[nodiscard]] Error failure(int error) const {
    return {Exit::rolled_back, "cannot run " + start_.words.front() + " in namespace " + start_.ns, {}, std::strerror(error), {}, {}};
  }

  void wait() const {
    std::vector<pollfd> ready{{listener_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    for (const auto& client : clients_) ready.push_back({client.get(), POLLIN, 0});
    const auto log_time = is_watching_ ? Clock::now() + long_log_pause : next_look_;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>((stopping_ ? std::min(deadline_, log_time) : log_time) - Clock::now());
    ::poll(ready.data(), ready.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0) + 1));
  }

  /// Has the next write to a log in its folder told by one SIGIO. That (F_NOTIFY, fcntl(2)) takes no more than the folder's descriptor, while a user
  /// has no more than 128 of inotify(7), for all programs together; and unlike a pipe it is nothing between the command and its file.
  void watch_log() { is_watching_ = log_folder_ && ::fcntl(log_folder_.get(), F_NOTIFY, DN_MODIFY) == 0; }

  /// Soon after each write and not at each, so that little is spent on a command that writes all the time.
  void look_at_log() {
    if (is_watching_ || Clock::now() < next_look_) return forget_old_output();
    next_look_ = Clock::now() + long_log_pause;
    watch_log();
    forget_old_output();  // what came until the watch began
  }

  /// Gives back the room of the oldest output. The file keeps its length, so that the command, and who reads along, notice nothing.
  void forget_old_output() {
    struct stat log {};
    if (::fstat(log_.get(), &log) != 0 || log.st_size - forgotten_ <= 2 * Keeper::log_kept) return;
    const off_t kept_from = log.st_size - Keeper::log_kept;
    if (::fallocate(log_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kept_from) == 0) forgotten_ = kept_from;
  }

  void hear_signals() {
    signalfd_siginfo signal{};
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_signo == SIGTERM) stop();
      if (signal.ssi_signo != SIGIO) continue;
      is_watching_ = false;
      next_look_ = Clock::now() + log_pause;
    }
  }

  /// A command that ends well may have left a daemon behind, which then is the command. One that fails takes with it what it started.
  void reap() {
    for (;;) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended < 0 && errno == ECHILD) finish();
      if (ended <= 0) return;
      if (ended != main_) continue;
      end_ = end_text(status);
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) stop();
    }
  }

  void stop() {
    if (stopping_) return;
    stopping_ = true;
    deadline_ = Clock::now() + Keeper::grace;
    signal_descendants(SIGTERM);
  }

  [[noreturn]] void finish() {
    const std::time_t now = ::time(nullptr);
    std::tm local{};
    std::array<char, 32> time{};
    if (::localtime_r(&now, &local) != nullptr) std::strftime(time.data(), time.size(), "%F %T", &local);
    (void)write_all(log_.get(), "[topo " + std::string(time.data()) + (stopping_ && end_.empty() ? " stopped" : " ended: " + end_) + "]\n");
    std::string words;
    append_field(words, ended_word);
    append_field(words, end_);
    ::shutdown(listener_.get(), SHUT_RDWR);  // from here on nobody comes who would not be told
    accept_clients();
    listener_.reset();  // whoever hears of the end may begin again under that name
    for (const auto& client : clients_) (void)::send(client.get(), words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::_exit(0);
  }

  void accept_clients() {
    for (int fd = 0; (fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      FileDescriptor client(fd);
      ucred peer{};
      socklen_t length = sizeof peer;
      if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == ::geteuid()) clients_.push_back(std::move(client));
    }
  }

  void hear_clients() {
    accept_clients();
    std::erase_if(clients_, [&](const FileDescriptor& client) { return !hear(client.get()); });
  }

  /// False where the client is gone.
  bool hear(int client) {
    std::string text(packet_max, '\0');
    const ssize_t got = ::recv(client, text.data(), text.size(), MSG_DONTWAIT);
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
    text.resize(static_cast<std::size_t>(got));
    std::string words;
    if (text == tell_word) {
      append_field(words, told_word);
      append_field(words, std::to_string(main_));
      append_field(words, stopping_ ? "1" : "0");
      append_field(words, std::to_string(netns_));
      append_field(words, description_);
    } else {
      if (text == stop_word) stop();
      std::string_view rest = text;
      if (rest.starts_with(describe_word)) {
        rest.remove_prefix(describe_word.size());
        if (auto description = take_field(rest)) description_ = *std::move(description);
      }
      append_field(words, done_word);
    }
    return ::send(client, words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
  }

  const Start& start_;
  FileDescriptor listener_, log_, log_folder_, signals_;
  std::string description_;
  std::vector<FileDescriptor> clients_;
  const std::uint64_t netns_ = own_namespace() ? own_namespace()->inode() : 0;
  pid_t main_ = -1;
  off_t forgotten_ = 0;  ///< bytes of the log
  bool is_watching_ = false;
  Clock::time_point next_look_{};  ///< at the log, while nothing is told of it
  std::string end_;
  bool stopping_ = false;
  Clock::time_point deadline_{};
};

/// The place first, in the network that topo works in: it may be taken.
Result<std::unique_ptr<Keeping>> prepare(const Start& start) {
  auto listener = listen_abstract(start.place);
  if (!listener) return Error{Exit::conflict, "somebody else has the name of a command of namespace " + start.ns, "@" + start.place, std::strerror(errno), {}, {}};
  FileDescriptor log(::open(start.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!log) return Error{Exit::rolled_back, "cannot write a log", start.log, std::strerror(errno), {}, {}};
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || ::prctl(PR_SET_NAME, "topo-keeper") != 0)
    return Error{Exit::rolled_back, "cannot keep a command", {}, std::strerror(errno), {}, {}};
  auto entered = enter_named(start.ns);
  if (!entered) return std::move(entered).error();
  for (const auto& warning : *entered) (void)write_all(log.get(), "[topo: " + warning + "]\n");
  return std::make_unique<Keeping>(start, std::move(listener), std::move(log));
}

}  // namespace

void keep(const Start& start, FileDescriptor answer) {
  auto keeping = prepare(start);
  Result<void> begun = keeping ? (*keeping)->begin() : Result<void>(std::move(keeping).error());
  if (begun) {
    (void)write_all(answer.get(), started);
    (*keeping)->run(std::move(answer));
  }
  std::string words;
  append_field(words, begun.error());
  (void)write_all(answer.get(), words);
  ::_exit(1);
}

}  // namespace topo::kernel
