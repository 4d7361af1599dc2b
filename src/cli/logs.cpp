#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "kernel/file_descriptor.hpp"
#include "kernel/launcher.hpp"
#include "kernel/tree.hpp"
#include "resources/command/command.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

constexpr std::chrono::milliseconds pause{100};

/// A file of output, and how much of it has been shown.
struct Log {
  std::string path;
  kernel::FileDescriptor file{};
  std::string unfinished{};  ///< the beginning of a line
};
using Logs = std::map<std::string, Log>;  ///< by NS/NAME

/// Adds those that are there now and fit `wanted`: "NS", "NS/NAME", or empty for all of them.
void find_logs(const std::string& wanted, Logs& logs, std::vector<std::string>* others = nullptr) {
  constexpr std::string_view ending = ".log";
  for (const auto& topology : kernel::names_in(state_folder)) {
    const std::string folder = std::string(state_folder) + "/" + topology + "/log";
    for (const auto& ns : kernel::names_in(folder)) {
      for (const auto& file : kernel::names_in(folder + "/" + ns)) {
        if (!file.ends_with(ending)) continue;
        const std::string key = ns + "/" + file.substr(0, file.size() - ending.size());
        if (wanted.empty() || wanted == ns || wanted == key) {
          logs.try_emplace(key, Log{folder + "/" + ns + "/" + file});
        } else if (others != nullptr) {
          others->push_back(wanted.find('/') == std::string::npos ? ns : key);
        }
      }
    }
  }
}

/// Whether `wanted` says this command: "NS", "NS/NAME", or empty for all of them.
bool is_meant(const std::string& wanted, const Command& command) { return wanted.empty() || wanted == command.ns || wanted == command.key(); }

/// Of a command that runs, though there is no log of it.
std::optional<Error> lost_log(const std::string& wanted) {
  for (const auto& place : kernel::Keeper::places(command_prefix({}))) {
    auto keeper = kernel::Keeper::find(place);
    if (!keeper || !*keeper) continue;
    const auto kept = (*keeper)->tell();
    const auto command = kept && *kept ? command_from((*kept)->description) : std::nullopt;
    if (!command || !is_meant(wanted, *command)) continue;
    const std::string remedy = "kill " + std::to_string((*kept)->process) + "; topo apply, which starts it again with a new one";
    return Error{Exit::rolled_back, "what command " + command->key() + " prints is lost: somebody has removed its log", {}, {}, remedy, {}};
  }
  return std::nullopt;
}

void show(const std::string& key, Log& log, bool named, bool whole) {
  const std::string head = named ? key + " | " : "";
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = log.unfinished.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = head + log.unfinished.substr(begin, end + 1 - begin);
    std::fwrite(line.data(), 1, line.size(), stdout);
  }
  log.unfinished.erase(0, begin);
  if (!whole || log.unfinished.empty()) return;
  log.unfinished += '\n';
  show(key, log, named, false);
}

/// Opens it at the oldest output that is kept.
void open_log(Log& log) {
  log.file.reset(::open(log.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (log.file && ::lseek(log.file.get(), 0, SEEK_DATA) > 0) log.unfinished = "[topo: earlier output is not kept]\n";
}

/// Shows what has come since.
void show_more(const std::string& key, Log& log, bool named, bool whole) {
  if (!log.file) open_log(log);
  std::array<char, 65536> block{};
  for (ssize_t got = 1; log.file && got > 0;) {
    got = ::read(log.file.get(), block.data(), block.size());
    log.unfinished.append(block.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    show(key, log, named, false);
  }
  // The command was removed, and may have come again with a log of its own.
  struct stat named_now {};
  const bool is_same = ::lstat(log.path.c_str(), &named_now) == 0 && named_now.st_ino == log.file.inode();
  if (whole || !is_same) show(key, log, named, true);
  if (!is_same) log.file.reset();
}

}  // namespace

Exit logs(const Arguments& arguments) {
  const std::string wanted = arguments.operands.empty() ? "" : arguments.operands.front();
  if (::access(state_folder, R_OK | X_OK) != 0 && errno != ENOENT)
    return complain(Error{Exit::unsupported, "cannot read what commands have printed", state_folder, std::strerror(errno), "run topo as root", {}});
  Logs logs;
  std::vector<std::string> others;
  find_logs(wanted, logs, &others);
  if (logs.empty()) {
    if (const auto lost = lost_log(wanted)) return complain(*lost);
    const auto near = nearest(wanted, others);
    const std::string what = wanted.empty() ? "no command runs here" : "no command of that name runs here: " + printable(wanted);
    return complain(Error{Exit::invalid, what, {}, {}, near ? "did you mean '" + *near + "'?" : "", {}});
  }
  const bool named = logs.size() > 1 || (arguments.follow && wanted.find('/') == std::string::npos);
  for (;;) {
    for (auto& [key, log] : logs) show_more(key, log, named, !arguments.follow);
    if (!arguments.follow || std::fflush(stdout) != 0) return Exit::ok;
    std::this_thread::sleep_for(pause);
    find_logs(wanted, logs);
  }
}

}  // namespace topo::cli
