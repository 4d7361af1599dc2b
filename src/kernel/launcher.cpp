#include "kernel/launcher.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "kernel/detach.hpp"
#include "kernel/keeper.hpp"
#include "vocabulary/fields.hpp"

namespace topo::kernel {
namespace {

constexpr timeval patience{5, 0};
constexpr std::size_t packet_max = std::size_t{192} << 10U;  // below what a socket takes at once (net.core.wmem_default)

Error start_error(const std::string& kernel_words) { return {Exit::rolled_back, "cannot start a process", {}, kernel_words, {}, {}}; }

socklen_t address_of(const std::string& place, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::min(place.size(), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path + 1, place.data(), size);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + size);
}

std::string to_text(const Start& start) {
  std::string text;
  for (const auto* part : {&start.place, &start.ns, &start.description, &start.log}) append_field(text, *part);
  for (const auto& word : start.words) append_field(text, word);
  return text;
}

std::optional<Start> start_from(std::string_view text) {
  Start start;
  for (auto* part : {&start.place, &start.ns, &start.description, &start.log}) {
    auto field = take_field(text);
    if (!field) return std::nullopt;
    *part = *std::move(field);
  }
  while (auto word = take_field(text)) start.words.push_back(*std::move(word));
  return start.words.empty() ? std::nullopt : std::optional(std::move(start));
}

/// Receives one packet with a descriptor; an empty text where there will be no more.
std::string receive(int fd, FileDescriptor& passed) {
  std::string text(packet_max, '\0');
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = -1;
  while ((got = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  const cmsghdr* const header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    passed.reset(descriptor);
  }
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

bool send_with(int fd, const std::string& text, int passed) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec part{const_cast<char*>(text.data()), text.size()};  // NOLINT(cppcoreguidelines-pro-type-const-cast): sendmsg(2) reads it
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

/// Receives one packet into `text`, which is empty where there will be no more; false, and errno set, where that failed. That somebody has left
/// without hearing us comes as a reset, before what they said.
bool hear(int fd, std::string& text, int flags) {
  text.resize(packet_max);
  ssize_t got = -1;
  bool was_reset = false;
  while ((got = ::recv(fd, text.data(), text.size(), flags)) < 0 && (errno == EINTR || (errno == ECONNRESET && !was_reset))) {
    was_reset = errno == ECONNRESET;
  }
  const bool is_end = got < 0 && errno == ECONNRESET;
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return got >= 0 || is_end;
}

[[noreturn]] void launch(FileDescriptor line, const std::vector<std::string>& environment) {
  ::clearenv();
  for (const auto& variable : environment) {
    const std::size_t equals = variable.find('=');
    if (equals != std::string::npos) ::setenv(variable.substr(0, equals).c_str(), variable.c_str() + equals + 1, 1);
  }
  ::signal(SIGCHLD, SIG_IGN);
  for (;;) {
    FileDescriptor answer;
    const std::string text = receive(line.get(), answer);
    if (text.empty()) ::_exit(0);
    const auto start = start_from(text);
    const pid_t child = start ? ::fork() : -1;
    if (child == 0) {
      line.reset();
      keep(*start, std::move(answer));
    }
    if (child >= 0) continue;
    std::string words;
    append_field(words, start_error(start ? std::strerror(errno) : "not understood"));
    (void)write_all(answer.get(), words);
  }
}

}  // namespace

Result<std::shared_ptr<Launcher>> Launcher::make(std::vector<std::string> environment) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return start_error(std::strerror(errno));
  FileDescriptor own(ends[0]), its(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return start_error(std::strerror(errno));
  if (child == 0) {
    if (!detach({its.get()})) ::_exit(1);
    launch(std::move(its), environment);
  }
  // The one that `detach` leaves behind ends at once.
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return std::shared_ptr<Launcher>(new Launcher(std::move(own)));
}

Result<Keeper> Launcher::start(const Start& start) const {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return start_error(std::strerror(errno));
  FileDescriptor own(ends[0]), its(ends[1]);
  const std::string text = to_text(start);
  if (text.size() > packet_max) return start_error("its words are too many");
  if (!send_with(line_.get(), text, its.get())) return start_error(std::strerror(errno));
  its.reset();
  std::string said;
  if (!hear(own.get(), said, 0)) return start_error(std::strerror(errno));
  if (said == started) return Keeper(std::move(own));
  std::string_view rest = said;
  if (auto error = take_error(rest)) return *std::move(error);
  return start_error("the process that was to start it has ended");
}

FileDescriptor listen_abstract(const std::string& place) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  const socklen_t size = address_of(place, address);
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) return {};
  return socket;
}

