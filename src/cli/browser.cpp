#include "cli/browser.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>

namespace topo::cli {
namespace {

/// xdg-open ends at once where it hands the file to a running browser; where it has become the browser, it stays.
constexpr int patience_ms = 3000;
constexpr int nap_ms = 20;

/// What the process says in the end: one of these, and the rest of its text.
enum Said : char { opened = 'o', absent = 'a', failed = 'f', as_root = 'r', unwritten = 'u' };

/// Who called sudo, where that is what made us root.
std::optional<uid_t> caller() {
  const char* text = std::getenv("SUDO_UID");
  uid_t uid = 0;
  if (text == nullptr) return std::nullopt;
  const char* end = text + std::strlen(text);
  const auto read = std::from_chars(text, end, uid);
  return read.ec == std::errc() && read.ptr == end && uid != 0 ? std::optional(uid) : std::nullopt;
}

/// Makes the process `uid`'s, for good, with what a session of theirs has in its environment. sudo has left the display's name there.
bool become(uid_t uid) {
  const passwd* person = ::getpwuid(uid);
  if (person == nullptr || ::initgroups(person->pw_name, person->pw_gid) != 0 || ::setgid(person->pw_gid) != 0 || ::setuid(uid) != 0) return false;
  const std::string runtime = "/run/user/" + std::to_string(uid);
  ::setenv("HOME", person->pw_dir, 1);
  ::setenv("USER", person->pw_name, 1);
  ::setenv("LOGNAME", person->pw_name, 1);
  ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
  ::setenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + runtime + "/bus").c_str(), 1);
  return ::chdir("/") == 0 && ::setuid(0) != 0;
}

bool write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(fd, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return true;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t got = ::read(fd, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

/// Writes the document where nobody else can look; the path, or empty.
std::string keep(const std::string& document, const std::string& ending) {
  const char* place = std::getenv("TMPDIR");
  std::string folder = std::string(place != nullptr && *place == '/' ? place : "/tmp") + "/topo-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return {};
  const std::string path = folder + "/picture" + ending;
  const kernel::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  return file && write_all(file.get(), document) ? path : std::string();
}

/// Starts xdg-open on the file, in a session of its own and without our streams.
pid_t launch(const std::string& path) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::setsid();
  if (const int nothing = ::open("/dev/null", O_RDWR); nothing >= 0) {
    for (int fd = 0; fd <= 2; ++fd) ::dup2(nothing, fd);
  }
  ::execlp("xdg-open", "xdg-open", path.c_str(), nullptr);
  ::_exit(errno == ENOENT ? 127 : 126);
}

Said open_file(const std::string& path) {
  const pid_t pid = launch(path);
  if (pid < 0) return failed;
  for (int waited = 0; waited < patience_ms; waited += nap_ms) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) {
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
      // 3: "a required tool could not be found" (xdg-open(1)).
      return code == 0 ? opened : code == 127 || code == 3 ? absent : failed;
    }
    const timespec nap{0, nap_ms * 1'000'000L};
    ::nanosleep(&nap, nullptr);
  }
  return opened;
}

/// The other process: what it is to say.
std::string serve(int document, const std::string& ending) {
  const bool root = ::geteuid() == 0;
  const auto person = root ? caller() : std::nullopt;
  if (person && !become(*person)) return std::string(1, unwritten) + "cannot become user " + std::to_string(*person);
  const std::string text = read_all(document);
  if (text.empty()) ::_exit(0);  // there was nothing to show, and why has been said
  const std::string path = keep(text, ending);
  if (path.empty()) return std::string(1, unwritten) + std::strerror(errno);
  return std::string(1, root && !person ? as_root : open_file(path)) + path;
}

}  // namespace

Result<Browser> Browser::start(const std::string& ending) {
  std::array<int, 2> document{}, report{};
  const auto cannot = [] { return Error{Exit::rolled_back, "cannot start a process for the browser", {}, {std::strerror(errno)}, {}, {}}; };
  if (::pipe2(document.data(), O_CLOEXEC) != 0) return cannot();
  kernel::FileDescriptor document_out(document[0]), document_in(document[1]);
  if (::pipe2(report.data(), O_CLOEXEC) != 0) return cannot();
  kernel::FileDescriptor report_out(report[0]), report_in(report[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return cannot();
  if (pid == 0) {
    document_in.reset();
    report_out.reset();
    write_all(report_in.get(), serve(document_out.get(), ending));
    ::_exit(0);
  }
  Browser browser;
  browser.document_ = std::move(document_in);
  browser.report_ = std::move(report_out);
  return browser;
}

Result<std::string> Browser::show(const std::string& document) {
  // Should the other process be gone, that is told below.
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  write_all(document_.get(), document);
  document_.reset();
  ::signal(SIGPIPE, before);
  const std::string report = read_all(report_.get());
  const std::string rest = report.empty() ? "its process has ended" : report.substr(1);
  const auto not_opened = [&](const std::string& why) {
    return Error{Exit::unsupported, "no browser was started: " + why, {}, {}, "the picture is " + rest + ": open it with any browser", {}};
  };
  switch (report.empty() ? static_cast<char>(unwritten) : report.front()) {
    case opened:
      return rest;
    case absent:
      return not_opened("there is no xdg-open here, or nothing that it could start");
    case as_root:
      return not_opened("root's own would run with root's rights");
    case failed:
      return not_opened("xdg-open failed");
    default:
      return Error{Exit::rolled_back, "cannot write the picture", {}, {rest}, {}, {}};
  }
}

}  // namespace topo::cli