Result<std::optional<Keeper>> Keeper::find(const std::string& place) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return start_error(std::strerror(errno));
  sockaddr_un address{};
  const socklen_t size = address_of(place, address);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    // A keeper always has room for one more, so who has none (EAGAIN) is somebody else, and not waited for.
    if (errno == ECONNREFUSED || errno == ENOENT || errno == EPROTOTYPE || errno == EAGAIN) return std::optional<Keeper>();
    return Error{Exit::rolled_back, "cannot ask after a command", "@" + place, std::strerror(errno), {}, {}};
  }
  ucred peer{};
  socklen_t length = sizeof peer;
  const bool own = ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == ::geteuid();
  if (!own) return std::optional<Keeper>();
  if (::fcntl(socket.get(), F_SETFL, 0) != 0) return start_error(std::strerror(errno));
  return std::optional(Keeper(std::move(socket)));
}

Keeper::Keeper(FileDescriptor line) : line_(std::move(line)) {
  ::setsockopt(line_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(line_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

std::vector<std::string> Keeper::places(const std::string& prefix) {
  std::set<std::string> found;
  std::ifstream sockets("/proc/thread-self/net/unix");
  for (std::string line; std::getline(sockets, line);) {
    const std::size_t at = line.rfind(' ');
    if (at != std::string::npos && line.compare(at + 1, prefix.size() + 1, "@" + prefix) == 0) found.insert(line.substr(at + 2));
  }
  return {found.begin(), found.end()};
}

Result<std::optional<std::string>> Keeper::ask(const std::string& words) {
  if (end_) return std::optional<std::string>();
  if (::send(line_.get(), words.data(), words.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
    return Error{Exit::rolled_back, "a process that keeps a command does not answer", {}, std::strerror(errno), {}, {}};
  std::string text;
  if (!hear(line_.get(), text, 0))
    return Error{
        Exit::rolled_back, "a process that keeps a command does not answer", {}, std::strerror(errno), "if it is stopped, kill -CONT it", {}};
  std::string_view rest = text;
  if (!text.empty() && take_field(rest) != ended_word) return std::optional(std::move(text));
  end_ = take_field(rest).value_or("killed");
  return std::optional<std::string>();
}

Result<std::optional<Kept>> Keeper::tell() {
  auto answer = ask(std::string(tell_word));
  if (!answer) return std::move(answer).error();
  if (!*answer) return std::optional<Kept>();
  std::string_view rest = **answer;
  const auto word = take_field(rest);
  const auto process = take_number(rest), stopping = take_number(rest), netns = take_number(rest);
  auto description = take_field(rest);
  if (word != told_word || !description) return Error{Exit::rolled_back, "a process that keeps a command is of another version", {}, {}, {}, {}};
  return std::optional(Kept{static_cast<int>(*process), *stopping != 0, static_cast<std::uint64_t>(*netns), *std::move(description)});
}

Result<void> Keeper::describe(const std::string& description) {
  std::string words(describe_word);
  append_field(words, description);
  auto answer = ask(words);
  return answer ? Result<void>() : std::move(answer).error();
}

Result<void> Keeper::stop() {
  auto answer = ask(std::string(stop_word));
  return answer ? Result<void>() : std::move(answer).error();
}

bool Keeper::is_gone() const {
  char word = 0;
  const ssize_t got = ::recv(line_.get(), &word, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

std::optional<std::string> Keeper::ended() {
  if (end_) return end_;
  std::string text;
  if (!hear(line_.get(), text, MSG_DONTWAIT) && errno == EAGAIN) return std::nullopt;
  std::string_view rest = text;
  (void)take_field(rest);
  end_ = take_field(rest).value_or("killed");
  return end_;
}

}  // namespace topo::kernel
